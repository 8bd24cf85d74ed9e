"""Histories for the property tests: what people do while a reader scrolls."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from hypothesis import strategies as st

from accounts.models import Block, Follow, Friendship, Mute, MutedWord, Reason, User
from accounts.services import mute_word, unmute_word
from feeds.models import NotInterested
from feeds.paging import Page
from feeds.services import Watched, record_views
from tests.feeds.models import put_in_service
from videos.models import Rendition, Report, SlotEpoch, Status, Video, Visibility
from videos.services import engagement

PEOPLE = 4
WORDS = ("rain", "sun")  # each author's videos have one
SPAM = {"reason": Reason.SPAM}

# Acts are (name, who, which): who picks a person, which picks a video or a visibility.
ACTS = [
    "publish", "hide", "show", "delete", "follow", "unfollow", "block", "unblock", "private",
    "mute", "unmute", "mute_word", "unmute_word", "refuse", "allow", "report",
]  # fmt: skip
acts = st.tuples(st.sampled_from(ACTS), st.integers(0, PEOPLE - 1), st.integers(0, 30))
# What moves the reader's taste; these take no author.
MOVES = ["like", "watch", "learn"]
moves = st.tuples(st.sampled_from(MOVES), st.just(0), st.integers(0, 30))
reads = st.tuples(st.just("read"), st.integers(1, 7), st.just(0))
histories = st.lists(acts | reads | reads, max_size=25)
moving = st.lists(acts | moves | moves | reads | reads, max_size=30)


@dataclass
class World:
    """A reader, a few authors, and what the database holds of them."""

    reader: User
    authors: list[User]

    @classmethod
    def create(cls) -> "World":
        people = User.objects.bulk_create(
            [
                User(email=f"w{n}@example.org", handle=f"world{n}", name="W", password="!")
                for n in range(PEOPLE + 1)
            ]
        )
        return cls(people[0], people[1:])

    def act(self, name: str, who: int, which: int) -> None:
        """Do one thing, as the services do it: the same rows, published under the same lock."""
        if name in MOVES:
            getattr(self, name)(which)
            return
        author = self.authors[who]
        getattr(self, f"_{name}")(author, which)

    def visible(self, mode: str) -> set[int]:
        """What the order of a mode may show at this moment, by definition."""
        me = self.reader.pk
        pairs = Block.objects.values_list("blocker", "blocked")
        blocked = {person for pair in pairs for person in pair if me in pair}
        follows = set(Follow.objects.filter(follower=me).values_list("followee", flat=True))
        pairs = Friendship.objects.values_list("low", "high")
        friends = {person for pair in pairs for person in pair if me in pair}

        muted = set(Mute.objects.filter(muter=me).values_list("muted", flat=True))
        words = set(MutedWord.objects.filter(user=me).values_list("text", flat=True))
        refused = set(NotInterested.objects.filter(user=me).values_list("video", flat=True))
        refused |= set(Report.objects.filter(user=me).values_list("video", flat=True))

        def is_in(video: Video) -> bool:
            author = video.author_id
            if not video.is_published or author in blocked | muted or video.pk in refused:
                return False
            if words & set(video.caption.split()):
                return False
            is_public = video.visibility == Visibility.PUBLIC
            is_open = is_public and not video.author.is_private
            if mode == "all":
                return is_open and video.slot is not None
            for_friends = video.visibility == Visibility.FRIENDS and author in friends
            may_see = is_open or (is_public and author in follows) or for_friends
            if mode == "for-you":
                return may_see and author != me
            return may_see and author in (follows if mode == "following" else friends)

        return {video.pk for video in Video.objects.select_related("author") if is_in(video)}

    def _publish(self, author: User, which: int) -> None:
        publish(author, Visibility.FRIENDS if which % 4 == 0 else Visibility.PUBLIC)

    def _some(self, author: User, which: int) -> Any:
        videos = list(
            Video.objects.filter(author=author).order_by("pk").values_list("pk", flat=True)
        )
        return Video.objects.filter(pk=videos[which % len(videos)] if videos else 0)

    def _hide(self, author: User, which: int) -> None:
        self._some(author, which).update(hidden_at=timezone.now())

    def _show(self, author: User, which: int) -> None:
        self._some(author, which).update(hidden_at=None)

    def _delete(self, author: User, which: int) -> None:
        self._some(author, which).delete()

    def _follow(self, author: User, which: int) -> None:
        if Block.objects.between(self.reader.pk, author.pk).exists():
            return
        Follow.objects.get_or_create(follower=self.reader, followee=author)
        if which % 3:  # most follow back
            Follow.objects.get_or_create(follower=author, followee=self.reader)
            Friendship.objects.get_or_create(low=self.reader, high=author)

    def _unfollow(self, author: User, which: int) -> None:
        Follow.objects.filter(follower=self.reader, followee=author).delete()
        Friendship.objects.between(self.reader.pk, author.pk).delete()

    def _block(self, author: User, which: int) -> None:
        pair = [self.reader, author] if which % 2 else [author, self.reader]
        Block.objects.get_or_create(blocker=pair[0], blocked=pair[1])
        self._unfollow(author, which)
        Follow.objects.filter(follower=author, followee=self.reader).delete()

    def _unblock(self, author: User, which: int) -> None:
        Block.objects.between(self.reader.pk, author.pk).delete()

    def _mute(self, author: User, which: int) -> None:
        Mute.objects.get_or_create(muter=self.reader, muted=author)

    def _unmute(self, author: User, which: int) -> None:
        Mute.objects.filter(muter=self.reader, muted=author).delete()

    def _mute_word(self, author: User, which: int) -> None:
        mute_word(self.reader, WORDS[which % len(WORDS)])

    def _unmute_word(self, author: User, which: int) -> None:
        unmute_word(self.reader, WORDS[which % len(WORDS)])

    def _refuse(self, author: User, which: int) -> None:
        for video in self._some(author, which):
            NotInterested.objects.get_or_create(user=self.reader, video=video)

    def _allow(self, author: User, which: int) -> None:
        NotInterested.objects.filter(user=self.reader, video__in=self._some(author, which)).delete()

    def _report(self, author: User, which: int) -> None:
        for video in self._some(author, which):
            Report.objects.get_or_create(user=self.reader, video=video, defaults=SPAM)

    def like(self, which: int) -> None:
        """The reader likes something that they may see, as one does."""
        for pk in self._seen_by_reader(which):
            engagement.like_video(self.reader, pk)

    def watch(self, which: int) -> None:
        """The reader's player reports watches of some clips, to the end or not."""
        found = self._seen_by_reader(which)
        record_views(self.reader, [Watched(pk, float(which % 9), which % 2 == 0) for pk in found])

    def learn(self, which: int) -> None:
        """A model comes, for which other clips belong together than for the one before."""
        ids = list(Video.objects.order_by("pk").values_list("pk", flat=True))
        near = {pk: {other: 1 / (1 + (other * (which + 1)) % 7) for other in ids if other != pk}
                for pk in ids}  # fmt: skip
        put_in_service(near)

    def _seen_by_reader(self, which: int) -> list[int]:
        found = sorted(self.visible("for-you"))
        return found[which % len(found) :][: 1 + which % 3] if found else []

    def _private(self, author: User, which: int) -> None:
        author.is_private = which % 3 == 0
        author.save(update_fields=["is_private"])


def publish(author: User, visibility: str = Visibility.PUBLIC) -> int:
    """Publish a video with one rendition, in the caller's transaction."""
    public = visibility == Visibility.PUBLIC and not author.is_private
    word = WORDS[author.pk % len(WORDS)]
    video = Video(
        author=author, caption=word, visibility=visibility, status=Status.READY, duration=8
    )
    stamp = SlotEpoch.objects.stamp(take_slot=public)
    video.published_at, video.slot = stamp.published_at, stamp.slot
    video.save(force_insert=True)
    Rendition.objects.create(
        video=video, rung=360, width=360, height=640, bitrate=1, size_bytes=1,
        name=f"{video.folder}/1/360.mp4",
    )  # fmt: skip
    return video.pk


# Counts of a card that is kept: where Redis is slow for once, the same page has newer ones.
LAGGING = ("likes_count", "saves_count", "comments_count", "shares_count", "views_count")


def told_by(page: Page) -> tuple[str, int, bool, list[dict[str, Any]]]:
    """What two pages have in common that are the same: all but what may lag."""
    cards = [
        {name: value for name, value in card.items() if name not in LAGGING}
        for card in page.results
    ]
    return page.seed, page.next_skip, page.end, cards
