"""oEmbed: what other sites show when somebody posts the address of a video there."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_safe

from tiktok_clone.common.errors import DomainError, invalid, not_found
from videos.models import Video
from videos.representation import represent_video


@require_safe
def oembed(request: HttpRequest) -> JsonResponse:
    """Describe a public video as an oEmbed link with a thumbnail (oembed.com, version 1.0).

    It offers no frame to embed: pages of this site refuse to be framed.
    """
    if request.GET.get("format", "json") != "json":
        raise DomainError("not_implemented", "Only format=json is offered.", status=501)
    video = Video.objects.visible_to(None).for_cards().filter(pk=_video_id(request)).first()
    if video is None:
        raise not_found("video")
    card = represent_video(video)
    author = card["author"]
    about = {
        "version": "1.0",
        "type": "link",
        "provider_name": settings.SITE_NAME,
        "provider_url": settings.SITE_URL,
        "title": card["caption"] or f"@{author['handle']}",
        "author_name": author["name"],
        "author_url": f"{settings.SITE_URL}{author['url']}",
    }
    if card["poster"]:
        about |= {
            "thumbnail_url": request.build_absolute_uri(card["poster"]),
            "thumbnail_width": card["width"],
            "thumbnail_height": card["height"],
        }
    return JsonResponse(about)


def _video_id(request: HttpRequest) -> int:
    raw = request.GET.get("url", "")
    try:
        match = resolve(urlsplit(raw).path)
    except (ValueError, Resolver404) as error:
        raise invalid("url", "invalid", "Pass the address of a video's page.") from error
    if match.url_name != "video":
        raise invalid("url", "invalid", "Pass the address of a video's page.")
    return int(match.kwargs["video_id"])
