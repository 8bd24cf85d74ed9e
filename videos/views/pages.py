"""The video's page and what it is made of."""

from django.http import HttpRequest, HttpResponse


def video(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """A video with its player, its links and its first comments."""
    raise NotImplementedError
