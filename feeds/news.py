"""What people are told of, and not any more: listens to the lower apps like `feeds.receivers`."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef
from django.dispatch import receiver

from accounts import signals as people
from accounts.models import Decision, User
from feeds import versions
from feeds.models import Bell, Kind, Notification
from feeds.notifications import changed_about, delete_some, mark_read_of, retract, retract_one, tell
from feeds.tasks import forget_told, ring_bells
from tiktok_clone.common import jobs
from videos import signals
from videos.models import Comment, Like, Video, Visibility
from videos.text import mentions

# So many people are told that one text mentions them; the others are not.
MENTIONS_MAX = 20


@receiver(signals.video_liked)
def tell_of_like(user: User, video: Video, **_: Any) -> None:
    """The author."""
    tell(video.author_id, kind=Kind.LIKE, actor=user.pk, video=video.pk, about=video.pk)


@receiver(signals.video_unliked)
def retract_like(user: User, video: Video, **_: Any) -> None:
    """Taken back."""
    retract_one(Kind.LIKE, recipient=video.author_id, actor=user.pk, video=video.pk)


@receiver(signals.acts_gone)
def retract_likes_that_went(pairs: Iterable[tuple[int, int]], **_: Any) -> None:
    """All that somebody did, or comments alone: what is not liked any more is looked up."""
    liked = Like.objects.filter(user=OuterRef("actor"), video=OuterRef("video"))
    videos: dict[int, set[int]] = {}
    for actor, video in pairs:
        videos.setdefault(actor, set()).add(video)
    for actor, touched in sorted(videos.items()):
        rows = Notification.objects.filter(kind=Kind.LIKE, actor=actor, video__in=touched)
        retract(rows.filter(~Exists(liked)))


@receiver(signals.comment_added)
def tell_of_comment(user: User, video: Video, comment: Comment, **_: Any) -> None:
    """Whom it is for, and who else is mentioned; each once."""
    say = partial(tell, actor=user.pk, video=video.pk, comment=comment.pk)
    addressed = addressees(video, comment)
    for person, (kind, about) in addressed.items():
        say(person, kind=kind, about=about)
    say(*(mentioned(comment.text) - addressed.keys()), kind=Kind.MENTION, about=video.pk)


@receiver(signals.comment_held)
def tell_of_held_comment(user: User, video: Video, comment: Comment, **_: Any) -> None:
    """Whose video it is, for them to decide, as they are told of it when they approve it."""
    kind, about = addressees(video, comment)[video.author_id]
    tell(
        video.author_id,
        kind=kind,
        actor=user.pk,
        video=video.pk,
        comment=comment.pk,
        about=about,
    )


@receiver([signals.comment_hidden, signals.comment_shown])
def note_hidden_comment(comment: Comment, **_: Any) -> None:
    """Who was told of a comment, or of one below it, may see it from now on, or not any more."""
    replies = Comment.objects.filter(parent=comment.pk)
    changed_about(
        Notification.objects.filter(comment=comment.pk),
        Notification.objects.filter(comment__in=replies),
    )


@receiver(signals.comments_deleting)
def forget_deleted_comments(ids: list[int], **_: Any) -> None:
    """What is told of comments goes with them."""
    _forget("comment", ids)


@receiver(signals.video_deleted)
def forget_deleted_video(video: Video, **_: Any) -> None:
    """What is told of a clip and the comments under it goes with it."""
    _forget("video", [video.pk])


@receiver(people.user_purging)
def forget_clips_of_purged(user: User, **_: Any) -> None:
    """The cascade that takes a person's clips does not take what others were told of them."""
    about = Notification.objects.filter(video__in=Video.objects.filter(author=user.pk))
    while delete_some(about):
        pass


@receiver(signals.comment_liked)
def tell_of_comment_like(user: User, comment: Comment, **_: Any) -> None:
    """Who wrote it."""
    tell(
        comment.author_id,
        kind=Kind.COMMENT_LIKE,
        actor=user.pk,
        video=comment.video_id,
        comment=comment.pk,
        about=comment.pk,
    )


@receiver(signals.comment_unliked)
def retract_comment_like(user: User, comment: Comment, **_: Any) -> None:
    """Taken back."""
    retract_one(Kind.COMMENT_LIKE, actor=user.pk, comment=comment.pk)


@receiver(signals.comment_likes_gone)
def retract_comment_likes(user_id: int, comment_ids: list[int], **_: Any) -> None:
    """They went with all that the person did."""
    rows = Notification.objects.filter(kind=Kind.COMMENT_LIKE, actor=user_id)
    retract(rows.filter(comment__in=comment_ids))


@receiver(people.user_followed)
def tell_of_follow(follower_id: int, followee_id: int, **_: Any) -> None:
    """Who is followed from now on; and the follower sees more."""
    tell(followee_id, kind=Kind.FOLLOW, actor=follower_id)
    versions.change(follower_id)


@receiver(people.user_unfollowed)
def retract_follow(follower_id: int, followee_id: int, **_: Any) -> None:
    """The bell ends with the follow."""
    retract_one(Kind.FOLLOW, recipient=followee_id, actor=follower_id)
    retract_one(Kind.FOLLOW_ACCEPTED, recipient=follower_id, actor=followee_id)
    Bell.objects.filter(listener=follower_id, creator=followee_id).delete()
    versions.change(follower_id)


@receiver(people.follow_requested)
def tell_of_request(requester_id: int, target_id: int, **_: Any) -> None:
    """Who is asked."""
    tell(target_id, kind=Kind.FOLLOW_REQUEST, actor=requester_id)


@receiver(people.follow_request_gone)
def retract_request(requester_id: int, target_id: int, **_: Any) -> None:
    """Answered, or taken back."""
    retract_one(Kind.FOLLOW_REQUEST, recipient=target_id, actor=requester_id)


@receiver(people.follow_request_accepted)
def tell_of_answer(requester_id: int, target_id: int, as_public: bool, **_: Any) -> None:
    """Who asked; whoever said yes knows of their new follower."""
    tell(requester_id, kind=Kind.FOLLOW_ACCEPTED, actor=target_id)
    if not as_public:
        mark_read_of(target_id, kind=Kind.FOLLOW, actor=requester_id)


@receiver(signals.video_ready)
def tell_of_ready(video: Video, **_: Any) -> None:
    """Its author, for whom it has not failed any more."""
    tell(video.author_id, kind=Kind.VIDEO_READY, video=video.pk, about=video.pk)
    retract_one(Kind.VIDEO_FAILED, recipient=video.author_id, video=video.pk)


@receiver(signals.video_failed)
def tell_of_failure(video: Video, **_: Any) -> None:
    """Its author, each time that it fails, with the reason."""
    tell(
        video.author_id,
        kind=Kind.VIDEO_FAILED,
        video=video.pk,
        about=video.pk,
        text=video.reason,
        anew=True,
    )
    retract_one(Kind.VIDEO_READY, recipient=video.author_id, video=video.pk)


@receiver(signals.video_published)
def tell_of_publication(video: Video, **_: Any) -> None:
    """Whose bell is switched on, by jobs; and whom the caption mentions."""
    jobs.enqueue(ring_bells, video_id=video.pk)


@receiver([signals.video_published, signals.video_edited, signals.video_shown])
def tell_whom_caption_mentions(video: Video, **_: Any) -> None:
    """Once it is out; whom the caption does not mention any more is not told of it.

    While it is hidden nobody is, so what its author changed then counts when it is shown again.
    """
    if not video.is_published or video.visibility == Visibility.PRIVATE:
        return
    named = mentioned(video.caption) - {video.author_id}
    told = Notification.objects.filter(kind=Kind.MENTION, video=video.pk, comment=None)
    retract(told.exclude(recipient__in=named))
    tell(*named, kind=Kind.MENTION, actor=video.author_id, video=video.pk, about=video.pk)


@receiver(
    [
        signals.video_published,
        signals.video_audience_changed,
        signals.video_hidden,
        signals.video_shown,
    ]
)
def note_audience(video: Video, **_: Any) -> None:
    """Who was told of a video may see it from now on, or not any more."""
    changed_about(Notification.objects.filter(video=video.pk))


@receiver(people.decision_made)
def tell_of_decision(decision: Decision, **_: Any) -> None:
    """Whom it concerns, and why; the video may be gone, so that it is not named as such."""
    tell(
        decision.person_id,
        kind=Kind.MODERATION,
        key=f"decision-{decision.pk}",
        text=f"{decision.headline}. {decision.why}",
    )


@receiver(people.decision_settled)
def tell_of_outcome(decision: Decision, **_: Any) -> None:
    """It was taken back, or their appeal has an answer."""
    appeal = decision.appeal_or_none
    tell(
        decision.person_id,
        kind=Kind.MODERATION,
        key=f"answer-{decision.pk}",
        text=" ".join(filter(None, [decision.outcome, appeal.answer if appeal else ""])),
        anew=True,
    )


@receiver(people.user_changed)
def note_person(user: User, changed: frozenset[str], **_: Any) -> None:
    """What a suspended account did and posted is not shown; of a private one to followers."""
    if changed & {"is_active", "is_private"}:
        note_deleted_person(user)


@receiver(people.user_deleting)
def note_deleted_person(user: User, **_: Any) -> None:
    """Hidden at once."""
    clips = Video.objects.filter(author=user.pk)
    changed_about(
        Notification.objects.filter(actor=user.pk), Notification.objects.filter(video__in=clips)
    )
    versions.change(user.pk)


@receiver([people.user_muted, people.user_unmuted])
def note_mute(muter_id: int, **_: Any) -> None:
    """Whom a reader wants to come across has changed."""
    versions.change(muter_id)


@receiver(people.muted_words_changed)
def note_muted_words(user_id: int, **_: Any) -> None:
    """What a reader wants to come across has changed."""
    versions.change(user_id)


@receiver([people.user_blocked, people.user_unblocked])
def note_block(blocker_id: int, blocked_id: int, **_: Any) -> None:
    """Blocks work both ways."""
    versions.change(blocker_id, blocked_id)


@receiver([people.user_befriended, people.user_unfriended])
def note_friends(one_id: int, other_id: int, **_: Any) -> None:
    """Friends see more of each other."""
    versions.change(one_id, other_id)


@receiver(people.sessions_ended)
def note_ended_sessions(user_ids: Iterable[int], **_: Any) -> None:
    """Whoever asks next is looked at again: their session may have ended."""
    versions.change(*user_ids)


def _forget(column: str, ids: list[int]) -> None:
    """Delete what is told of something that goes; of very much the rest by jobs, hidden by now."""
    about = Notification.objects.filter(**{f"{column}__in": ids})
    if delete_some(about):
        changed_about(about)
        jobs.enqueue(forget_told, column=column, ids=ids)


def addressees(video: Video, comment: Comment) -> dict[int, tuple[Kind, int]]:
    """Return whom a comment is for, with the kind and what it is grouped by: each person once.

    They are whose video it is and whose comment it answers, which comes first where both are one.
    """
    found = {video.author_id: (Kind.COMMENT, video.pk)}
    if comment.parent is not None:
        found[comment.parent.author_id] = (Kind.REPLY, comment.parent.pk)
    return found


def mentioned(text: str) -> set[int]:
    """Return the ids of the people whom a text mentions, the first ones of very many."""
    handles = mentions(text)[:MENTIONS_MAX]
    if not handles:
        return set()
    return set(User.objects.active().filter(handle__in=handles).values_list("pk", flat=True))
