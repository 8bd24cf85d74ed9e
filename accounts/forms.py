"""Forms of the account pages. They check shape only; the rules are those of the services."""

from typing import Any

from django import forms

from accounts.models import CommentsFrom, CommentsHeld, User
from accounts.rules import APPEAL_MAX, BIO_MAX, MUTED_WORD_MAX, NAME_MAX
from tiktok_clone.common.errors import DomainError

NEW_HELP = "At least 8 characters."


def text(**attributes: Any) -> forms.TextInput:
    """A one-line input with attributes."""
    return forms.TextInput(attrs=attributes)


class PasswordField(forms.CharField):
    """A password: `which` is `current` or `new`, for password managers."""

    def __init__(self, which: str, **options: Any) -> None:
        options.setdefault(
            "widget", forms.PasswordInput(attrs={"autocomplete": f"{which}-password"})
        )
        super().__init__(max_length=128, strip=False, **options)


class RuledForm(forms.Form):
    """A form that can show what a service refused."""

    def refuse(self, error: DomainError) -> None:
        """Put the error beside the fields that it names, or above the form."""
        named = {field: found for field, found in error.fields.items() if field in self.fields}
        for field, problems in named.items():
            for code, message in problems:
                self.add_error(field, forms.ValidationError(message, code))
        if not named:
            self.add_error(None, forms.ValidationError(error.message, error.code))


class SignUpForm(RuledForm):
    """A new account; `invited` says whether the site asks for an invitation."""

    invitation = forms.CharField(
        label="Invitation",
        max_length=100,
        help_text="The code that you were sent.",
        error_messages={"required": "You need an invitation to sign up here."},
        widget=text(autocomplete="off", autocapitalize="none", spellcheck="false"),
    )
    email = forms.CharField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )
    handle = forms.CharField(
        label="Handle",
        max_length=25,
        help_text="Small letters, digits, dots and underscores.",
        widget=text(autocomplete="username", autocapitalize="none", spellcheck="false"),
    )
    name = forms.CharField(
        label="Name", max_length=NAME_MAX, required=False, widget=text(autocomplete="name")
    )
    password = PasswordField("new", label="Password", help_text=NEW_HELP)

    def __init__(self, *args: Any, invited: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not invited:
            del self.fields["invitation"]


class SignInForm(RuledForm):
    """E-mail address and password."""

    email = forms.CharField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = PasswordField("current", label="Password")


class ProfileForm(RuledForm):
    """How one appears."""

    avatar = forms.FileField(
        label="Picture",
        required=False,
        help_text="JPEG, PNG, WebP or GIF; it is cropped to a square.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif"}),
    )
    remove_avatar = forms.BooleanField(label="Remove the picture", required=False)
    name = forms.CharField(label="Name", max_length=NAME_MAX, widget=text(autocomplete="name"))
    handle = forms.CharField(
        label="Handle",
        max_length=25,
        help_text="Links to the old handle stop working when you change it.",
        widget=text(autocomplete="username", autocapitalize="none", spellcheck="false"),
    )
    bio = forms.CharField(
        label="Bio",
        max_length=BIO_MAX + 20,  # line ends count twice on their way here
        required=False,
        help_text=f"Up to {BIO_MAX} characters.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        super().__init__(*args, **options)
        if not person.avatar:
            del self.fields["remove_avatar"]


class PrivacyForm(RuledForm):
    """Who finds and sees one, and who may comment."""

    is_private = forms.BooleanField(
        label="Private account",
        required=False,
        help_text="Only your followers see your clips, and you say who may follow you.",
    )
    follows_hidden = forms.BooleanField(
        label="Hide whom I follow and who follows me",
        required=False,
        help_text="The numbers stay; the lists are for you alone.",
    )
    findable_by_email = forms.BooleanField(
        label="Let people find me by e-mail address",
        required=False,
        help_text="Your address itself is never shown.",
    )
    comments_from = forms.ChoiceField(
        label="Who may comment on my new clips", choices=CommentsFrom.choices, required=False
    )
    comments_held = forms.ChoiceField(
        label="Whose comments wait until I approve them",
        choices=CommentsHeld.choices,
        required=False,
        help_text="Each clip can have other rules: see its edit page.",
    )


class MutedWordForm(RuledForm):
    """A word, a phrase or a hashtag to mute."""

    text = forms.CharField(
        label="Word, phrase or #hashtag",
        max_length=MUTED_WORD_MAX + 20,  # blanks at the edges are cut off later
        help_text="Whole words, whatever their letter case and accents.",
        widget=text(autocomplete="off", autocapitalize="none"),
    )


class AppealForm(RuledForm):
    """Why one thinks that a decision was a mistake."""

    text = forms.CharField(
        label="Why do you think that it was a mistake?",
        max_length=APPEAL_MAX + 100,  # line ends count twice on their way here
        help_text=f"Up to {APPEAL_MAX} characters. You can do this once.",
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class PasswordForm(RuledForm):
    """Another password."""

    current_password = PasswordField("current", label="Current password")
    new_password = PasswordField("new", label="New password", help_text=NEW_HELP)


class DeleteForm(RuledForm):
    """The end of an account."""

    password = PasswordField("current", label="Your password")


class ResetForm(RuledForm):
    """Where to send the link."""

    email = forms.CharField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


class NewPasswordForm(RuledForm):
    """A password set by a link."""

    new_password = PasswordField("new", label="New password", help_text=NEW_HELP)
