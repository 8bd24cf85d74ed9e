"""Sign-up, sign-in, sign-out, and the links in messages."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.clients import client_of
from accounts.forms import NewPasswordForm, ResetForm, SignInForm, SignUpForm
from accounts.models import User
from accounts.views.common import login_required, person_of, safe_next, show_invalid, show_refused
from tiktok_clone.common.errors import DomainError

BACKEND = "accounts.backends.EmailBackend"


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Make an account and go to the feed, signed in."""
    template, extra = "accounts/signup.html", {"next": safe_next(request)}
    if request.user.is_authenticated:
        return redirect(extra["next"])
    invited = settings.SIGNUP_MODE == "invite"
    if request.method != "POST":
        code = request.GET.get("invitation", "")
        form = SignUpForm(invited=invited, initial={"invitation": code})
        problem = _problem_with(code) if code else None
        return render(request, template, {"form": form, "problem": problem, **extra})
    form = SignUpForm(request.POST, invited=invited)
    if not form.is_valid():
        return show_invalid(request, template, form, **extra)
    try:
        user = services.sign_up(services.SignUp(**form.cleaned_data), client_of(request))
    except DomainError as error:
        return show_refused(request, template, form, error, **extra)
    return _enter(request, user)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in and go on."""
    template, extra = "accounts/signin.html", {"next": safe_next(request)}
    if request.user.is_authenticated:
        return redirect(extra["next"])
    form = SignInForm(request.POST or None)
    if request.method != "POST":
        return render(request, template, {"form": form, **extra})
    if not form.is_valid():
        return show_invalid(request, template, form, **extra)
    values = form.cleaned_data
    try:
        user = services.sign_in(values["email"], values["password"], client_of(request))
    except DomainError as error:
        if error.code == "account_suspended":
            return redirect("suspension", error.facts["appeal_token"])
        return show_refused(request, template, form, error, **extra)
    return _enter(request, user)


def _problem_with(code: str) -> DomainError | None:
    """Say at once, not after all is typed, that the link from a message does not work."""
    try:
        services.find_invitation(code)
    except DomainError as error:
        return error
    return None


def _enter(request: HttpRequest, user: User) -> HttpResponse:
    target = safe_next(request)
    login(request, user, backend=BACKEND)
    return redirect(target)


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this browser's session."""
    logout(request)
    return redirect("feed")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link; the answer is the same for every address."""
    template = "accounts/password_reset.html"
    form = ResetForm(request.POST or None)
    if request.method != "POST":
        return render(request, template, {"form": form})
    if not form.is_valid():
        return show_invalid(request, template, form)
    try:
        services.request_password_reset(form.cleaned_data["email"], client_of(request))
    except DomainError as error:
        return show_refused(request, template, form, error)
    return render(request, "accounts/password_reset_sent.html")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password_reset_confirm(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Set a new password by the link in a message."""
    template = "accounts/password_reset_confirm.html"
    try:
        services.find_by_reset_link(uid, token)
    except DomainError as error:
        return render(request, "accounts/bad_link.html", {"error": error}, status=error.status)
    form = NewPasswordForm(request.POST or None)
    if request.method != "POST":
        response = render(request, template, {"form": form})
    elif not form.is_valid():
        response = show_invalid(request, template, form)
    else:
        response = _reset(request, uid, token, form, template)
    # The address of this page is a secret: no other site may learn it from a link.
    response["Referrer-Policy"] = "same-origin"
    return response


def _reset(
    request: HttpRequest, uid: str, token: str, form: NewPasswordForm, template: str
) -> HttpResponse:
    try:
        services.reset_password(uid, token, form.cleaned_data["new_password"])
    except DomainError as error:
        return show_refused(request, template, form, error)
    messages.success(request, "Your password is set. Sign in with it.")
    return redirect("signin")


@never_cache
@require_safe
def verify_email(request: HttpRequest, token: str) -> HttpResponse:
    """Believe the address of whoever has the link."""
    try:
        services.verify_email(token)
    except DomainError as error:
        return render(request, "accounts/bad_link.html", {"error": error}, status=error.status)
    messages.success(request, "Your e-mail address is verified.")
    return redirect("feed")


@require_POST
@login_required
def send_verification(request: HttpRequest) -> HttpResponse:
    """Send the link once more."""
    services.send_verification_again(person_of(request), client_of(request))
    messages.success(request, "A message with the link is on its way.")
    return redirect("settings-security")
