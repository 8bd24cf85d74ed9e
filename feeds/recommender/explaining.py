"""Why a video stands in somebody's for-you: the largest terms of its score, in plain words."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Follow, User
from feeds.models import WATCHED, FeedSession, Impression
from feeds.recommender.ranking import Term
from videos.models import Comment, CommentState, Hashtag, Like, Save, Share, Video

# Told are at most so many terms, none of which is less than this share of the largest.
MOST_TERMS, LEAST_SHARE = 3, 0.25
CAPTION = 60
SEEN = "seen"


@dataclass(frozen=True)
class Because:
    """A reason: the name of a term, the sentence, and what to refuse to get less of it.

    Attributes:
        less: "video", "creator" or "hashtag".
        hashtag: the name of the hashtag, if it is one.
    """

    code: str
    text: str
    less: str = "video"
    hashtag: str | None = None


def explain(reader: User, video: Video) -> list[Because]:
    """Say why a video is in the newest order of a reader that has it; empty if none has.

    Args:
        video: one that the reader may see, its author loaded.
    """
    terms = stored_terms(reader, video.pk)
    if terms is None:
        return []
    largest = max((term.value for term in terms), default=0)
    told = [term for term in terms if term.value > 0 and term.value >= LEAST_SHARE * largest]
    told.sort(key=lambda term: -term.value)
    return [_SENTENCES[term.name](reader, video, term) for term in told[:MOST_TERMS]]


def stored_terms(reader: User, video_id: int) -> list[Term] | None:
    """Return what made the score of a video in the newest order that has it; one query.

    None where no order has it. What was seen before, and what was jumped over, has no score.
    """
    held = FeedSession.objects.filter(reader=reader, ids__contains=[video_id])
    row = held.order_by("-created_at", "-pk").first()
    if row is None:
        return None
    if not row.places:
        return [Term(SEEN if row.seen else "fresh", 1.0)]
    return [Term(*term) for term in row.places[row.ids.index(video_id)]["terms"]]


def _taste(reader: User, video: Video, term: Term) -> Because:
    """Names the video that led here, as long as the reader may see it, and what they did with it.

    Of several acts the one that says most in a word; of none that is left, nothing is named.
    """
    visible = Video.objects.published().visible_to(reader).filter(pk=term.because or 0)
    did = {name: Exists(acts) for name, acts in _acts_of(reader).items()}
    source = visible.select_related("author").annotate(**did).first()
    verb = next((name for name in did if getattr(source, name, False)), None)
    if source is None or verb is None:
        return Because(term.name, "People who like what you like have liked it.")
    said = verb.replace("_", " ")
    return Because(term.name, f"Because you {said} {_named(source)}.")


def _acts_of(reader: User) -> "dict[str, QuerySet[Any]]":
    """Return what speaks for a video, by the word for it; the plainest first."""
    of_video = {"video": OuterRef("pk")}
    return {
        "liked": Like.objects.filter(user=reader, **of_video),
        "saved": Save.objects.filter(user=reader, **of_video),
        "shared": Share.objects.filter(user=reader, **of_video),
        "commented_on": Comment.objects.filter(author=reader, state=CommentState.SHOWN, **of_video),
        "watched": Impression.objects.filter(WATCHED, user=reader, forgotten_at=None, **of_video),
    }


def _named(video: Video) -> str:
    caption = " ".join(video.caption.split())
    short = caption if len(caption) <= CAPTION else f"{caption[: CAPTION - 1]}…"
    who = f"@{video.author.handle}"
    return f"“{short}” by {who}" if short else f"a clip by {who}"


def _tag(reader: User, video: Video, term: Term) -> Because:
    tag = Hashtag.objects.filter(pk=term.because or 0).first()
    if tag is None:
        return Because(term.name, "Because you like clips with its hashtags.")
    return Because(term.name, f"Because you like clips with #{tag.name}.", "hashtag", tag.name)


def _creator(reader: User, video: Video, term: Term) -> Because:
    return Because(term.name, f"Because you like clips by @{video.author.handle}.", "creator")


def _followed(reader: User, video: Video, term: Term) -> Because:
    who = f"@{video.author.handle}"
    follows = Follow.objects.filter(follower=reader, followee=video.author_id).exists()
    text = f"It is from {who}, whom you follow." if follows else f"You followed {who}."
    return Because(term.name, text, "creator")


_SENTENCES: dict[str, Any] = {
    "taste": _taste,
    "tag": _tag,
    "creator": _creator,
    "followed": _followed,
    "popular": lambda *_: Because("popular", "It is popular now."),
    "fresh": lambda *_: Because("fresh", "It is new."),
    "explored": lambda *_: Because("explored", "It is new: we are finding out who likes it."),
    SEEN: lambda *_: Because(SEEN, "You have seen everything new, and this one long ago."),
}
CODES = tuple(_SENTENCES)
