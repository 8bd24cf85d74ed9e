"""Telling people: once for each thing that happened, taken back with it, and marked as read.

A row is written in the transaction of the act, so that the two are there or not together. What
the recipient does not want or may not see is left to `Notification.objects.shown_to`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Mute, User
from feeds import versions
from feeds.models import Kind, Notification, NotificationSwitch
from tiktok_clone.common.errors import invalid

UNIQUE = ("recipient", "kind", "actor", "video", "comment", "key")
KEPT = timedelta(days=180)
CHUNK = 5000
# More people than these are not named one by one when all that they are told of changes.
NAMED_MAX = 1000
# Nor are they looked for among more rows than these.
LOOKED_AT_MAX = 20_000
# Whose switch is not theirs to turn.
ALWAYS = frozenset({Kind.MODERATION})
_DAWN = date(1970, 1, 1)


def tell(
    *recipients: int,
    kind: str,
    actor: int | None = None,
    video: int | None = None,
    comment: int | None = None,
    about: int = 0,
    key: str = "",
    text: str = "",
    anew: bool = False,
) -> None:
    """Tell people of something; again changes nothing, and after a `retract` brings it back.

    Who does not want to hear of it now finds it read, should they want to later.

    Args:
        recipients: ids of people; the actor among them is left out.
        kind: of `Kind`.
        actor: who did it, or None.
        video, comment: what it is about, both or either or none; what is gone goes with them.
        about: id of what notifications of this kind are grouped by on a day; 0 for all of them.
        key: tells messages apart that have nothing of the above, as `warning-7`.
        text: shown as it is: the reason, or the message; up to 500 characters.
        anew: it happened once more: the row counts as new and unread.
    """
    now = timezone.now()
    deaf = _deaf(recipients, kind, actor)
    rows = [
        Notification(
            recipient_id=recipient,
            kind=kind,
            actor_id=actor,
            video_id=video,
            comment_id=comment,
            key=key,
            text=text[:500],
            topic=topic_of(kind, key or about, now),
            created_at=now,
            read_at=now if recipient in deaf else None,
        )
        for recipient in sorted({*recipients} - {actor})
    ]
    changed = ["retracted_at", *(["read_at", "created_at", "topic", "text"] if anew else [])]
    Notification.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=UNIQUE, update_fields=changed
    )
    versions.change(*(row.recipient_id for row in rows))


def _deaf(recipients: Iterable[int], kind: str, actor: int | None) -> set[int]:
    """Those of some people who mute somebody, or have switched a kind off."""
    muting = Mute.objects.filter(muter__in=recipients, muted=actor).values_list("muter")
    switched = NotificationSwitch.objects.filter(user__in=recipients, kind=kind)
    return {person for (person,) in muting.union(switched.values_list("user"))}


def retract(rows: "QuerySet[Notification]") -> None:
    """Take back what people were told of; whether they had read it is kept."""
    standing = rows.filter(retracted_at=None)
    locked = standing.select_for_update(no_key=True).order_by("pk")
    held = list(locked.values_list("pk", "recipient"))
    Notification.objects.filter(pk__in=[pk for pk, _ in held]).update(retracted_at=timezone.now())
    versions.change(*{recipient for _, recipient in held})


def retract_one(kind: str, **named: int | None) -> None:
    """Take back what is told of with these columns, as `actor=…, recipient=…`."""
    retract(Notification.objects.filter(kind=kind, **named))


def changed_about(*some: "QuerySet[Notification]") -> None:
    """Tell that rows are shown from now on or not any more, though they have not changed.

    To be called in the transaction, and before rows go.

    Args:
        some: each by what an index has; a condition with OR over two of them has none.
    """
    first, *others = (rows.order_by().values_list("recipient", flat=True) for rows in some)
    found = list(first.union(*others, all=True)[: LOOKED_AT_MAX + 1])
    recipients = set(found)
    if len(found) > LOOKED_AT_MAX or len(recipients) > NAMED_MAX:
        versions.change_all()
    else:
        versions.change(*recipients)


@transaction.atomic
def mark_read(
    user: User,
    *,
    ids: Iterable[int] = (),
    topics: Iterable[str] = (),
    everything: bool = False,
) -> None:
    """Mark notifications, groups, or all as read; what is not the user's own is left alone."""
    rows = Notification.objects.filter(recipient=user.pk).unread()
    if not everything:
        rows = rows.filter(Q(pk__in=list(ids)) | Q(topic__in=list(topics)))
    if rows.update(read_at=timezone.now()):
        versions.change(user.pk)


def mark_read_of(recipient: int, **named: int | str) -> None:
    """Mark what somebody knows of already, by columns of the row."""
    rows = Notification.objects.filter(recipient=recipient, **named).unread()
    if rows.update(read_at=timezone.now()):
        versions.change(recipient)


def switches(user: User) -> dict[str, bool]:
    """Return for each kind that has a switch whether the user is told of it."""
    off = set(NotificationSwitch.objects.filter(user=user.pk).values_list("kind", flat=True))
    return {str(kind): kind not in off for kind in Kind if kind not in ALWAYS}


@transaction.atomic
def set_switches(user: User, wanted: Mapping[str, bool]) -> None:
    """Switch kinds on or off; those that are not named stay.

    Raises:
        DomainError: `invalid` for what has no switch.
    """
    known = switches(user)
    for kind in wanted:
        if kind not in known:
            raise invalid(kind, "unknown_kind", f"Use some of: {', '.join(known)}.")
    on = [kind for kind, is_on in wanted.items() if is_on]
    off = [NotificationSwitch(user=user, kind=kind) for kind in wanted if kind not in on]
    NotificationSwitch.objects.filter(user=user.pk, kind__in=on).delete()
    NotificationSwitch.objects.bulk_create(off, ignore_conflicts=True)
    versions.change(user.pk)


def prune() -> bool:
    """Delete some of what people were told of half a year ago. Returns whether more may be left."""
    return delete_some(Notification.objects.filter(created_at__lt=timezone.now() - KEPT))


@transaction.atomic
def delete_some(rows: "QuerySet[Notification]") -> bool:
    """Delete up to CHUNK notifications for good. Returns whether more may be left."""
    chunk = list(rows.order_by().values_list("pk", "recipient")[:CHUNK])
    Notification.objects.filter(pk__in=[pk for pk, _ in chunk]).delete()
    versions.change(*{recipient for _, recipient in chunk})
    return len(chunk) == CHUNK


def topic_of(kind: str, about: int | str, when: datetime) -> str:
    """Return the name of the group of what is told of the same thing on the same day (UTC)."""
    return f"{kind}-{about}-{(when.astimezone(UTC).date() - _DAWN).days}"


def day_of(topic: str) -> tuple[datetime, datetime] | None:
    """Return the begin and the end of the day of a group; None for what is not a topic."""
    day = topic.rpartition("-")[2]
    if not (day.isascii() and day.isdigit() and len(day) <= 6):
        return None
    begin = datetime.combine(_DAWN + timedelta(days=int(day)), time.min, UTC)
    return begin, begin + timedelta(days=1)
