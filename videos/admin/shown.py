"""How a clip is shown on the pages of the administration."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tiktok_clone.common.storage import store
from videos.models import Video

EXCERPT = 60


def excerpt(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"


def picture(video: Video) -> SafeString | str:
    """The poster, small."""
    if not video.poster:
        return "–"
    url = store(video.poster).url(video.poster, public=False)
    return format_html('<img class="thumb" src="{}" alt="Clip {}" loading="lazy">', url, video.pk)


def player(video: Video) -> SafeString | str:
    """The smallest rendition, playable, with links to all of them.

    Its renditions are read from `video.renditions.all()`, so that a list can prefetch them.
    """
    renditions = sorted(video.renditions.all(), key=lambda rendition: rendition.rung)
    if not renditions:
        return "nothing to play"
    links = format_html_join(
        " ",
        '<a href="{}">{}p</a>',
        ((store(rung.name).url(rung.name, public=False), rung.rung) for rung in renditions),
    )
    return format_html(
        '<div class="clip"><video src="{}" poster="{}" controls loop muted playsinline '
        'preload="none"></video><p>{}</p></div>',
        store(renditions[0].name).url(renditions[0].name, public=False),
        store(video.poster).url(video.poster, public=False) if video.poster else "",
        links,
    )
