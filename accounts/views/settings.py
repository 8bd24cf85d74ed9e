"""One's own settings."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import people, services
from accounts.clients import program_name
from accounts.forms import DeleteForm, MutedWordForm, PasswordForm, PrivacyForm, ProfileForm
from accounts.receivers import current_browser_session, rename_browser
from accounts.views.common import (
    login_required,
    person_of,
    private,
    safe_next,
    show_invalid,
    show_refused,
)
from tiktok_clone.common.errors import DomainError

FORM_METHODS = ["GET", "HEAD", "POST"]
LISTED = 500


@private
@login_required
@require_http_methods(FORM_METHODS)
def profile(request: HttpRequest) -> HttpResponse:
    """Name, handle, bio and picture."""
    template, user = "accounts/settings_profile.html", person_of(request)
    if request.method != "POST":
        start = {"name": user.name, "handle": user.handle, "bio": user.bio}
        return render(request, template, {"form": ProfileForm(initial=start, person=user)})
    form = ProfileForm(request.POST, request.FILES, person=user)
    if not form.is_valid():
        return show_invalid(request, template, form)
    try:
        _save_profile(request, form)
    except DomainError as error:
        return show_refused(request, template, form, error)
    messages.success(request, "Your profile is saved.")
    return redirect("settings")


def _save_profile(request: HttpRequest, form: ProfileForm) -> None:
    user, values = person_of(request), form.cleaned_data
    picture = values["avatar"]
    image = services.check_avatar(picture, picture.size) if picture else None
    services.update_profile(user, {name: values[name] for name in ("name", "handle", "bio")})
    if image is not None:
        services.set_avatar(user, image)
    elif values.get("remove_avatar"):
        services.remove_avatar(user)


@private
@login_required
@require_http_methods(FORM_METHODS)
def privacy(request: HttpRequest) -> HttpResponse:
    """Who finds and sees one, and who may comment."""
    user = person_of(request)
    form = PrivacyForm(initial={name: getattr(user, name) for name in PrivacyForm.base_fields})
    if request.method == "POST":
        # Switches that are off post nothing, so a switch that is left out is off; a choice stays.
        form = PrivacyForm(request.POST)
        if form.is_valid():
            values = {name: value for name, value in form.cleaned_data.items() if value != ""}
            services.update_profile(user, values)
            messages.success(request, "Your choices are saved.")
            return redirect("settings-privacy")
    return render(request, "accounts/settings_privacy.html", {"form": form})


@private
@login_required
@require_safe
def muted_and_blocked(request: HttpRequest) -> HttpResponse:
    """Whom one mutes and blocks, with a way back."""
    user = person_of(request)
    context = {
        "muted": [row.muted for row in people.muted_by(user)[:LISTED]],
        "blocked": [row.blocked for row in people.blocked_by(user)[:LISTED]],
    }
    return render(request, "accounts/settings_people.html", context)


@private
@login_required
@require_http_methods(FORM_METHODS)
def muted_words(request: HttpRequest) -> HttpResponse:
    """The words and hashtags that one mutes; a form adds one or, by `action`, takes it back."""
    template, user = "accounts/settings_words.html", person_of(request)
    context = {"words": people.muted_words_of(user), "most": services.MOST_MUTED_WORDS}
    if request.method != "POST":
        return render(request, template, {"form": MutedWordForm(), **context})
    form = MutedWordForm(request.POST)
    if not form.is_valid():
        return show_invalid(request, template, form, **context)
    word = form.cleaned_data["text"]
    try:
        if request.POST.get("action") == "unmute":
            services.unmute_word(user, word)
            messages.success(request, f"You come across {word} again.")
        else:
            row, _ = services.mute_word(user, word)
            messages.success(request, f"You do not come across {row.text} any more.")
    except DomainError as error:
        return show_refused(request, template, form, error, **context)
    return redirect(safe_next(request, default=reverse("settings-words")))


@private
@login_required
@sensitive_post_parameters()
@require_http_methods(FORM_METHODS)
def security(request: HttpRequest) -> HttpResponse:
    """Password and sessions."""
    template, user = "accounts/settings_security.html", person_of(request)
    current = current_browser_session(request)
    context = {
        "sessions": [
            {"session": session, "program": program_name(session.user_agent)}
            for session in user.sessions.live().order_by("-last_used_at")[:100]
        ],
        "current": current,
    }
    form = PasswordForm(request.POST or None)
    if request.method != "POST":
        return render(request, template, {"form": form, **context})
    if not form.is_valid():
        return show_invalid(request, template, form, **context)
    values = form.cleaned_data
    try:
        services.change_password(
            user, values["current_password"], values["new_password"], keep=current
        )
    except DomainError as error:
        return show_refused(request, template, form, error, **context)
    update_session_auth_hash(request, user)
    rename_browser(request)
    messages.success(request, "Your password is changed. Every other session has ended.")
    return redirect("settings-security")


@require_POST
@login_required
def end_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """End one of one's own sessions."""
    services.end_own_session(person_of(request), session_id)
    messages.success(request, "That session has ended.")
    return redirect("settings-security")


@require_POST
@login_required
def end_all_sessions(request: HttpRequest) -> HttpResponse:
    """End every session, this one included."""
    services.end_all_sessions(person_of(request), "signed_out_everywhere")
    logout(request)
    return redirect("signin")


@private
@login_required
@require_safe
def playback(request: HttpRequest) -> HttpResponse:
    """How clips play; kept in this browser by prefs.js."""
    return render(request, "accounts/settings_playback.html")


@private
@login_required
@sensitive_post_parameters()
@require_http_methods(FORM_METHODS)
def delete(request: HttpRequest) -> HttpResponse:
    """End the account, after its password."""
    template, user = "accounts/settings_delete.html", person_of(request)
    form = DeleteForm(request.POST or None)
    if request.method != "POST":
        return render(request, template, {"form": form})
    if not form.is_valid():
        return show_invalid(request, template, form)
    try:
        services.check_password(user, form.cleaned_data["password"], field="password")
    except DomainError as error:
        return show_refused(request, template, form, error)
    services.delete_account(user)
    logout(request)
    messages.success(request, "Your account is deleted.")
    return redirect("feed")
