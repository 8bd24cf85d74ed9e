"""What a person did to videos goes when the person goes, or all of it is removed: counted exactly.

Part of the machinery, since a job does it as well.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import Count, F, Q

from accounts.models import User
from videos import signals
from videos.captions import recount_tags
from videos.models import Comment, CommentLike, Like, Save, Share, Video, VideoHashtag

CHUNK = 500


@transaction.atomic
def forget_person(user_id: int) -> None:
    """Delete a person's likes, saves, shares, comments, comment likes and tags, exactly counted.

    Locks in the order of all services: videos by id, comments, and people last.
    """
    authors: Counter[int] = Counter()
    while ids := _touched(user_id):
        authors.update(_forget_on(user_id, ids))
    while comment_ids := list(_liked_comments(user_id)):
        _forget_comment_likes(user_id, comment_ids)
    _take_likes(authors)
    tags = VideoHashtag.objects.filter(video__author=user_id)
    tag_ids = set(tags.values_list("hashtag_id", flat=True))
    tags.delete()
    recount_tags(tag_ids)


@transaction.atomic
def forget_some(user_id: int, limit: int = 100) -> bool:
    """Do the same for the acts on some videos, or some comment likes, of a person who stays.

    Returns:
        Whether there was anything to forget.
    """
    ids = _touched(user_id)[:limit]
    if ids:
        _take_likes(_forget_on(user_id, ids))
        signals.acts_gone.send(sender=Video, pairs=[(user_id, video_id) for video_id in ids])
        return True
    comment_ids = list(_liked_comments(user_id))[:limit]
    _forget_comment_likes(user_id, comment_ids)
    return bool(comment_ids)


def _take_likes(authors: Mapping[int, int]) -> None:
    for author_id, total in sorted(authors.items()):
        User.objects.filter(pk=author_id).update(likes_count=F("likes_count") - total)


def _touched(user_id: int) -> list[int]:
    """The lowest ids of videos that the person did something to."""
    rows = [
        model.objects.filter(**{person: user_id}).order_by().values_list("video_id", flat=True)
        for model, person in ((Like, "user"), (Save, "user"), (Share, "user"), (Comment, "author"))
    ]
    return list(rows[0].union(*rows[1:]).order_by("video_id")[:CHUNK])


def _forget_on(user_id: int, video_ids: list[int]) -> dict[int, int]:
    """Delete what the person did to some videos; return how many likes each author loses."""
    videos = Video.objects.filter(pk__in=video_ids).order_by("pk")
    list(videos.select_for_update(no_key=True).values_list("pk", flat=True))
    authors = _unlike(user_id, video_ids)
    for model, field in ((Save, "saves_count"), (Share, "shares_count")):
        rows = model.objects.filter(user=user_id, video__in=video_ids)
        ids = list(rows.values_list("video_id", flat=True))
        rows.delete()
        Video.objects.filter(pk__in=ids).update(**{field: F(field) - 1})
    _remove_comments(user_id, video_ids)
    return authors


def _unlike(user_id: int, video_ids: list[int]) -> dict[int, int]:
    """Delete likes; return how many each author loses."""
    rows = Like.objects.filter(user=user_id, video__in=video_ids)
    ids = list(rows.values_list("video_id", flat=True))
    authors = dict(rows.order_by().values_list("video__author").annotate(Count("pk")))
    rows.delete()
    Video.objects.filter(pk__in=ids).update(likes_count=F("likes_count") - 1)
    return authors


def _remove_comments(user_id: int, video_ids: list[int]) -> None:
    """Delete the person's comments with the replies under them, whosever they are."""
    own = Comment.objects.filter(author=user_id, video__in=video_ids)
    threads = Comment.objects.filter(Q(pk__in=own) | Q(parent__in=own)).order_by("pk")
    locked = threads.select_for_update(of=("self",))
    rows = list(locked.values_list("pk", "video_id", "parent_id", "author_id"))
    gone = {pk for pk, *_ in rows}
    Comment.objects.filter(pk__in=gone).delete()
    for video_id, total in _tally(video_id for _, video_id, _, _ in rows):
        videos = Video.objects.filter(pk=video_id)
        videos.update(comments_count=F("comments_count") - total)
    for root_id, total in _tally(root for _, _, root, _ in rows if root and root not in gone):
        roots = Comment.objects.filter(pk=root_id)
        roots.update(replies_count=F("replies_count") - total)
    pairs = [(author_id, video_id) for _, video_id, _, author_id in rows if author_id != user_id]
    signals.acts_gone.send(sender=Comment, pairs=pairs)


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


def _tally(ids: Iterable[int]) -> list[tuple[int, int]]:
    return sorted(Counter(ids).items())
