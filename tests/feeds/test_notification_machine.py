"""What people are told, against an oracle in words of its own, after any acts in any order.

The oracle is a list of what was done and is not undone, in memory; what is shown follows from it
and from who blocks, mutes, follows, is private, suspended and switched what off, and from the
state of clips and comments, at the moment of reading.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts import following
from accounts import services as people
from accounts.models import Decision, DecisionKind, FollowRequest, User
from accounts.services import muted_words
from feeds import bells, inbox, notifications
from feeds.models import Notification
from tests.factories import UserFactory, VideoFactory
from tiktok_clone.common import signing
from tiktok_clone.common.errors import DomainError
from videos import publication
from videos.models import SlotEpoch
from videos.services import comments, curating, engagement, moderation, publishing

pytestmark = pytest.mark.django_db
PEOPLE, EXAMPLES, STEPS = 3, 5, 30
KINDS = (
    "like", "comment", "reply", "mention", "comment_like", "follow", "follow_request",
    "follow_accepted", "new_video", "video_ready", "video_failed",
)  # fmt: skip
who = st.integers(0, PEOPLE - 1)
which = st.integers(0, 9)
Fact = tuple[Any, ...]  # kind, actor, video, comment or key


@dataclass
class Clip:
    """What the oracle knows of a clip."""

    author: int
    names: frozenset[int] = frozenset()  # whom its caption mentions
    rainy: bool = False  # its caption has the word that people mute
    visibility: str = "public"
    hidden: bool = False
    lost: bool = False
    holds: bool = False  # comments wait for approval

    @property
    def is_out(self) -> bool:
        """Whether anybody else may find it."""
        return not (self.hidden or self.lost or self.visibility == "private")


@dataclass
class Said:
    """What the oracle knows of a comment."""

    author: int
    clip: int
    root: int | None
    names: frozenset[int]
    rainy: bool
    state: str = "shown"


class Inboxes(RuleBasedStateMachine):
    """A few people, one clip each, and all that they do to each other."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.people: list[User] = [UserFactory(handle=f"p{n}") for n in range(PEOPLE)]
        self.staff = UserFactory(is_superuser=True)
        self.clips = {VideoFactory(author=one).pk: Clip(n) for n, one in enumerate(self.people)}
        # The oracle.
        self.told: dict[tuple[int, Fact], bool] = {}  # (recipient, fact): whether it was read
        self.undone: dict[tuple[int, Fact], bool] = {}
        self.comments: dict[int, Said] = {}
        self.follows: set[tuple[int, int]] = set()
        self.asks: set[tuple[int, int]] = set()
        self.bells: set[tuple[int, int]] = set()
        self.blocks: set[tuple[int, int]] = set()
        self.mutes: set[tuple[int, int]] = set()
        self.off: set[tuple[int, str]] = set()
        self.dry: set[int] = set()  # who mutes the word
        self.private: set[int] = set()
        self.suspended: set[int] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # The oracle's words.

    def tell(self, recipient: int, *fact: Any, anew: bool = False) -> None:
        kind, actor, *_ = fact
        if recipient == actor:
            return
        deaf = (recipient, kind) in self.off or (recipient, actor) in self.mutes
        was_read = self.undone.pop((recipient, fact), deaf)
        if anew:
            self.told[recipient, fact] = deaf
        else:
            self.told.setdefault((recipient, fact), was_read)

    def take_back(self, recipient: int, *fact: Any) -> None:
        if (recipient, fact) in self.told:
            self.undone[recipient, fact] = self.told.pop((recipient, fact))

    def decided(self, person: int, kind: str, target: int, back: bool) -> None:
        """Nothing that is done afterwards takes a message of the moderators away."""
        decision = Decision.objects.filter(kind=kind, target_id=target).latest("pk")
        key = f"{'answer' if back else 'decision'}-{decision.pk}"
        self.tell(person, "moderation", None, None, key)

    def forget(self, place: int, gone: set[int]) -> None:
        """What names a clip (2) or a comment (3) that is gone goes with it."""
        for ledger in (self.told, self.undone):
            for recipient, fact in list(ledger):
                if fact[place] in gone:
                    del ledger[recipient, fact]

    def apart(self, one: int, other: int) -> bool:
        return bool({(one, other), (other, one)} & self.blocks)

    def sees(self, person: int, number: int) -> bool:
        clip = self.clips[number]
        if person == clip.author:
            return True
        if not clip.is_out or clip.author in self.suspended or self.apart(person, clip.author):
            return False
        follows = (person, clip.author) in self.follows
        if clip.visibility == "friends":
            return follows and (clip.author, person) in self.follows
        return follows or clip.author not in self.private

    def reads(self, person: int, number: int) -> bool:
        """Whether somebody may see a comment, wherever it stands."""
        said = self.comments[number]
        if said.author in self.suspended or self.apart(person, said.author):
            return False
        if person == self.clips[said.clip].author:
            return True
        root = self.comments[said.root] if said.root else None
        return (said.state == "shown" or person == said.author) and (
            root is None or root.state == "shown" or person == root.author
        )

    def avoids(self, person: int, thing: Clip | Said) -> bool:
        return thing.rainy and person in self.dry and person != thing.author

    def shown(self, person: int) -> dict[Fact, bool]:
        """What somebody is shown, and whether they have read it."""
        return {
            fact: read
            for (recipient, fact), read in self.told.items()
            if recipient == person and self.is_shown(person, *fact)
        }

    def is_shown(
        self, person: int, kind: str, actor: int | None, clip: int | None, comment: int | None
    ) -> bool:
        if (person, kind) in self.off:
            return False
        if kind == "moderation":
            return True
        if actor is not None and (
            (person, actor) in self.mutes or self.apart(person, actor) or actor in self.suspended
        ):
            return False
        if clip and (not self.sees(person, clip) or self.avoids(person, self.clips[clip])):
            return False
        return not comment or (
            self.reads(person, comment) and not self.avoids(person, self.comments[comment])
        )

    def may_act(self, person: int, clip: int) -> bool:
        """Whether somebody may like and comment."""
        facts = self.clips[clip]
        is_there = not facts.hidden and not facts.lost
        return person not in self.suspended and is_there and self.sees(person, clip)

    def some_clip(self, number: int) -> int:
        return sorted(self.clips)[number % len(self.clips)]

    def some_comment(self, number: int) -> int | None:
        ids = sorted(self.comments)
        return ids[number % len(ids)] if ids else None

    def call(self, service: Any, *args: Any, **named: Any) -> Any:
        """Call a service; what a rule refuses has changed nothing."""
        with suppress(DomainError), transaction.atomic():
            return service(*args, **named)

    def fresh(self, person: int) -> User:
        return User.objects.get(pk=self.people[person].pk)

    # What people do.

    @rule(who=who, which=which, undo=st.booleans())
    def like(self, who: int, which: int, undo: bool) -> None:
        clip = self.some_clip(which)
        if self.may_act(who, clip):
            (engagement.unlike_video if undo else engagement.like_video)(self.people[who], clip)
            act = self.take_back if undo else self.tell
            act(self.clips[clip].author, "like", who, clip, None)

    @rule(
        who=who, which=which, root=which, names=st.sets(who, max_size=2), reply=st.booleans(),
        rainy=st.booleans(),
    )  # fmt: skip
    def comment(
        self, who: int, which: int, root: int, names: set[int], reply: bool, rainy: bool
    ) -> None:
        clip, answered = self.some_clip(which), self.some_comment(root) if reply else None
        if answered is not None:
            above = self.comments[answered]
            clip = above.clip
            if above.root or above.state != "shown" or not self.reads(who, answered):
                return
        if not self.may_act(who, clip):
            return
        made = comments.add_comment(self.people[who], clip, self.text(names, rainy), answered)
        said = Said(who, clip, answered, frozenset(names), rainy)
        self.comments[made.pk] = said
        if self.clips[clip].holds and who != self.clips[clip].author:
            said.state = "held"
            owner = self.clips[clip].author
            self.tell(owner, self.reasons(said)[owner], who, clip, made.pk)
        else:
            self.said(made.pk)

    def text(self, names: set[int], rainy: bool) -> str:
        return " ".join(["hello", *(f"@p{name}" for name in sorted(names)), *["rain"] * rainy])

    def reasons(self, said: Said) -> dict[int, str]:
        """Whom a comment is for; an answer first."""
        found = {self.clips[said.clip].author: "comment"}
        if said.root:
            found[self.comments[said.root].author] = "reply"
        return found

    def said(self, pk: int) -> None:
        said = self.comments[pk]
        reasons = dict.fromkeys(said.names - self.suspended, "mention") | self.reasons(said)
        for person, kind in reasons.items():
            self.tell(person, kind, said.author, said.clip, pk)

    @rule(which=which, hide=st.booleans())
    def curate(self, which: int, hide: bool) -> None:
        """The author of the clip approves, hides or shows a comment."""
        pk = self.some_comment(which)
        said = self.comments[pk] if pk else None
        if pk is None or said is None or (hide and said.state == "held"):
            return
        author = self.people[self.clips[said.clip].author]
        (curating.hide_comment if hide else curating.show_comment)(author, pk)
        was_held, said.state = said.state == "held", "hidden" if hide else "shown"
        if was_held:
            self.said(pk)

    @rule(which=which, on=st.booleans())
    def hold(self, which: int, on: bool) -> None:
        self.edit(self.some_clip(which), comments_held="everybody" if on else "nobody", holds=on)

    @rule(which=which, names=st.sets(who, max_size=2), rainy=st.booleans())
    def caption(self, which: int, names: set[int], rainy: bool) -> None:
        text = self.text(names, rainy)
        self.edit(self.some_clip(which), caption=text, names=frozenset(names), rainy=rainy)

    @rule(which=which, visibility=st.sampled_from(["public", "friends", "private"]))
    def show_to(self, which: int, visibility: str) -> None:
        self.edit(self.some_clip(which), visibility=visibility)

    def edit(self, number: int, **changes: Any) -> None:
        clip = self.clips[number]
        for name in {"holds", "names", "rainy", "visibility"} & set(changes):
            setattr(clip, name, changes[name])
        passed = {k: v for k, v in changes.items() if k not in ("holds", "names", "rainy")}
        publishing.edit_video(self.people[clip.author], number, **passed)
        self.settle_caption(number)

    def settle_caption(self, number: int) -> None:
        clip = self.clips[number]
        for person in range(PEOPLE) if clip.is_out else ():
            # Whom a caption names who is suspended at this moment is not told.
            is_named = person in clip.names - self.suspended
            act = self.tell if is_named else self.take_back
            act(person, "mention", clip.author, number, None)

    @rule(which=which)
    def delete_comment(self, which: int) -> None:
        pk = self.some_comment(which)
        if pk is None:
            return
        comments.delete_comment(self.people[self.comments[pk].author], pk)
        gone = {pk} | {one for one, said in self.comments.items() if said.root == pk}
        self.forget(3, gone)
        self.comments = {one: said for one, said in self.comments.items() if one not in gone}

    @rule(who=who, which=which, undo=st.booleans())
    def like_comment(self, who: int, which: int, undo: bool) -> None:
        pk = self.some_comment(which)
        if pk is None:
            return
        said = self.comments[pk]
        if who in self.suspended or not self.sees(who, said.clip) or not self.reads(who, pk):
            return
        (comments.unlike_comment if undo else comments.like_comment)(self.people[who], pk)
        act = self.take_back if undo else self.tell
        act(said.author, "comment_like", who, said.clip, pk)

    @rule(who=who, other=who)
    def follow(self, who: int, other: int) -> None:
        if who == other or self.apart(who, other) or {who, other} & self.suspended:
            return
        people.follow(self.fresh(who), self.fresh(other))
        if (who, other) in self.follows:
            return
        if other in self.private:
            self.asks.add((who, other))
            self.tell(other, "follow_request", who, None, None)
        else:
            self.withdraw(who, other)
            self.begin(who, other)

    def begin(self, who: int, other: int) -> None:
        self.follows.add((who, other))
        self.tell(other, "follow", who, None, None)

    def withdraw(self, who: int, other: int) -> None:
        self.asks.discard((who, other))
        self.take_back(other, "follow_request", who, None, None)

    @rule(which=which, accept=st.booleans())
    def answer(self, which: int, accept: bool) -> None:
        if not self.asks:
            return
        who, other = sorted(self.asks)[which % len(self.asks)]
        request = FollowRequest.objects.get(
            requester=self.people[who].pk, target=self.people[other].pk
        )
        act = people.accept_request if accept else people.decline_request
        # Whom one of the two is suspended for is told that it is gone; the request stays.
        if accept and {who, other} & self.suspended:
            return
        act(self.fresh(other), request.pk)
        self.withdraw(who, other)
        if accept:
            self.accepted(who, other)
            if (other, ("follow", who, None, None)) in self.told:
                self.told[other, ("follow", who, None, None)] = True

    def accepted(self, who: int, other: int) -> None:
        self.begin(who, other)
        self.tell(who, "follow_accepted", other, None, None)

    @rule(who=who, on=st.booleans())
    def privacy(self, who: int, on: bool) -> None:
        """An account that becomes public takes in who waits, by a job."""
        people.update_profile(self.fresh(who), {"is_private": on})
        (self.private.add if on else self.private.discard)(who)
        if on:
            return
        following.accept_waiting(self.people[who].pk, PEOPLE)
        for asker, other in sorted(self.asks):
            if other == who:
                self.withdraw(asker, who)
                if not {asker, who} & self.suspended:
                    self.accepted(asker, who)

    @rule(who=who, other=who)
    def unfollow(self, who: int, other: int) -> None:
        if who != other:
            people.unfollow(self.fresh(who), self.fresh(other))
            self.parted(who, other)

    def parted(self, who: int, other: int) -> None:
        self.withdraw(who, other)
        if (who, other) in self.follows:
            self.follows.discard((who, other))
            self.bells.discard((who, other))
            self.take_back(other, "follow", who, None, None)
            self.take_back(who, "follow_accepted", other, None, None)

    @rule(who=who, other=who, undo=st.booleans())
    def bell(self, who: int, other: int, undo: bool) -> None:
        self.call(bells.switch_off if undo else bells.switch_on, self.fresh(who), self.fresh(other))
        if undo:
            self.bells.discard((who, other))
        elif (who, other) in self.follows:
            self.bells.add((who, other))

    @rule(who=who)
    def post(self, who: int) -> None:
        """A new clip; its job runs twice."""
        if who in self.suspended or len(self.clips) > 2 * PEOPLE:
            return
        clip = VideoFactory(author=self.people[who]).pk
        self.clips[clip] = Clip(who)
        for _ in range(2):
            assert bells.ring(clip, 0) is None
        for listener, creator in self.bells:
            if creator == who and listener not in self.suspended:
                self.tell(listener, "new_video", who, clip, None)

    @rule(who=who, other=who, undo=st.booleans())
    def block(self, who: int, other: int, undo: bool) -> None:
        if who == other:
            return
        (people.unblock if undo else people.block)(self.fresh(who), self.fresh(other))
        if undo:
            self.blocks.discard((who, other))
        elif (who, other) not in self.blocks:
            self.blocks.add((who, other))
            self.parted(who, other)
            self.parted(other, who)

    @rule(who=who, other=who, undo=st.booleans())
    def mute(self, who: int, other: int, undo: bool) -> None:
        if who == other:
            return
        (people.unmute if undo else people.mute)(self.fresh(who), self.fresh(other))
        (self.mutes.discard if undo else self.mutes.add)((who, other))

    @rule(who=who, undo=st.booleans())
    def mute_word(self, who: int, undo: bool) -> None:
        act = muted_words.unmute_word if undo else muted_words.mute_word
        act(self.people[who], "rain")
        (self.dry.discard if undo else self.dry.add)(who)

    @rule(who=who, kind=st.sampled_from(KINDS), on=st.booleans())
    def switch(self, who: int, kind: str, on: bool) -> None:
        notifications.set_switches(self.people[who], {kind: on})
        (self.off.discard if on else self.off.add)((who, kind))

    @rule(which=which, back=st.booleans())
    def hide(self, which: int, back: bool) -> None:
        clip = self.some_clip(which)
        changed = (moderation.show_video if back else moderation.hide_video)(clip)
        self.clips[clip].hidden = not back
        if changed:
            self.decided(self.clips[clip].author, DecisionKind.HIDDEN, clip, back)
        if changed and back:
            self.settle_caption(clip)

    @rule(which=which, back=st.booleans())
    def lose(self, which: int, back: bool) -> None:
        """The files of a clip are missing, or are back."""
        clip = self.some_clip(which)
        row = publication.lock(clip)
        assert row is not None
        if not (publication.regain if back else publication.lose)(row):
            return
        facts = self.clips[clip]
        facts.lost = not back
        now, before = ("ready", "failed") if back else ("failed", "ready")
        self.tell(facts.author, f"video_{now}", None, clip, None, anew=not back)
        self.take_back(facts.author, f"video_{before}", None, clip, None)
        if back:
            self.settle_caption(clip)

    @rule(which=which)
    def delete_clip(self, which: int) -> None:
        clip = self.some_clip(which)
        if len(self.clips) == 1:
            return
        publishing.delete_video(self.people[self.clips.pop(clip).author], clip)
        self.comments = {pk: said for pk, said in self.comments.items() if said.clip != clip}
        self.forget(2, {clip})

    @rule(who=who, back=st.booleans())
    def suspend(self, who: int, back: bool) -> None:
        person = self.people[who].pk
        if (people.restore_person if back else people.suspend_person)(person, self.staff):
            self.decided(who, DecisionKind.SUSPENDED, person, back)
        (self.suspended.discard if back else self.suspended.add)(who)
        self.people[who].is_active = back

    @rule(who=who)
    def read_all(self, who: int) -> None:
        notifications.mark_read(self.people[who], everything=True)
        for recipient, fact in self.told:
            if recipient == who:
                self.told[recipient, fact] = True

    @rule(who=who, which=which)
    def read_group(self, who: int, which: int) -> None:
        groups, _ = inbox.groups(self.people[who], None, 50)
        if not groups:
            return
        group = groups[which % len(groups)]
        # What is hidden of the group at this moment is read with it.
        of_group = Notification.objects.filter(recipient=self.people[who], topic=group.topic)
        facts = [self.fact(row) for row in of_group]
        notifications.mark_read(self.people[who], topics=[group.topic])
        for fact in facts:
            if (who, fact) in self.told:
                self.told[who, fact] = True

    # What chance would seldom do in this order.

    @rule(who=who, which=which)
    def take_back_and_do_again(self, who: int, which: int) -> None:
        """While the other one marks everything as read."""
        self.like(who, which, undo=False)
        self.like(who, which, undo=True)
        self.read_all(self.clips[self.some_clip(which)].author)
        self.like(who, which, undo=False)

    @rule(which=which, names=st.sets(who, max_size=2))
    def caption_while_hidden(self, which: int, names: set[int]) -> None:
        self.hide(which, back=False)
        self.caption(which, names, rainy=False)
        self.hide(which, back=True)

    # What they see.

    @rule(who=who)
    def look_at_the_list(self, who: int) -> None:
        groups, more = inbox.groups(self.people[who], None, 50)
        assert more is None
        assert sum(group.count for group in groups) == len(self.shown(who))
        assert sum(group.unread for group in groups) == inbox.unread(self.people[who])

    def fact(self, row: Notification) -> Fact:
        number = {one.pk: n for n, one in enumerate(self.people)}
        what = row.key if row.kind == "moderation" else row.comment_id
        return (row.kind, number.get(row.actor_id), row.video_id, what)

    @invariant()
    def everybody_is_shown_what_the_oracle_says(self) -> None:
        for n, person in enumerate(self.people):
            rows = Notification.objects.shown_to(person)
            found = {self.fact(row): row.read_at is not None for row in rows}
            assert found == self.shown(n)
            assert inbox.unread(person) == list(self.shown(n).values()).count(False)

    @invariant()
    def nothing_is_told_twice(self) -> None:
        named = ("recipient", "kind", "actor", "video", "comment", "key")
        rows = Notification.objects.values_list(*named)
        assert len(set(rows)) == len(rows)


def test_notifications(settings: Any) -> None:
    wide = {scope: (10**6, seconds) for scope, (_, seconds) in settings.THROTTLE_RATES.items()}
    settings.THROTTLE_RATES = wide
    # Rows that are always there are made outside of what each example rolls back.
    signing.current_epoch()
    SlotEpoch.objects.current()
    hypothesis = hypothesis_settings(max_examples=EXAMPLES, stateful_step_count=STEPS)
    run_state_machine_as_test(Inboxes, settings=hypothesis)
