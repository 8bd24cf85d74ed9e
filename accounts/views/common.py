"""What the account pages share."""

from typing import Any

from django.contrib.auth.decorators import login_required as _login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts.forms import RuledForm
from accounts.models import User
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.views import is_on_this_site

login_required = _login_required
private = never_cache


def person_of(request: HttpRequest) -> User:
    """The person who is signed in; the view is behind `login_required`."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def safe_next(request: HttpRequest, default: str = "feed") -> str:
    """Where to go afterwards: `next` if it is on this site, else the named route."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if is_on_this_site(request, target):
        return target
    return reverse(default) if "/" not in default else default


def show_refused(
    request: HttpRequest, template: str, form: RuledForm, error: DomainError, **context: Any
) -> HttpResponse:
    """Show the form again with what a service refused, and its status."""
    form.refuse(error)
    response = render(request, template, {"form": form, **context}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def show_invalid(
    request: HttpRequest, template: str, form: RuledForm, **context: Any
) -> HttpResponse:
    """Show the form again with what is wrong in it."""
    return render(request, template, {"form": form, **context}, status=400)
