"""Fills the demo: people first, then their clips, which take the way of everybody's uploads.

Each step looks at what is there already, so it can be repeated and goes on after an
interruption.
"""

import random
import tempfile
from pathlib import Path

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.models import CommentsHeld, DecisionKind, Reason, User
from accounts.services import Why, appeal, check_avatar, decide, follow, set_avatar
from feeds.demo.clips import CLIP_BY_NAME, CLIPS, Clip, render
from feeds.demo.crowd import ensure_crowd, send_crowd
from feeds.demo.people import (
    ANSWERS,
    DEMO_FRIENDS,
    DEMO_HANDLE,
    DEMO_PASSWORD,
    PEOPLE,
    PERSON_BY_HANDLE,
    REMARKS,
    Person,
    portrait,
)
from feeds.models import DemoClip
from feeds.services import Watched, record_views
from feeds.tasks import train_recommender
from tiktok_clone.common import jobs
from videos.models import Status, Video, Visibility
from videos.services import moderation
from videos.services.comments import add_comment, like_comment
from videos.services.curating import pin_comment
from videos.services.engagement import like_video, report_video, save_video
from videos.services.publishing import create_video, delete_video, edit_video, retry_processing

REPORTED = "terminal"  # the clip that somebody tells the moderators about


def ensure_people() -> int:
    """Make the people and let them follow each other. Returns how many were new.

    Once there are clips everybody has been made; who left since stays away.
    """
    if DemoClip.objects.exists():
        return 0
    new = [person for person in PEOPLE if not User.objects.filter(email=person.email).exists()]
    for person in new:
        _make(person)
    _follow_each_other()
    return len(new) + ensure_crowd()


def missing_clips() -> list[Clip]:
    """The clips that nobody has posted yet and whose authors are here, in the order of CLIPS."""
    posted = set(DemoClip.objects.values_list("name", flat=True))
    authors = set(_people().values_list("handle", flat=True))
    return [
        clip
        for clip in CLIPS
        if clip.name not in posted and clip.author in authors and not _adopt(clip)
    ]


def ready_clips() -> int:
    """How many clips can be watched."""
    return _posted().filter(status=Status.READY).count()


def unfinished_clips() -> int:
    """How many clips still wait for the worker."""
    waiting = (Status.RESERVED, Status.UPLOADING, Status.STORED, Status.PROCESSING)
    return _posted().filter(status__in=waiting).count()


def failed_clips() -> QuerySet[Video]:
    """Clips that could not be processed."""
    return _posted().filter(status=Status.FAILED)


def retry_failed() -> None:
    """Have the worker try the failed clips again."""
    for video in failed_clips().select_related("author"):
        retry_processing(video.author, video.pk)


def post_clip(clip: Clip) -> Video:
    """Draw a clip and upload it as its author; the worker does the rest."""
    author = _people().get(handle=clip.author)
    with tempfile.TemporaryDirectory(prefix="loopy-demo-") as folder:
        video = create_video(author, render(clip, Path(folder)), clip.caption, clip.visibility)
    row, created = DemoClip.objects.get_or_create(name=clip.name, defaults={"video": video})
    if not created:  # somebody else was quicker
        delete_video(author, video.pk)
    return video if created or row.video is None else row.video


def clips_without_reactions() -> list[str]:
    """Names of the clips that nobody has reacted to, ready ones first."""
    waiting = DemoClip.objects.filter(reacted_at=None, video__isnull=False, name__in=CLIP_BY_NAME)
    ready_first = F("video__published_at").asc(nulls_last=True)
    return list(waiting.order_by(ready_first, "pk").values_list("name", flat=True))


@transaction.atomic
def react_to(name: str) -> bool:
    """Let people watch, like, save and comment a clip, each after their taste.

    It happens once, when the clip is ready. The choices depend on the clip's name alone.

    Returns:
        Whether there is nothing left to do.
    """
    # One clip at a time: the limits count what the same people do, here in any order.
    list(DemoClip.objects.select_for_update().order_by("pk")[:1])
    row = DemoClip.objects.select_for_update().filter(name=name, reacted_at=None).first()
    video = row.video if row else None
    if row is None or video is None or video.status in (Status.FAILED, Status.REJECTED):
        return True
    if video.status != Status.READY:
        return False
    clip, choices = CLIP_BY_NAME[name], random.Random(name)
    users = {user.handle: user for user in _people()}
    audience = [person for person in _audience(clip, video) if person.handle in users]
    _watch(choices, clip, video, users, audience)
    if audience:
        _talk(choices, clip, video, users, audience)
        if clip.author == DEMO_HANDLE and video.visibility == Visibility.PUBLIC:
            _curate(clip, video, users, audience)
        if clip.name == REPORTED:
            report_video(users[audience[0].handle], video.pk, Reason.SPAM, "Is this an ad?")
            _dispute(video)
    if video.visibility == Visibility.PUBLIC and video.is_published:
        send_crowd(video, clip.theme, clip.name)
    row.reacted_at = timezone.now()
    row.save(update_fields=["reacted_at"])
    return True


def _dispute(video: Video) -> None:
    """Have its author warned and appeal, so that the queue of appeals has something to show."""
    why = Why(Reason.SPAM, "Please say so when a clip is an advertisement.")
    target = moderation.target_of(video)
    warning = decide(None, DecisionKind.WARNED, video.author_id, target, why, subject=video.caption)
    appeal(warning, "It shows a free tool, and nobody pays me for it.")


def train() -> None:
    """Have the worker learn from what people did; once, however often it is asked."""
    jobs.enqueue(train_recommender, queueing_lock="train_recommender", timestamp=0)


def _audience(clip: Clip, video: Video) -> list[Person]:
    if video.visibility == Visibility.PRIVATE or not video.is_published:
        return []
    others = [person for person in PEOPLE if person.handle != clip.author]
    if video.visibility == Visibility.PUBLIC:
        return others
    return [person for person in others if person.handle in DEMO_FRIENDS]


def _watch(
    choices: random.Random,
    clip: Clip,
    video: Video,
    users: dict[str, User],
    audience: list[Person],
) -> None:
    """Whoever likes the theme watches to the end, mostly; the others swipe on sooner."""
    for person in audience:
        keen = clip.theme in person.likes
        part = choices.uniform(0.8, 1) if keen else choices.uniform(0.1, 0.9)
        likes, saves = choices.random() < (0.85 if keen else 0.2), choices.random() < 0.3
        if person.handle == DEMO_HANDLE:
            # The person who looks at the demo has seen nothing yet.
            likes, saves = keen and likes and saves, False
        else:
            seconds = round(video.duration * part, 1)
            record_views(users[person.handle], [Watched(video.pk, seconds, part > 0.85)])
        if likes:
            like_video(users[person.handle], video.pk)
        if likes and saves:
            save_video(users[person.handle], video.pk)


def _talk(
    choices: random.Random,
    clip: Clip,
    video: Video,
    users: dict[str, User],
    audience: list[Person],
) -> None:
    speakers = choices.sample(audience, min(len(audience), choices.randint(2, 5)))
    for person, remark in zip(speakers, choices.sample(REMARKS[clip.theme], 5), strict=False):
        comment = add_comment(users[person.handle], video.pk, remark)
        if clip.author in users and choices.random() < 0.6:
            like_comment(users[clip.author], comment.pk)
        if clip.author in users and choices.random() < 0.4:
            add_comment(users[clip.author], video.pk, choices.choice(ANSWERS), comment.pk)
        fan = choices.choice(audience)
        if fan is not person and choices.random() < 0.5:
            like_comment(users[fan.handle], comment.pk)


def _curate(clip: Clip, video: Video, users: dict[str, User], audience: list[Person]) -> None:
    """One comment is pinned; another one, of somebody whom its author does not follow, waits."""
    author = users[clip.author]
    first = video.comments.filter(parent=None).order_by("pk").first()
    if first is not None:
        pin_comment(author, first.pk)
    edit_video(author, video.pk, comments_held=CommentsHeld.STRANGERS)
    followed = set(author.following_rows.values_list("followee__handle", flat=True))
    stranger = next((one for one in audience if one.handle not in followed), None)
    if stranger is not None:
        add_comment(users[stranger.handle], video.pk, "Follow me and I follow you back!")


def _people() -> QuerySet[User]:
    return User.objects.active().filter(email__in=[person.email for person in PEOPLE])


def _posted() -> QuerySet[Video]:
    ids = DemoClip.objects.filter(video__isnull=False).values("video")
    return Video.objects.filter(pk__in=ids)


def _adopt(clip: Clip) -> bool:
    """Recognize a clip that was posted just before an interruption."""
    author = PERSON_BY_HANDLE[clip.author]
    known = DemoClip.objects.filter(video__isnull=False).values("video")
    videos = Video.objects.filter(author__email=author.email, caption=clip.caption)
    video = videos.exclude(pk__in=known).first()
    if video is None:
        return False
    return DemoClip.objects.get_or_create(name=clip.name, defaults={"video": video})[1]


def _make(person: Person) -> None:
    with transaction.atomic():
        user = User.objects.create_user(
            person.email,
            person.handle,
            DEMO_PASSWORD,
            name=person.name,
            bio=person.bio,
            email_verified_at=timezone.now(),
        )
        picture = portrait(person)
        set_avatar(user, check_avatar(picture, picture.getbuffer().nbytes))


def _follow_each_other() -> None:
    """People follow those who post what they like; demo follows a few and has friends."""
    users = {user.handle: user for user in _people()}
    themes: dict[str, set[str]] = {}
    for clip in CLIPS:
        themes.setdefault(clip.author, set()).add(clip.theme)
    pairs = [
        (person.handle, author)
        for person in PEOPLE
        for author, posted in themes.items()
        if author != person.handle and posted & set(person.likes)
    ]
    pairs += [(friend, DEMO_HANDLE) for friend in DEMO_FRIENDS]
    pairs += [(DEMO_HANDLE, friend) for friend in DEMO_FRIENDS]
    for follower, followee in pairs:
        if follower in users and followee in users:
            follow(users[follower], users[followee])
