"""What people are told, against an oracle in words of its own, after any acts in any order.

The oracle is a list of what was done and is not undone, in memory; what is shown follows from it
and from who blocks, mutes, is suspended and switched what off at the moment of reading.
"""

from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts import services as people
from accounts.models import Decision, DecisionKind, User
from feeds import bells, inbox, notifications
from feeds.models import Notification
from tests.factories import UserFactory, VideoFactory
from tiktok_clone.common import signing
from tiktok_clone.common.errors import DomainError
from videos.models import SlotEpoch
from videos.services import comments, engagement, moderation, publishing

pytestmark = pytest.mark.django_db
PEOPLE, EXAMPLES, STEPS = 3, 12, 30
KINDS = ("like", "comment", "reply", "mention", "comment_like", "follow", "new_video")
who = st.integers(0, PEOPLE - 1)
which = st.integers(0, 9)
Fact = tuple[Any, ...]  # kind, actor, video, comment or key


class Inboxes(RuleBasedStateMachine):
    """A few people, one clip each, and all that they do to each other."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.people: list[User] = [UserFactory(handle=f"p{n}") for n in range(PEOPLE)]
        self.staff = UserFactory(is_superuser=True)
        self.clips = {VideoFactory(author=one).pk: n for n, one in enumerate(self.people)}
        # The oracle.
        self.told: dict[tuple[int, Fact], bool] = {}  # (recipient, fact): whether it was read
        self.undone: dict[tuple[int, Fact], bool] = {}
        self.comments: dict[int, tuple[int, int, int | None]] = {}  # author, clip, root
        self.likes: set[tuple[int, int]] = set()
        self.follows: set[tuple[int, int]] = set()
        self.bells: set[tuple[int, int]] = set()
        self.blocks: set[tuple[int, int]] = set()
        self.mutes: set[tuple[int, int]] = set()
        self.off: set[tuple[int, str]] = set()
        self.hidden: set[int] = set()
        self.suspended: set[int] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # The oracle's words.

    def tell(self, recipient: int, *fact: Any) -> None:
        if recipient != fact[1]:
            was_read = self.undone.pop((recipient, fact), False)
            self.told.setdefault((recipient, fact), was_read)

    def take_back(self, recipient: int, *fact: Any) -> None:
        if (recipient, fact) in self.told:
            self.undone[recipient, fact] = self.told.pop((recipient, fact))

    def decided(self, person: int, kind: str, target: int, back: bool) -> None:
        """Nothing that is done afterwards takes a message of the moderators away."""
        decision = Decision.objects.filter(kind=kind, target_id=target).latest("pk")
        key = f"{'answer' if back else 'decision'}-{decision.pk}"
        self.tell(person, "moderation", None, None, key)

    def apart(self, one: int, other: int) -> bool:
        return bool({(one, other), (other, one)} & self.blocks)

    def sees(self, person: int, clip: int) -> bool:
        author = self.clips[clip]
        gone = author in self.suspended or clip in self.hidden or self.apart(person, author)
        return person == author or not gone

    def shown(self, person: int) -> dict[Fact, bool]:
        """What somebody is shown, and whether they have read it."""
        return {
            fact: read
            for (recipient, fact), read in self.told.items()
            if recipient == person
            and (person, fact[0]) not in self.off
            and (person, fact[1]) not in self.mutes
            and not self.apart(person, fact[1])
            and fact[1] not in self.suspended
            and (fact[2] is None or self.sees(person, fact[2]))
        }

    def may_act(self, person: int, clip: int | None = None) -> bool:
        return person not in self.suspended and (clip is None or self.sees(person, clip))

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
        if not self.may_act(who, clip) or clip in self.hidden:
            return
        act = engagement.unlike_video if undo else engagement.like_video
        act(self.people[who], clip)
        (self.take_back if undo else self.tell)(self.clips[clip], "like", who, clip, None)

    @rule(who=who, which=which, root=which, names=st.sets(who, max_size=2), reply=st.booleans())
    def comment(self, who: int, which: int, root: int, names: set[int], reply: bool) -> None:
        clip, answered = self.some_clip(which), self.some_comment(root) if reply else None
        if answered is not None:
            author, clip, above = self.comments[answered]
            hidden = [author, self.comments[above][0] if above else author]
            if above is not None or any(self.apart(who, h) or h in self.suspended for h in hidden):
                return
        if not self.may_act(who, clip) or clip in self.hidden:
            return
        text = "hello " + " ".join(f"@p{name}" for name in sorted(names))
        made = comments.add_comment(self.people[who], clip, text, answered)
        self.comments[made.pk] = (who, clip, answered)
        left = set(names) - self.suspended - {who}
        owner = self.clips[clip]
        if answered is not None and self.comments[answered][0] != who:
            self.tell(self.comments[answered][0], "reply", who, clip, made.pk)
            left.discard(self.comments[answered][0])
            if owner != self.comments[answered][0]:
                self.tell(owner, "comment", who, clip, made.pk)
        else:
            self.tell(owner, "comment", who, clip, made.pk)
        for name in left - {owner}:
            self.tell(name, "mention", who, clip, made.pk)

    @rule(which=which)
    def delete_comment(self, which: int) -> None:
        pk = self.some_comment(which)
        if pk is None:
            return
        comments.delete_comment(self.people[self.comments[pk][0]], pk)
        gone = {pk} | {one for one, (_, _, root) in self.comments.items() if root == pk}
        for ledger in (self.told, self.undone):
            for recipient, fact in list(ledger):
                if fact[3] in gone:
                    del ledger[recipient, fact]
        self.comments = {one: facts for one, facts in self.comments.items() if one not in gone}

    @rule(who=who, which=which, undo=st.booleans())
    def like_comment(self, who: int, which: int, undo: bool) -> None:
        pk = self.some_comment(which)
        if pk is None:
            return
        author, clip, _ = self.comments[pk]
        if not self.may_act(who, clip) or self.apart(who, author) or author in self.suspended:
            return
        (comments.unlike_comment if undo else comments.like_comment)(self.people[who], pk)
        (self.take_back if undo else self.tell)(author, "comment_like", who, clip, pk)

    @rule(who=who, other=who)
    def follow(self, who: int, other: int) -> None:
        if who == other or self.apart(who, other) or {who, other} & self.suspended:
            return
        people.follow(self.fresh(who), self.fresh(other))
        self.follows.add((who, other))
        self.tell(other, "follow", who, None, None)

    @rule(who=who, other=who)
    def unfollow(self, who: int, other: int) -> None:
        if who != other:
            people.unfollow(self.fresh(who), self.fresh(other))
            self.parted(who, other)

    def parted(self, who: int, other: int) -> None:
        if (who, other) in self.follows:
            self.follows.discard((who, other))
            self.bells.discard((who, other))
            self.take_back(other, "follow", who, None, None)

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
        self.clips[clip] = who
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

    @rule(who=who, kind=st.sampled_from(KINDS), on=st.booleans())
    def switch(self, who: int, kind: str, on: bool) -> None:
        notifications.set_switches(self.people[who], {kind: on})
        (self.off.discard if on else self.off.add)((who, kind))

    @rule(which=which, back=st.booleans())
    def hide(self, which: int, back: bool) -> None:
        clip = self.some_clip(which)
        if (moderation.show_video if back else moderation.hide_video)(clip):
            self.decided(self.clips[clip], DecisionKind.HIDDEN, clip, back)
        (self.hidden.discard if back else self.hidden.add)(clip)

    @rule(which=which)
    def delete_clip(self, which: int) -> None:
        clip = self.some_clip(which)
        if len(self.clips) == 1:
            return
        publishing.delete_video(self.people[self.clips.pop(clip)], clip)
        self.hidden.discard(clip)
        self.comments = {pk: facts for pk, facts in self.comments.items() if facts[1] != clip}
        for ledger in (self.told, self.undone):
            for recipient, fact in list(ledger):
                if fact[2] == clip:
                    del ledger[recipient, fact]

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

    # What they see.

    def fact(self, row: Notification) -> Fact:
        number = {one.pk: n for n, one in enumerate(self.people)}
        return (row.kind, number.get(row.actor_id), row.video_id, row.comment_id or row.key or None)

    @invariant()
    def everybody_is_shown_what_the_oracle_says(self) -> None:
        for n, person in enumerate(self.people):
            rows = Notification.objects.shown_to(person)
            found = {self.fact(row): row.read_at is not None for row in rows}
            assert found == self.shown(n)
            assert inbox.unread(person) == list(self.shown(n).values()).count(False)
            groups, more = inbox.groups(person, None, 50)
            assert more is None
            assert sum(group.count for group in groups) == len(found)
            assert sum(group.unread for group in groups) == inbox.unread(person)

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
