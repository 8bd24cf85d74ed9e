"""How notifications are put into words, for the API and for the pages."""

import re
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from feeds.inbox import Group
from feeds.models import Kind, Notification
from videos.models import Video
from videos.representation import iso, poster_url, represent_author

PHRASES = {
    Kind.LIKE: gettext_lazy("liked your clip"),
    Kind.COMMENT: gettext_lazy("commented on your clip"),
    Kind.REPLY: gettext_lazy("replied to your comment"),
    Kind.MENTION: gettext_lazy("mentioned you"),
    Kind.COMMENT_LIKE: gettext_lazy("liked your comment"),
    Kind.FOLLOW: gettext_lazy("started following you"),
    Kind.FOLLOW_REQUEST: gettext_lazy("asked to follow you"),
    Kind.FOLLOW_ACCEPTED: gettext_lazy("accepted your request to follow"),
    Kind.NEW_VIDEO: gettext_lazy("posted a new clip"),
    Kind.VIDEO_READY: gettext_lazy("Your clip is ready"),
    Kind.VIDEO_FAILED: gettext_lazy("Your clip could not be made ready"),
}
PEOPLE_SHOWN = 3
# The keys that `feeds.news` gives to messages about a decision of the moderators.
DECISION = re.compile(r"(?:decision|answer)-(\d+)", re.ASCII)


def lead_of(group: Group) -> str:
    """Name who did it: `anna`, `anna and leo`, `anna and 12 others`; empty where nobody did."""
    names = [person.handle for person in group.people]
    others = group.people_count - 1
    if not names:
        return ""
    if others == 1 and len(names) > 1:
        return _("%(one)s and %(other)s") % {"one": names[0], "other": names[1]}
    if others > 0:
        words = ngettext("%(name)s and %(others)d other", "%(name)s and %(others)d others", others)
        return words % {"name": names[0], "others": others}
    return names[0]


def phrase_of(row: Notification) -> str:
    """Say what happened, after the names of who did it."""
    phrase = str(PHRASES.get(Kind(row.kind), ""))
    return ": ".join(filter(None, [phrase, row.text]))


def represent_group(group: Group) -> dict[str, Any]:
    """Return a group as the API shows it."""
    latest = group.rows[0]
    return {
        "id": group.topic,
        "kind": str(group.kind),
        "summary": f"{lead_of(group)} {phrase_of(latest)}".strip(),
        "people": [represent_author(person) for person in group.people[:PEOPLE_SHOWN]],
        "people_count": group.people_count,
        "count": group.count,
        "unread": group.unread,
        "latest_at": iso(group.latest_at),
        **_object_of(latest),
        "url": _target(latest, alone=group.people_count <= 1),
    }


def represent_row(row: Notification) -> dict[str, Any]:
    """Return one notification as the API shows it."""
    return {
        "id": row.pk,
        "kind": str(row.kind),
        "person": represent_author(row.actor) if row.actor else None,
        "text": row.text,
        "read": row.read_at is not None,
        "created_at": iso(row.created_at),
        **_object_of(row),
        "url": _target(row, alone=True),
    }


def _object_of(row: Notification) -> dict[str, Any]:
    comment = {"id": row.comment.pk, "text": row.comment.text} if row.comment else None
    return {"video": _video(row.video) if row.video else None, "comment": comment}


def _video(video: Video) -> dict[str, Any]:
    return {
        "id": video.pk,
        "caption": video.caption,
        "poster": poster_url(video),
        "url": video.get_absolute_url(),
    }


def _target(row: Notification, *, alone: bool) -> str | None:
    """Where one goes to see it: the path of a page."""
    decided = DECISION.fullmatch(row.key)
    if decided:
        return reverse("decision", args=[decided[1]])
    if row.kind == Kind.FOLLOW_REQUEST:
        return reverse("follow-requests")
    if row.kind == Kind.VIDEO_FAILED and row.video:
        return reverse("upload-status", args=[row.video.author.handle, row.video.pk])
    if row.video and row.comment:
        return reverse("video-comments", args=[row.video.author.handle, row.video.pk])
    if row.video:
        return row.video.get_absolute_url()
    if row.kind == Kind.FOLLOW and not alone:
        return None
    return row.actor.get_absolute_url() if row.actor else None
