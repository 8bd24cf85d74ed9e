"""Where the places of for-you come from: taste as it was trained, and what few were shown."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from django.db import transaction

from accounts.models import User
from feeds.models import Affinity, Impression
from feeds.recommender import candidates, exploring, site, stored, tastes
from feeds.recommender.features import POOL
from feeds.recommender.interactions import matrix
from feeds.recommender.model import PROFILE, Parameters, profiles_of, recommend, train
from feeds.recommender.ranking import TERMS, Weights, rank
from feeds.recommender.walk import Walk
from feeds.seeds import new_seed
from feeds.services import Watched, record_views
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory
from tests.feeds.models import put_in_service
from tests.feeds.scroll import FEED, ids
from tests.feeds.test_for_you import LATE, sources
from tests.feeds.themes import settle, themed
from tests.feeds.worlds import publish
from tests.settling import commit
from videos.models import Video
from videos.services.engagement import like_video

pytestmark = pytest.mark.django_db
TASTE_ALONE = Weights(**dict.fromkeys(TERMS, 0.0) | {"taste": 1.0})


def saw(user: User, videos: Iterable[int]) -> None:
    """Have somebody been shown some videos, which they neither liked nor skipped."""
    Impression.objects.bulk_create(Impression(user=user, video_id=pk) for pk in videos)


def explored_by(reader: User) -> set[int]:
    """What one who looks in now may be given to find out who likes it."""
    return set(exploring.explored(reader, new_seed("for-you", "ranked", reader.pk), ()))


class TestTaste:
    """Neighbours of what was liked."""

    @pytest.mark.parametrize("how", ["seen", "taken", "liked"])
    def test_it_does_not_dry_up_when_the_likeliest_are_used_up(
        self, how: str, as_user: ApiClient, user: User
    ) -> None:
        author = UserFactory()
        with transaction.atomic():
            liked, *near = [publish(author) for _ in range(tastes.NEAR + 3)]
        run = put_in_service({liked: {pk: 1 / n for n, pk in enumerate(near, 1)}})
        like_video(user, liked)
        used, left = near[: tastes.NEAR], near[tastes.NEAR :]
        if how == "seen":
            saw(user, used)
        elif how == "liked":
            with transaction.atomic():
                user.likes.bulk_create(
                    type(user.likes.get())(user=user, video_id=pk) for pk in used
                )
        taste = tastes.taste_of(user, run, used if how == "taken" else [])
        assert list(taste.near) == left
        assert taste.near[left[0]] == 1, "measured by what may still come"
        if how == "seen":
            page = as_user.get(FEED, {"limit": 2, "seed": LATE})
            assert ids(page) == left
            assert set(sources(page["seed"]).values()) == {"taste"}

    @pytest.mark.parametrize("half_life", [7.0, float("inf")])
    def test_it_is_served_in_the_order_in_which_it_is_judged(self, half_life: float) -> None:
        """A reader of more acts than are asked for; a model with more neighbours than usual."""
        rows = themed(users=60, items=400, rows=4000, themes=3, timed=True)
        settle(rows)
        rows = site.read()
        parameters = Parameters(Walk(k=300), half_life)
        model = train(rows, parameters)
        run = put_in_service({})
        run.parameters = parameters.to_json()
        run.save()
        stored.put_in_service(run, model)
        counts = np.bincount(rows.user)
        most = int(counts.argmax())
        assert counts[most] > PROFILE
        reader = User.objects.get(pk=rows.users[most])
        saw(reader, Affinity.objects.filter(user=reader).values_list("video", flat=True))
        seed = new_seed("for-you", "ranked", reader.pk)
        found = candidates.gather(reader, seed, (), TASTE_ALONE)
        # Nobody is judged by how creators are mixed.
        mixed = [replace(one, author=one.video) for one in found.videos]
        ranked = rank(mixed, POOL, 1, weights=TASTE_ALONE)
        served = [one.video for one in ranked if one.score > 0]
        profiles, consumed = profiles_of(rows, half_life)[[most]], matrix(rows)[[most]]
        judged = [rows.items[item] for item in recommend(model, profiles, consumed, 200)[0]]
        scores = dict(zip(rows.items, (profiles @ model.neighbours).toarray()[0], strict=True))
        # Those that differ by less than ranking tells apart may change places.
        told, expected = (
            [float(scores[pk] / scores[judged[0]]) for pk in order]
            for order in (served, judged[: len(served)])
        )
        assert len(served) > 100
        assert served[:5] == judged[:5]
        assert told == pytest.approx(expected, abs=2e-4)


class TestExploring:
    """Clips of which too little is known, new or old."""

    @pytest.fixture
    def clips(self) -> list[int]:
        """More than are looked through for new ones, the newest first."""
        author = UserFactory()
        with transaction.atomic():
            return [publish(author) for _ in range(exploring.AMONG + 30)][::-1]

    def test_an_old_clip_that_nobody_was_shown_gets_its_turn(
        self, user: User, clips: list[int]
    ) -> None:
        forgotten = clips[-5:]
        Video.objects.exclude(pk__in=forgotten).update(shown_count=50)
        found = explored_by(user)
        assert found >= {*forgotten, *clips[: exploring.EACH_KIND]}
        assert len(found) <= 2 * exploring.EACH_KIND
        record_views(user, [Watched(pk) for pk in forgotten])
        commit()
        assert not found & {*forgotten} & explored_by(user)

    def test_it_comes_to_the_places_for_it(self, as_user: ApiClient, clips: list[int]) -> None:
        forgotten = clips[-1]
        Video.objects.exclude(pk=forgotten).update(shown_count=exploring.KNOWN_AFTER)
        page = as_user.get(FEED, {"limit": 20})
        assert sources(page["seed"])[forgotten] == "explored"

    def test_people_are_counted_once_and_only_until_it_is_known(
        self, user: User, other: User
    ) -> None:
        video = VideoFactory()
        for reader in (user, user, other):
            record_views(reader, [Watched(video.pk), Watched(video.pk)])
        commit()
        video.refresh_from_db()
        assert video.shown_count == 2
        Video.objects.update(shown_count=exploring.KNOWN_AFTER)
        record_views(UserFactory(), [Watched(video.pk)])
        commit()
        video.refresh_from_db()
        assert video.shown_count == exploring.KNOWN_AFTER
        assert explored_by(UserFactory()) == set()

    def test_what_was_watched_much_before_it_was_counted_is_known(self, user: User) -> None:
        video = VideoFactory(views_count=exploring.KNOWN_AFTER)
        assert video.pk not in explored_by(user)
