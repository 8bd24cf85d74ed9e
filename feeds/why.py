"""Why a video is in somebody's feeds: the true reasons of the modes there are, in plain words."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from accounts.models import Follow, Friendship, Mute, User
from feeds.models import NotInterested
from feeds.recommender import explaining
from feeds.wishes import of_refused_creator, with_refused_tag
from tiktok_clone.common.errors import not_found
from videos.models import Report, Video, Visibility
from videos.models.video import says_muted


@dataclass(frozen=True)
class Reason:
    """`code` is stable; `mode` is the feed that it speaks of, None for all of them.

    `less` says what to refuse to get less of it: "video", "creator" or "hashtag" (then `hashtag`
    names it); None for what is no matter of taste.
    """

    mode: str | None
    code: str
    text: str
    less: str | None = None
    hashtag: str | None = None


def explain(user: User, video_id: int) -> list[Reason]:
    """Say why a video is in the feeds of a person, or why in none; a few queries.

    Raises:
        DomainError: `not_found` for what the person may not see.
    """
    follows = Follow.objects.filter(follower=user, followee=OuterRef("author"))
    videos = (
        Video.objects.visible_to(user)
        .filter(pk=video_id)
        .select_related("author")
        .annotate(
            followed=Exists(follows),
            befriended=Exists(Friendship.objects.between(user.pk, OuterRef("author"))),
            muted=Exists(Mute.objects.filter(muter=user, muted=OuterRef("author"))),
            says_muted=says_muted(user.pk),
            refused=Exists(NotInterested.objects.filter(user=user, video=OuterRef("pk"))),
            reported=Exists(Report.objects.filter(user=user, video=OuterRef("pk"))),
            less_of_creator=of_refused_creator(user.pk),
            less_of_hashtag=with_refused_tag(user.pk),
        )
    )
    video = videos.first()
    if video is None:
        raise not_found("video")
    return _absence(video) or _presence(user, video)


def _absence(video: Video) -> list[Reason]:
    who = f"@{video.author.handle}"
    told = []
    if not video.is_published:
        told.append(Reason(None, "not_published", "It is not published, so it is in no feed."))
    if video.refused:  # type: ignore[attr-defined]
        text = "You are not interested in it, so it is in none of your feeds."
        told.append(Reason(None, "not_interested", text))
    if video.reported:  # type: ignore[attr-defined]
        text = "You reported it, so it is in none of your feeds."
        told.append(Reason(None, "reported", text))
    if video.muted:  # type: ignore[attr-defined]
        told.append(Reason(None, "muted", f"You mute {who}, so it is in none of your feeds."))
    if video.says_muted:  # type: ignore[attr-defined]
        text = "It has a word or hashtag that you mute, so it is in none of your feeds."
        told.append(Reason(None, "muted_word", text))
    return told


def _refused(video: Video) -> list[Reason]:
    """Why it is not recommended, though other feeds may have it."""
    told = []
    if video.less_of_creator:  # type: ignore[attr-defined]
        text = f"You want less of @{video.author.handle}, so it is not recommended to you."
        told.append(Reason(None, "less_of_creator", text))
    if video.less_of_hashtag:  # type: ignore[attr-defined]
        text = "You want less of one of its hashtags, so it is not recommended to you."
        told.append(Reason(None, "less_of_hashtag", text))
    return told


def _presence(user: User, video: Video) -> list[Reason]:
    who = f"@{video.author.handle}"
    told = []
    if video.author_id == user.pk:
        told.append(Reason(None, "own", "You posted it."))
    else:
        told += _refused(video) or [
            Reason("for-you", **vars(because)) for because in explaining.explain(user, video)
        ]
    if video.followed:  # type: ignore[attr-defined]
        told.append(Reason("following", "following", f"You follow {who}."))
    if video.befriended:  # type: ignore[attr-defined]
        text = f"You and {who} follow each other: you are friends."
        told.append(Reason("friends", "friend", text))
    is_open = video.visibility == Visibility.PUBLIC and not video.author.is_private
    if is_open and video.slot is not None:
        text = "Everybody's public videos come in a shuffled order, each with the same chance."
        told.append(Reason("all", "shuffled", text))
    if not told:
        told.append(Reason(None, "in_no_feed", "It is in none of your feeds."))
    return told
