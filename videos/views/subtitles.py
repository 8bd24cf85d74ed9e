"""Subtitles: for players, and the part of the edit page that adds and removes them."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from tiktok_clone.common.errors import DomainError, not_found
from videos.models import Subtitles, Video
from videos.receiving import SubtitlesHandler, stream_uploads, uploaded_file
from videos.services import subtitles
from videos.views.media import asker
from videos.views.upload import own, show_edit
from videos.views.upload_forms import SubtitlesForm


@require_safe
def vtt(request: HttpRequest, handle: str, video_id: int, language: str) -> HttpResponse:
    """The subtitles in a language, for whoever may see the video."""
    seen = Video.objects.visible_to(asker(request)).filter(pk=video_id)
    row = Subtitles.objects.filter(video__in=seen, language__iexact=language).first()
    if row is None:
        raise not_found("subtitles")
    response = HttpResponse(row.vtt, content_type="text/vtt; charset=utf-8")
    # Short, since who may see it can change; the address changes with the text.
    response.headers["Cache-Control"] = "private, max-age=300"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@csrf_exempt
@require_POST
def add(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """Take in a file. CSRF is checked, but only after the file has its handler."""
    stream_uploads(request, SubtitlesHandler)
    return _add(request, video_id)


@csrf_protect
@login_required
def _add(request: HttpRequest, video_id: int) -> HttpResponse:
    video = own(request, video_id)
    form = SubtitlesForm(request.POST)
    language = request.POST.get("language", "")
    try:
        row = subtitles.set_subtitles(
            cast(User, request.user), video_id, language, uploaded_file(request)
        )
    except DomainError as refused:
        if refused.status not in (400, 409, 413):
            raise
        form.show(refused)
        return show_edit(request, video, subtitles_form=form, status=refused.status)
    messages.success(request, _("Subtitles added: %(label)s.") % {"label": row.label})
    return redirect("video-edit", video.author.handle, video_id)


@require_POST
@login_required
def remove(request: HttpRequest, handle: str, video_id: int, language: str) -> HttpResponse:
    """Remove the subtitles in a language."""
    subtitles.remove_subtitles(cast(User, request.user), video_id, language)
    messages.success(request, _("Subtitles removed."))
    return redirect("video-edit", handle, video_id)
