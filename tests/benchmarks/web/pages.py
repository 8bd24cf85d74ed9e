"""Every page of the site, for the demo's data."""

from collections.abc import Iterable

VISITORS_PAGES = (
    "/",
    "/explore",
    "/search",
    "/search?q=ocean",
    "/tag/ocean",
    "/signin",
    "/signup",
    "/password/reset",
    "/@marina",
    "/@marina/video/{video}",
    "/@marina/video/{video}/comments",
    "/terms",
    "/privacy",
    "/shortcuts",
    "/nothing",
)
PAGES = (
    "/",
    "/following",
    "/friends",
    "/explore",
    "/search",
    "/search?q=ocean",
    "/tag/ocean",
    "/history",
    "/people",
    "/people/requests",
    "/upload",
    "/@demo",
    "/@demo?tab=liked",
    "/@demo?tab=saved",
    "/@marina",
    "/@marina/followers",
    "/@marina/following",
    "/@marina/video/{video}",
    "/@marina/video/{video}/comments",
    "/@marina/video/{video}/report",
    "/@demo/video/{own}/edit",
    "/@demo/video/{own}/status",
    "/settings",
    "/settings/privacy",
    "/settings/security",
    "/settings/playback",
    "/settings/people",
    "/settings/export",
    "/settings/delete",
    "/terms",
    "/privacy",
    "/shortcuts",
    "/nothing",
)


def addresses(paths: Iterable[str]) -> list[str]:
    """The addresses with the ids of the demo's videos."""
    from videos.models import Video

    public = Video.objects.published().filter(visibility="public").order_by("pk")
    ids = {
        "video": public.filter(author__handle="marina").values_list("pk", flat=True)[0],
        "own": public.filter(author__handle="demo").values_list("pk", flat=True)[0],
    }
    return [path.format(**ids) for path in paths]
