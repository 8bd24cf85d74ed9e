"""The demo: drawn here, uploaded like anybody's clips, and gone without a trace."""

import dataclasses
from io import StringIO
from pathlib import Path
from typing import Any

import av
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.avatars import folder_of
from accounts.models import Friendship, User
from feeds import affinity
from feeds.demo import crowd, seeding, tasks
from feeds.demo.clips import CLIP_BY_NAME, CLIPS, Clip, render
from feeds.demo.people import DEMO_FRIENDS, PEOPLE, PERSON_BY_HANDLE
from feeds.models import WATCHED, Affinity, DemoClip, Impression, ModelRun
from feeds.services import request_export
from feeds.trending import trending_tags, trending_videos
from tests.api_client import ApiClient
from tests.conftest import RunJobs
from tests.factories import UserFactory, VideoFactory
from tests.feeds.scroll import LATE, ids
from tiktok_clone.common import signing
from tiktok_clone.common.storage import local_store
from videos.captions import link_caption
from videos.counters import reconcile
from videos.models import Comment, CommentState, Like, Report, Status, Video
from videos.services.engagement import like_video
from videos.services.publishing import delete_video, edit_video

FEW = [CLIP_BY_NAME["terminal"], CLIP_BY_NAME["plasma"]]


@pytest.fixture
def few_clips(monkeypatch: pytest.MonkeyPatch) -> list[Clip]:
    """Two clips of two people instead of all, each one second long."""
    short = [Clip(**{**clip.__dict__, "seconds": 1}) for clip in FEW]
    for module in ("seeding", "management.commands.seed_demo", "management.commands.reset_demo"):
        where = "feeds.demo.seeding" if module == "seeding" else f"feeds.{module}"
        monkeypatch.setattr(f"{where}.CLIPS", short)
    for module in (tasks, seeding):
        monkeypatch.setattr(module, "CLIP_BY_NAME", {clip.name: clip for clip in short})
    return short


def seed(run_jobs: RunJobs) -> None:
    """`seed_demo --ready 0`, a worker that does all of it, and the reactions that it put off."""
    call_command("seed_demo", ready=0, stdout=StringIO())
    run_jobs()
    for name in seeding.clips_without_reactions():
        assert seeding.react_to(name)


def facts() -> list[Any]:
    """Everything that a second run must leave alone."""
    rows = [
        row
        for model in (User, Video, Like, Comment, Friendship, Impression)
        for row in model.objects.order_by("pk").values()
    ]
    return [{name: value for name, value in row.items() if name != "trend"} for row in rows]


def test_there_are_enough_clips_by_people_who_exist() -> None:
    assert len([clip for clip in CLIPS if clip.visibility == "public"]) >= 24
    assert all(6 <= clip.seconds <= 12 for clip in CLIPS)
    assert {clip.author for clip in CLIPS} <= set(PERSON_BY_HANDLE)
    assert len({(clip.author, clip.caption) for clip in CLIPS}) == len(CLIPS)
    assert len(PEOPLE) >= 12


@pytest.mark.parametrize("name", ["quilt", "plasma"])
def test_a_clip_is_upright_has_sound_and_lasts_as_long_as_it_says(
    name: str, tmp_path: Path
) -> None:
    clip = CLIP_BY_NAME[name]
    with av.open(str(render(clip, tmp_path))) as made:
        picture, sound = made.streams.video[0], made.streams.audio[0]
        assert (picture.width, picture.height) == (540, 960)
        assert float(made.duration or 0) / av.time_base == pytest.approx(clip.seconds, abs=0.2)
        loudest = max(abs(frame.to_ndarray()).max() for frame in made.decode(sound))
        assert loudest > 0.1


def test_clips_go_through_the_upload_and_its_job(few_clips: list[Clip], run_jobs: RunJobs) -> None:
    seed(run_jobs)
    videos = Video.objects.all()
    assert videos.count() == len(few_clips)
    for video in videos:
        assert video.status == Status.READY
        assert video.renditions.exists()
        assert video.likes_count == video.likes.count() > 0
        assert video.comments_count == video.comments.count() > 0
        assert video.views_count > 0


def test_explore_has_trends_at_once(few_clips: list[Clip], run_jobs: RunJobs) -> None:
    seed(run_jobs)
    call_command("seed_demo", ready=0, stdout=StringIO())
    assert trending_videos(None).count() == len(few_clips)
    assert trending_tags(None).exists()


def test_a_second_run_changes_nothing(few_clips: list[Clip], run_jobs: RunJobs) -> None:
    seed(run_jobs)
    before = facts()
    seed(run_jobs)
    assert facts() == before


def test_a_clip_that_its_author_edited_or_deleted_stays_so(
    few_clips: list[Clip], run_jobs: RunJobs
) -> None:
    seed(run_jobs)
    edited, deleted = Video.objects.order_by("pk")
    edit_video(edited.author, edited.pk, caption="another one")
    delete_video(deleted.author, deleted.pk)
    seed(run_jobs)
    assert [video.caption for video in Video.objects.all()] == ["another one"]


def test_only_friends_react_to_a_clip_for_friends(
    few_clips: list[Clip], run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = dataclasses.replace(few_clips[0], author="demo", visibility="friends")
    monkeypatch.setattr(seeding, "CLIPS", [secret])
    monkeypatch.setitem(seeding.CLIP_BY_NAME, secret.name, secret)
    monkeypatch.setitem(tasks.CLIP_BY_NAME, secret.name, secret)
    seed(run_jobs)
    comments = Comment.objects.filter(video__visibility="friends").exclude(author__handle="demo")
    assert comments
    assert {comment.author.handle for comment in comments} <= set(DEMO_FRIENDS)


def test_a_newcomer_finds_a_pinned_and_a_held_comment_and_an_open_report(
    few_clips: list[Clip], run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = dataclasses.replace(few_clips[1], author="demo")
    clips = [few_clips[0], own]
    monkeypatch.setattr(seeding, "CLIPS", clips)
    for module in (seeding, tasks):
        monkeypatch.setitem(module.CLIP_BY_NAME, own.name, own)
    seed(run_jobs)
    video = Video.objects.get(author__handle="demo")
    assert video.comments.filter(pinned_at__isnull=False).count() == 1
    assert video.comments.filter(state=CommentState.HELD).count() == 1
    assert video.comments_count == video.comments.count() - 1
    assert Report.objects.get().outcome == ""


def test_seeding_ends_in_a_clear_message_when_no_worker_takes_the_jobs(
    few_clips: list[Clip], transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.management.commands.seed_demo.NO_WORKER_SECONDS", 0.1)
    with pytest.raises(CommandError, match="No worker"):
        call_command("seed_demo", ready=1, stdout=StringIO())


@pytest.mark.parametrize("recorded", [True, False])
def test_an_interrupted_run_goes_on(
    recorded: bool, few_clips: list[Clip], run_jobs: RunJobs
) -> None:
    seeding.ensure_people()
    seeding.post_clip(few_clips[0])
    if not recorded:  # it ended between the upload and the note of it
        DemoClip.objects.all().delete()
    assert seeding.missing_clips() == few_clips[1:]
    seed(run_jobs)
    assert seeding.missing_clips() == []
    assert Video.objects.count() == len(few_clips)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stranger", ["person", "video"])
def test_reset_refuses_where_there_is_more_than_the_demo(stranger: str) -> None:
    seeding.ensure_people()
    if stranger == "person":
        UserFactory()
    else:
        VideoFactory(author=User.objects.get(handle="demo"), caption="mine")
    before = facts()
    with pytest.raises(CommandError, match="more than the demo"):
        call_command("reset_demo", stdout=StringIO())
    assert facts() == before


def test_reset_begins_at_one_and_leaves_no_object_and_no_valid_token(
    few_clips: list[Clip], run_jobs: RunJobs
) -> None:
    User.objects.create_superuser("admin@example.com", "admin", "a password of its own")
    seed(run_jobs)
    old_epoch = signing.current_epoch()
    old_folders = [video.folder for video in Video.objects.all()]
    old_folders += [folder_of(user.avatar) for user in User.objects.exclude(avatar="")]
    export = request_export(User.objects.get(handle="admin"))
    run_jobs()
    assert local_store().exists(export.name)
    assert all(list(local_store().names(folder)) for folder in old_folders)
    call_command("reset_demo", ready=0, stdout=StringIO())
    assert not any(list(local_store().names(folder)) for folder in old_folders)
    assert not local_store().exists(export.name)
    assert signing.current_epoch() != old_epoch
    assert sorted(User.objects.values_list("pk", flat=True))[0] == 1
    assert User.objects.get(handle="admin").check_password("a password of its own")
    seed(run_jobs)
    assert sorted(Video.objects.values_list("pk", flat=True)) == [1, 2]


class TestCrowd:
    """People whose tastes one can learn from."""

    @pytest.fixture
    def clips(self, db: None) -> dict[str, list[Video]]:
        """Six clips of each theme that the crowd has come across, by theme."""
        seeding.ensure_people()
        made: dict[str, list[Video]] = {}
        for number in range(6):
            for theme in crowd.THEMES:
                video = VideoFactory(caption=f"#{theme}", duration=8)
                link_caption(video)
                crowd.send_crowd(video, theme, f"{theme} {number}")
                made.setdefault(theme, []).append(video)
        return made

    def test_what_they_did_is_counted_exactly(self, clips: dict[str, list[Video]]) -> None:
        drifted = {drift.field for drift in reconcile(dry_run=True)}
        assert not drifted & {"likes_count", "saves_count"}
        video = clips["ocean"][0]
        video.refresh_from_db()
        views = Impression.objects.filter(WATCHED, video=video)
        assert video.views_count == views.count() > 20
        assert video.watch_seconds == pytest.approx(sum(row.seconds for row in views), abs=20)

    def test_affinities_are_what_a_rebuild_would_make_them(
        self, clips: dict[str, list[Video]]
    ) -> None:
        fan = User.objects.get(handle=crowd.FANS[0].handle)
        columns = ("video", "strength", "followed")
        held = sorted(Affinity.objects.filter(user=fan).values_list(*columns))
        Affinity.objects.filter(user=fan).delete()
        affinity.rebuild(fan.pk)
        assert sorted(Affinity.objects.filter(user=fan).values_list(*columns)) == held != []

    def test_who_likes_a_clip_likes_others_of_its_theme(
        self, clips: dict[str, list[Video]]
    ) -> None:
        theme_of = {video.pk: theme for theme, made in clips.items() for video in made}
        liked: dict[int, list[int]] = {}
        for user, video in Like.objects.values_list("user", "video"):
            liked.setdefault(user, []).append(video)
        pairs = [
            theme_of[one] == theme_of[other]
            for videos in liked.values()
            for one in videos
            for other in videos
            if one < other
        ]
        assert sum(pairs) / len(pairs) > 0.4  # by chance: a seventh

    def test_three_likes_bring_more_of_a_theme(
        self, clips: dict[str, list[Video]], user: User, as_user: ApiClient
    ) -> None:
        def places() -> list[int]:
            order = ids(as_user.get("/videos/feed", {"limit": 50}))
            return [order.index(video.pk) for video in clips["space"][:3]]

        before = places()
        for video in clips["space"][3:]:
            like_video(user, video.pk)
        assert sum(places()) < sum(before) / 2

    @pytest.mark.parametrize("theme", ["ocean", "geometry"])
    def test_three_likes_of_a_theme_bring_the_rest_of_it_to_the_first_page(
        self, theme: str, user: User, as_user: ApiClient, run_jobs: RunJobs
    ) -> None:
        """The clips that the demo has, without their hashtags: only what the crowd did tells."""
        seeding.ensure_people()
        people = {person.handle: person for person in User.objects.all()}
        mine = []
        for clip in CLIPS:
            if clip.visibility == "public":
                video = VideoFactory(author=people[clip.author], caption=clip.name, duration=8)
                crowd.send_crowd(video, clip.theme, clip.name)
                mine += [video] * (clip.theme == theme)
        seeding.train()
        run_jobs()
        liked, rest = mine[:3], [video.pk for video in mine[3:]]
        for video in liked:
            like_video(user, video.pk)
        order = ids(as_user.get("/videos/feed", {"limit": 10, "seed": LATE}))
        assert set(rest) <= set(order)
        # Chance would put them in the middle.
        assert sum(order.index(pk) for pk in rest) / len(rest) < 5
        told = [
            reason["text"]
            for pk in rest
            for reason in as_user.get(f"/videos/{pk}/why")["reasons"]
            if reason["code"] == "taste"
        ]
        assert len(told) == len(rest)
        assert all(text.startswith("Because you liked “") for text in told)

    def test_the_worker_learns_from_it(
        self, clips: dict[str, list[Video]], run_jobs: RunJobs
    ) -> None:
        seeding.train()
        seeding.train()
        run_jobs()
        assert ModelRun.objects.count() == 1
        run = ModelRun.objects.in_service()
        assert run is not None
        assert run.neighbours.filter(item__in=clips["space"]).count() == len(clips["space"])
