"""Posting a clip from the browser: the form, the state of its processing, and its edit page.

Every page works as plain forms; static/js/upload.js adds the rest.
"""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import throttling
from accounts.models import User
from tiktok_clone.common.errors import DomainError, not_found
from videos.models import Video
from videos.receiving import stream_uploads, uploaded_file
from videos.representation import represent_videos
from videos.services import publishing
from videos.views.upload_forms import EditForm, SubtitlesForm, UploadForm

UNFINISHED = ("reserved", "uploading", "stored", "processing")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """The form, and what it posts. CSRF is checked, but only after the file has its handler."""
    stream_uploads(request)
    return _upload(request)


@csrf_protect
@login_required
def _upload(request: HttpRequest) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = UploadForm(sent, initial=_rules_of(cast(User, request.user)))
    status = 200
    if request.method == "POST":
        try:
            return _create(request, form)
        except DomainError as refused:
            if refused.status not in (400, 413, 507):
                raise
            form.show(refused)
            status = refused.status
    context = {
        "form": form,
        "max_bytes": settings.VIDEO_MAX_BYTES,
        "max_seconds": settings.VIDEO_MAX_SECONDS,
        "max_megabytes": settings.VIDEO_MAX_BYTES // 2**20,
    }
    return render(request, "videos/upload.html", context, status=status)


def _create(request: HttpRequest, form: UploadForm) -> HttpResponse:
    user = cast(User, request.user)
    throttling.check("upload_user", str(user.pk))
    video = publishing.create_video(
        user,
        uploaded_file(request),
        request.POST.get("caption", ""),
        request.POST.get("visibility", "public"),
        comments_from=request.POST.get("comments_from") or None,
        comments_held=request.POST.get("comments_held") or None,
    )
    return redirect("upload-status", user.handle, video.pk)


@require_safe
@vary_on_headers("HX-Request")
@login_required
def status(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """How the processing goes: a fragment for htmx, which asks again, else a page."""
    video = own(request, video_id)
    context = _context(request, video)
    fragment = bool(request.headers.get("HX-Request"))
    template = "videos/_upload_status.html" if fragment else "videos/upload_status.html"
    response = render(request, template, context)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """Caption, visibility, rules of comments and cover of one's own clip, in every state."""
    video = own(request, video_id)
    form = EditForm(request.POST if request.method == "POST" else None, initial=_initial(video))
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, video, form)
        except DomainError as refused:
            if refused.status != 400:
                raise
            form.show(refused)
        else:
            messages.success(request, _("Saved."))
            return redirect(video)
    return show_edit(request, video, form, status=400 if form.errors else 200)


def show_edit(
    request: HttpRequest,
    video: Video,
    form: EditForm | None = None,
    subtitles_form: SubtitlesForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the edit page, with forms that were refused or with fresh ones."""
    context = _context(request, video) | {
        "form": form or EditForm(initial=_initial(video)),
        "subtitles_form": subtitles_form or SubtitlesForm(),
    }
    return render(request, "videos/upload_edit.html", context, status=status)


def _initial(video: Video) -> dict[str, str]:
    return {"caption": video.caption, "visibility": video.visibility, **_rules_of(video)}


def _rules_of(source: User | Video) -> dict[str, str]:
    """The rules of comments that an account or a clip has."""
    return {name: getattr(source, name) for name in publishing.COMMENT_RULES}


@require_POST
@login_required
def retry(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """Process again after it failed."""
    publishing.retry_processing(cast(User, request.user), video_id)
    return redirect("upload-status", cast(User, request.user).handle, video_id)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """Ask (GET), and delete one's own clip (POST), in every state."""
    video = own(request, video_id)
    if request.method != "POST":
        return render(request, "videos/upload_delete.html", _context(request, video))
    publishing.delete_video(cast(User, request.user), video_id)
    messages.success(request, _("The clip is deleted."))
    return redirect(reverse("profile", args=[cast(User, request.user).handle]))


def _save(request: HttpRequest, video: Video, form: EditForm) -> None:
    user = cast(User, request.user)
    data = form.cleaned_data
    text, visibility, cover = data["caption"], data["visibility"], data["cover"]
    rules = {name: data[name] or None for name in publishing.COMMENT_RULES}
    if cover is not None:
        throttling.check("cover_user", str(user.pk))  # each is a job for ffmpeg
    with transaction.atomic():  # all that the form says, or nothing
        publishing.edit_video(user, video.pk, caption=text, visibility=visibility, **rules)
        if cover is not None:
            publishing.choose_cover(user, video.pk, cover)


def own(request: HttpRequest, video_id: int) -> Video:
    """Return one's own clip, loaded for a card; else raise 404."""
    video = Video.objects.editable_by(cast(User, request.user)).for_cards().filter(pk=video_id)
    found = video.first()
    if found is None:
        raise not_found("video")
    return found


def _context(request: HttpRequest, video: Video) -> dict[str, object]:
    return {
        "card": represent_videos([video], request.user.pk)[0],
        "unfinished": video.status in UNFINISHED,
    }
