"""What a person did to videos goes when the person goes, or all of it is removed: counted exactly.

Part of the machinery, since a job does it as well.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Count, F, Q

from accounts.models import User
from videos import signals
from videos.captions import recount_tags
from videos.models import Comment, CommentLike, CommentState, Like, Save, Share, Video, VideoHashtag

CHUNK = 500


@dataclass
class _Losses:
    """What others lose by it, kept until the end: their rows are locked after all the rest."""

    likes: Counter[int] = field(default_factory=Counter)
    acts: list[tuple[int, int]] = field(default_factory=list)

    def settle(self) -> None:
        """Authors first, then what each cares for: a follow takes the two in this order."""
        for author_id, total in sorted(self.likes.items()):
            User.objects.filter(pk=author_id).update(likes_count=F("likes_count") - total)
        signals.acts_gone.send(sender=Video, pairs=self.acts)


@transaction.atomic
def forget_person(user_id: int) -> None:
    """Delete a person's likes, saves, shares, comments, comment likes and tags, exactly counted.

    Locks in the order of all services: videos by id, comments, hashtags, people, affinities. The
    person's own videos, which go with the account, are locked before anybody's affinities are:
    whoever watches one of them holds it, and waits for an affinity.
    """
    own = Video.objects.filter(author=user_id).order_by("pk")
    list(own.select_for_update().values_list("pk"))
    losses = _Losses()
    while ids := _touched(user_id):
        _forget_on(user_id, ids, losses)
    while comment_ids := list(_liked_comments(user_id)):
        _forget_comment_likes(user_id, comment_ids)
    tags = VideoHashtag.objects.filter(video__author=user_id)
    tag_ids = set(tags.values_list("hashtag_id", flat=True))
    tags.delete()
    recount_tags(tag_ids)
    losses.settle()


@transaction.atomic
def forget_some(user_id: int, limit: int = 100) -> bool:
    """Do the same for the acts on some videos, or some comment likes, of a person who stays.

    Returns:
        Whether there was anything to forget.
    """
    ids = _touched(user_id)[:limit]
    if ids:
        losses = _Losses(acts=[(user_id, video_id) for video_id in ids])
        _forget_on(user_id, ids, losses)
        losses.settle()
        return True
    comment_ids = list(_liked_comments(user_id))[:limit]
    _forget_comment_likes(user_id, comment_ids)
    return bool(comment_ids)


def _touched(user_id: int) -> list[int]:
    """The lowest ids of videos that the person did something to."""
    rows = [
        model.objects.filter(**{person: user_id}).order_by().values_list("video_id", flat=True)
        for model, person in ((Like, "user"), (Save, "user"), (Share, "user"), (Comment, "author"))
    ]
    return list(rows[0].union(*rows[1:]).order_by("video_id")[:CHUNK])


def _forget_on(user_id: int, video_ids: list[int], losses: _Losses) -> None:
    """Delete what the person did to some videos."""
    videos = Video.objects.filter(pk__in=video_ids).order_by("pk")
    list(videos.select_for_update(no_key=True).values_list("pk", flat=True))
    losses.likes.update(_unlike(user_id, video_ids))
    for model, counter in ((Save, "saves_count"), (Share, "shares_count")):
        rows = model.objects.filter(user=user_id, video__in=video_ids)
        ids = list(rows.values_list("video_id", flat=True))
        rows.delete()
        Video.objects.filter(pk__in=ids).update(**{counter: F(counter) - 1})
    losses.acts += _remove_comments(user_id, video_ids)


def _unlike(user_id: int, video_ids: list[int]) -> dict[int, int]:
    """Delete likes; return how many each author loses."""
    rows = Like.objects.filter(user=user_id, video__in=video_ids)
    ids = list(rows.values_list("video_id", flat=True))
    authors = dict(rows.order_by().values_list("video__author").annotate(Count("pk")))
    rows.delete()
    Video.objects.filter(pk__in=ids).update(likes_count=F("likes_count") - 1)
    return authors


def _remove_comments(user_id: int, video_ids: list[int]) -> list[tuple[int, int]]:
    """Delete the person's comments with the replies under them, whosever they are.

    Returns:
        Who else lost a reply, and to which video.
    """
    own = Comment.objects.filter(author=user_id, video__in=video_ids)
    threads = Comment.objects.filter(Q(pk__in=own) | Q(parent__in=own)).order_by("pk")
    locked = threads.select_for_update(of=("self",))
    rows = list(locked)
    gone = {row.pk for row in rows}
    # The videos are locked, so no comment is shown or hidden while these are counted.
    counted = Comment.objects.counted().filter(pk__in=gone)
    of_videos = _tally(counted.values_list("video_id", flat=True))
    shown = [row for row in rows if row.state == CommentState.SHOWN]
    signals.comments_deleting.send(sender=Comment, ids=sorted(gone))
    Comment.objects.filter(pk__in=gone).delete()
    for video_id, total in of_videos:
        videos = Video.objects.filter(pk=video_id)
        videos.update(comments_count=F("comments_count") - total)
    roots = (row.parent_id for row in shown if row.parent_id and row.parent_id not in gone)
    for root_id, total in _tally(roots):
        replied = Comment.objects.filter(pk=root_id)
        replied.update(replies_count=F("replies_count") - total)
    return [(row.author_id, row.video_id) for row in rows if row.author_id != user_id]


def _liked_comments(user_id: int) -> Iterable[int]:
    likes = CommentLike.objects.filter(user=user_id).order_by("comment")
    return likes.values_list("comment_id", flat=True)[:CHUNK]


def _forget_comment_likes(user_id: int, comment_ids: list[int]) -> None:
    comments = Comment.objects.filter(pk__in=comment_ids).order_by("pk")
    list(comments.select_for_update(no_key=True).values_list("pk", flat=True))
    rows = CommentLike.objects.filter(user=user_id, comment__in=comment_ids)
    liked = list(rows.values_list("comment_id", flat=True))
    rows.delete()
    Comment.objects.filter(pk__in=liked).update(likes_count=F("likes_count") - 1)
    signals.comment_likes_gone.send(sender=Comment, user_id=user_id, comment_ids=liked)


def _tally(ids: Iterable[int]) -> list[tuple[int, int]]:
    return sorted(Counter(ids).items())
