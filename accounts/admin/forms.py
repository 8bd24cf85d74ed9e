"""Forms of the administration: what people may enter about themselves holds here too."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import UserChangeForm

from accounts import rules, throttling
from accounts.clients import client_of
from tiktok_clone.common.errors import DomainError


class PersonForm(UserChangeForm):
    """An account; its texts follow the same rules as on the settings page."""

    def clean(self) -> dict[str, Any]:
        """Clean the texts by the rules of accounts."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        for field in ("email", "handle", "name", "bio"):
            if field in values:
                self._clean_by_rule(field, values)
        return values

    def _clean_by_rule(self, field: str, values: dict[str, Any]) -> None:
        given = values[field]
        try:
            values[field] = rules.gather(**{field: lambda: getattr(rules, field)(given)})[field]
        except DomainError as error:
            for code, message in error.fields[field]:
                self.add_error(field, forms.ValidationError(message, code))


class SignInForm(AdminAuthenticationForm):
    """The administration's own sign-in, with the limits of every other one."""

    def clean(self) -> dict[str, Any]:
        """Count the attempt before looking at the password."""
        try:
            if self.request is not None:
                throttling.check("signin_ip", client_of(self.request).network)
            throttling.check("signin_email", str(self.cleaned_data.get("username", "")).strip())
        except DomainError as error:
            raise forms.ValidationError(error.message, error.code) from None
        return super().clean()
