"""Rows for what a caption refers to: its hashtags and the people it mentions.

Part of the machinery, so that the worker that publishes may call it as well.
"""

from collections.abc import Iterable

from django.db import connection, transaction

from accounts.models import User
from videos.models import Hashtag, Mention, Video, VideoHashtag
from videos.text import hashtags, mentions

MENTIONS_MAX = 20
TAGS_MAX = 30


@transaction.atomic
def link_caption(video: Video) -> None:
    """Make the rows of hashtags and mentions equal to the caption, and recount the tags.

    May be called any number of times: on creation, on publication, after an edit, and
    after hiding or showing the video, since a tag counts only what everybody may see.
    Call it late in the caller's transaction: it locks the tags until the end.
    """
    before = set(VideoHashtag.objects.filter(video=video).values_list("hashtag_id", flat=True))
    wanted = _tag_ids(hashtags(video.caption)[:TAGS_MAX])
    VideoHashtag.objects.filter(video=video, hashtag__in=before - wanted).delete()
    VideoHashtag.objects.bulk_create(
        [VideoHashtag(video=video, hashtag_id=tag) for tag in sorted(wanted)],
        ignore_conflicts=True,
    )
    _link_mentions(video)
    recount_tags(before | wanted)


def tag_ids(video: Video) -> list[int]:
    """Return the ids of a video's tags: remember them before deleting, then `recount_tags`."""
    return list(VideoHashtag.objects.filter(video=video).values_list("hashtag_id", flat=True))


def tag_ids_of(author_id: int) -> list[int]:
    """Return the ids of all tags that somebody used."""
    rows = VideoHashtag.objects.filter(video__author=author_id)
    return list(rows.values_list("hashtag_id", flat=True).distinct())


def recount_tags(ids: Iterable[int]) -> None:
    """Count the published public videos of tags by public accounts anew, exactly.

    The tags are locked in the order of their ids, and only then counted by a statement
    of its own, which sees what everybody who held the lock before has committed.
    """
    wanted = sorted(ids)
    if not wanted:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM videos_hashtag WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [wanted],
        )
        cursor.execute(
            """
            UPDATE videos_hashtag tag SET videos_count = counted.total
            FROM (
                SELECT h.id, count(v.id) AS total
                FROM videos_hashtag h
                LEFT JOIN videos_videohashtag vh ON vh.hashtag_id = h.id
                LEFT JOIN videos_video v ON v.id = vh.video_id
                    AND v.status = 'ready' AND v.visibility = 'public'
                    AND v.hidden_at IS NULL AND v.published_at IS NOT NULL
                    AND EXISTS (SELECT FROM accounts_user a WHERE a.id = v.author_id
                        AND a.is_active AND a.deleted_at IS NULL AND NOT a.is_private)
                WHERE h.id = ANY(%s)
                GROUP BY h.id
            ) counted
            WHERE tag.id = counted.id AND tag.videos_count <> counted.total
            """,
            [wanted],
        )


def _tag_ids(names: list[str]) -> set[int]:
    known = set(Hashtag.objects.filter(name__in=names).values_list("name", flat=True))
    # Sorted, so that two captions with the same new tags insert them in the same order.
    Hashtag.objects.bulk_create(
        [Hashtag(name=name) for name in sorted(set(names) - known)], ignore_conflicts=True
    )
    return set(Hashtag.objects.filter(name__in=names).values_list("id", flat=True))


def _link_mentions(video: Video) -> None:
    handles = mentions(video.caption)[:MENTIONS_MAX]
    people = User.objects.visible_to(video.author).filter(handle__in=handles)
    wanted = set(people.exclude(pk=video.author_id).values_list("id", flat=True))
    Mention.objects.filter(video=video).exclude(user__in=wanted).delete()
    Mention.objects.bulk_create(
        [Mention(video=video, user_id=person) for person in sorted(wanted)],
        ignore_conflicts=True,
    )
