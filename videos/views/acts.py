"""What people do with a video or a comment, as plain forms: post, act, go back.

The same acts without a reload go through the API; only the comments' form answers
htmx with the comments.
"""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.views import is_on_this_site
from videos.models import Comment, CommentState, Like, Save, Video
from videos.representation import represent_videos
from videos.services import comments, curating, engagement
from videos.text import read_id
from videos.views.comments import render_comments
from videos.views.forms import ReportForm
from videos.views.pages import visible_video


@require_POST
@login_required
def like(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """Like, or take the like back; `on=1` or `on=0` says which, else it toggles."""
    user = person(request)
    if _wanted(request, Like.objects.filter(user=user, video=video_id).exists()):
        engagement.like_video(user, video_id)
    else:
        engagement.unlike_video(user, video_id)
    return back(request, video_id)


@require_POST
@login_required
def save(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """Save for later or no longer; `on=1` or `on=0` says which, else it toggles."""
    user = person(request)
    if _wanted(request, Save.objects.filter(user=user, video=video_id).exists()):
        engagement.save_video(user, video_id)
    else:
        engagement.unsave_video(user, video_id)
    return back(request, video_id)


@require_POST
@login_required
def share(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """Count a share, and show the address to copy."""
    engagement.share_video(person(request), video_id)
    video = visible_video(request, video_id)
    url = represent_videos([video], None)[0]["share_url"]
    messages.info(request, _("Copy this address to share it: %(url)s") % {"url": url})
    return back(request, video_id)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def report(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """Ask what is wrong (GET), and tell the moderators (POST)."""
    video = visible_video(request, video_id)
    sent = request.POST if request.method == "POST" else None
    form = ReportForm(sent, initial={"next": request.GET.get("next", "")})
    if sent is not None and form.is_valid():
        try:
            reason, text = form.cleaned_data["reason"], form.cleaned_data["text"]
            engagement.report_video(person(request), video_id, reason, text)
        except DomainError as refused:
            show_on(form, refused)
        else:
            messages.success(request, _("Thank you. The moderators will look at it."))
            return back(request, video_id)
    context = {"form": form, "card": represent_videos([video], request.user.pk)[0]}
    return render(request, "videos/report.html", context, status=400 if form.errors else 200)


@require_POST
@login_required
def comment(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """Add a comment; htmx gets the comments anew, everybody else goes back."""
    by_htmx = bool(request.headers.get("HX-Request"))
    text, parent = request.POST.get("text", ""), request.POST.get("parent", "")
    try:
        added = comments.add_comment(
            person(request), video_id, text, _id(parent) if parent else None
        )
    except DomainError as refused:
        if refused.status not in (400, 403):
            raise
        form = {"errors": _errors(refused), "text": {"value": text}}
        # htmx swaps only what succeeds, so it gets the refusal inside of a 200.
        status = 200 if by_htmx else refused.status
        video = visible_video(request, video_id)
        return render_comments(request, video, form=form, status=status)
    if by_htmx:
        return render_comments(request, visible_video(request, video_id))
    if added.state == CommentState.HELD:
        messages.info(request, _("Your comment is shown once it is approved."))
    return back(request, video_id, "#comments-plain")


@require_POST
@login_required
def comment_approve(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Show a comment that is held."""
    return _curated(request, curating.show_comment(person(request), comment_id))


@require_POST
@login_required
def comment_hide(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Hide a comment, or show it again by `on=0`."""
    act = curating.hide_comment if _wanted(request, False) else curating.show_comment
    return _curated(request, act(person(request), comment_id))


@require_POST
@login_required
def comment_pin(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Pin a comment, or unpin it by `on=0`."""
    act = curating.pin_comment if _wanted(request, False) else curating.unpin_comment
    return _curated(request, act(person(request), comment_id))


def _curated(request: HttpRequest, found: Comment) -> HttpResponse:
    """Answer htmx with the comments anew; everybody else goes back."""
    if request.headers.get("HX-Request"):
        return render_comments(request, visible_video(request, found.video_id))
    return back(request, found.video_id, f"#comment-{found.pk}")


@require_POST
@login_required
def comment_delete(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Delete a comment with its replies."""
    user = person(request)
    video_id = comments.video_of(user, comment_id)
    comments.delete_comment(user, comment_id)
    messages.success(request, _("The comment is deleted."))
    return back(request, video_id, "#comments-plain")


@require_POST
@login_required
def comment_like(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Like a comment or take the like back; `on=1` or `on=0` says which, else it toggles."""
    user = person(request)
    found = comments.visible_comment(user, comment_id)
    if _wanted(request, found.likes.filter(user=user).exists()):
        comments.like_comment(user, comment_id)
    else:
        comments.unlike_comment(user, comment_id)
    return back(request, found.video_id, f"#comment-{comment_id}")


def person(request: HttpRequest) -> User:
    """Who is signed in."""
    return cast(User, request.user)


def back(request: HttpRequest, video_id: int, anchor: str = "") -> HttpResponse:
    """Go where the form says (`next`, only on this site), or to the video."""
    wanted: str = request.POST.get("next", "")
    if is_on_this_site(request, wanted):
        return redirect(wanted)
    videos = Video.objects.visible_to(request.user).select_related("author")
    video = videos.filter(pk=video_id).first()
    # One may take back one's words where one may not look any more.
    return redirect(f"{video.get_absolute_url()}{anchor}" if video else "feed")


def show_on(form: Form, refused: DomainError) -> None:
    """Show on a form why a rule refused what it sent; what is not its fault is raised on."""
    if refused.status != 400:
        raise refused
    for field, problems in _errors(refused).items():
        form.add_error(field if field in form.fields else None, problems)


def _errors(refused: DomainError) -> dict[str, list[str]]:
    by_field = {
        field: [message for _code, message in problems]
        for field, problems in refused.fields.items()
    }
    return by_field or {"__all__": [refused.message]}


def _wanted(request: HttpRequest, is_on: bool) -> bool:
    asked: Any = {"1": True, "0": False}.get(request.POST.get("on", ""))
    return not is_on if asked is None else asked


def _id(raw: str) -> int:
    return read_id(raw) or 0
