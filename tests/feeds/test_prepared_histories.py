"""Prepared pages equal direct ones, over random histories of what people do in between.

Caches are lost in between too, and Redis stops answering.

The direct page is made without Redis, from PostgreSQL alone. Acts go through the services, and
what waits for their commit happens after each of them. What can only add to an order (a clip is
shown again, an account made public) may miss a prepared page; all else must be in it.
"""

from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from django.test import TestCase
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts import services as people
from accounts.models import User
from feeds import prepared, services
from feeds.options import Asked, seed_of
from feeds.paging import Page, make_page
from feeds.seeds import new_seed
from tests.feeds.caching import Silence, connected, end_cards, use_client
from tests.feeds.scroll import ORDERS
from tests.feeds.worlds import PEOPLE, WORDS, World, told_by
from tiktok_clone.common import generation, signing
from tiktok_clone.common.errors import DomainError
from videos.models import SlotEpoch, Video, Visibility
from videos.services import engagement, moderation, publishing

pytestmark = pytest.mark.django_db
# name → what is done by the reader, an author and to one of their videos.
ACTS: dict[str, Any] = {
    "like": lambda reader, _, video: engagement.like_video(reader, video),
    "unlike": lambda reader, _, video: engagement.unlike_video(reader, video),
    "save": lambda reader, _, video: engagement.save_video(reader, video),
    "unsave": lambda reader, _, video: engagement.unsave_video(reader, video),
    "edit": lambda _, author, video: publishing.edit_video(
        author, video, caption=f"after {Video.objects.get(pk=video).caption}"[:200]
    ),
    "reword": lambda _, author, video: publishing.edit_video(
        author, video, caption=WORDS[Video.objects.get(pk=video).caption == WORDS[0]]
    ),
    "rename": lambda _, author, video: people.update_profile(author, {"name": f"N {video}"}),
    "hide": lambda _r, _a, video: moderation.hide_video(video),
    "show": lambda _r, _a, video: moderation.show_video(video),
    "delete": lambda _, author, video: publishing.delete_video(author, video),
    "public": lambda _, author, video: _edit(author, video, Visibility.PUBLIC),
    "for friends": lambda _, author, video: _edit(author, video, Visibility.FRIENDS),
    "for nobody": lambda _, author, video: _edit(author, video, Visibility.PRIVATE),
    "close": lambda _, author, _v: people.update_profile(author, {"is_private": True}),
    "open": lambda _, author, _v: people.update_profile(author, {"is_private": False}),
    "follow": lambda reader, author, _: people.follow(reader, author),
    "unfollow": lambda reader, author, _: people.unfollow(reader, author),
    "follow back": lambda reader, author, _: people.follow(author, reader),
    "unfriend": lambda reader, author, _: people.unfollow(author, reader),
    "block": lambda reader, author, _: people.block(reader, author),
    "blocked": lambda reader, author, _: people.block(author, reader),
    "unblock": lambda reader, author, _: people.unblock(reader, author),
    "mute": lambda reader, author, _: people.mute(reader, author),
    "unmute": lambda reader, author, _: people.unmute(reader, author),
    "mute word": lambda reader, author, _: people.mute_word(reader, WORDS[author.pk % 2]),
    "unmute word": lambda reader, author, _: people.unmute_word(reader, WORDS[author.pk % 2]),
    "refuse": lambda reader, _, video: services.refuse_video(reader, video),
    "allow": lambda reader, _, video: services.allow_video(reader, video),
}
ADDING = {"show", "public", "for friends", "open", "reword"}

# What happens to the caches: the cards are over, and the marks of changed ones; all is lost, or
# what is prepared; a new generation begins; Redis is silent in one of three ways, and is back.
MARKS_OVER = "marks over"
TROUBLES = [MARKS_OVER, "flush", "evict", "renew", "go silent", "answer"]
KINDS = ("down", "deaf", "frozen")

numbers = st.integers(0, 30)
acts = st.tuples(st.sampled_from([*ACTS, *TROUBLES]), st.integers(0, PEOPLE - 1), numbers)
gentle = st.tuples(st.sampled_from(["like", "save", "publish"]), st.integers(0, 3), numbers)
REWORDED = [(name, 1, n) for n in range(3) for name in ("reword", MARKS_OVER)]
reads = st.tuples(st.just("read"), st.just(0), st.just(0))
histories = st.lists(acts | gentle | reads | reads, min_size=3, max_size=20)


@pytest.fixture(autouse=True)
def _ready(settings: Any) -> None:
    """Rows that are always there are made outside of what each example rolls back."""
    settings.FEED_PREFETCH_THREADS = 1
    signing.current_epoch()
    generation.generation()
    SlotEpoch.objects.current()


def _edit(author: Any, video: int, visibility: str) -> None:
    publishing.edit_video(author, video, visibility=visibility)


class Reader:
    """Scrolls, with a page prepared each time, and compares it with the direct one."""

    def __init__(self, world: World, mode: str, order: str, limit: int) -> None:
        self.world = world
        self.page = make_page(world.reader, new_seed(mode, order, world.reader.pk), 0, limit)
        self.hits = 0
        self.patch = pytest.MonkeyPatch()
        self.silence: Silence | None = None
        self.prepare()

    def prepare(self) -> None:
        self.added = False
        prepared.prepare(self.world.reader.pk, self.page)

    def act(self, name: str, who: int, which: int) -> None:
        """Do one thing; what is refused does nothing."""
        if name in TROUBLES:
            self.disturb(name, which)
            return
        author = self.world.authors[who]
        author.refresh_from_db()
        of_them = list(Video.objects.filter(author=author).order_by("pk"))
        if name == "publish":
            self.world.act(name, who, which)
        elif of_them:
            self.added |= name in ADDING
            video = of_them[which % len(of_them)].pk
            with TestCase.captureOnCommitCallbacks(execute=True), suppress(DomainError):
                ACTS[name](self.world.reader, author, video)

    def disturb(self, name: str, which: int) -> None:
        """Do something to the caches; what Redis was sent meanwhile may be done when it answers."""
        if name == MARKS_OVER:
            end_cards()
        elif name == "flush":
            connected().flushdb()
        elif name == "evict":
            connected().delete(prepared._key(generation.generation(), self.world.reader.pk))
        elif name == "renew":
            generation.renew()
        elif name == "go silent" and self.silence is None:
            self.silence = Silence(KINDS[which % len(KINDS)])
            use_client(self.patch, self.silence.client)
        elif name == "answer" and self.silence is not None:
            self.patch.undo()
            self.silence.end()
            self.silence = None

    def read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take what was prepared, check it, and prepare the page after."""
        before = self.page
        if before.end:
            return
        asked = Asked(before.mode, before.order, before.seed, before.next_skip, before.limit)
        taken = prepared.take(self.world.reader.pk, asked)
        with monkeypatch.context() as patch:
            use_client(patch, None)
            seed = seed_of(asked, self.world.reader.pk)
            direct = make_page(self.world.reader, seed, asked.skip, asked.limit)
        if taken is not None:
            self.hits += 1
            self.compare(taken, direct)
        self.page = taken or direct
        self.prepare()

    def compare(self, taken: Page, direct: Page) -> None:
        videos = {card.video for card in taken.shown}
        assert videos <= self.world.visible(taken.mode)
        if not self.added:
            assert told_by(taken) == told_by(direct)


@pytest.mark.parametrize(("mode", "order"), ORDERS)
def test_a_prepared_page_equals_the_direct_one(
    mode: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hits = []

    @settings(max_examples=15)
    @given(history=histories, limit=st.integers(1, 4))
    @example(history=[("mute word", 0, 0), ("read", 0, 0), *REWORDED], limit=2)
    @example(
        history=[("go silent", 0, 0), ("hide", 3, 0), ("answer", 0, 0), ("read", 0, 0)], limit=2
    )
    @example(
        history=[("go silent", 0, 1), ("like", 3, 0), ("answer", 0, 0), ("read", 0, 0)], limit=2
    )
    @example(history=[("delete", 0, n) for n in range(3)] + [("read", 0, 0)], limit=3)
    @example(history=[("hide", 1, 2), ("read", 0, 0), ("show", 1, 2), ("read", 0, 0)], limit=2)
    @example(history=[("close", 0, 0), ("read", 0, 0), ("unfollow", 0, 0), ("read", 0, 0)], limit=2)
    @example(history=[("like", 0, 1), ("read", 0, 0), ("unlike", 0, 1), ("read", 0, 0)], limit=2)
    def check(history: list[Any], limit: int) -> None:
        with transaction.atomic():
            world = World.create()
            # The world's follows are bare rows, which the services count down from.
            User.objects.update(followers_count=50, following_count=50)
            for n in range(PEOPLE):
                world.act("follow", n, 1)
                for _ in range(3):
                    world.act("publish", n, 1)
            reader = Reader(world, mode, order, limit)
            for name, who, which in history:
                if name == "read":
                    reader.read(monkeypatch)
                else:
                    reader.act(name, who, which)
            reader.read(monkeypatch)
            reader.patch.undo()
            hits.append(reader.hits)
            transaction.set_rollback(True)
        generation.forget()

    check()
    assert sum(hits) > 10, "too few hits to prove anything"
