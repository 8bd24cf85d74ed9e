"""Forms of posting and editing. The rules stand in the services; the forms only ask."""

from typing import Any

from django import forms
from django.forms.utils import ErrorDict

from accounts.models import CommentsFrom, CommentsHeld
from tiktok_clone.common.errors import DomainError
from videos.models import Visibility
from videos.services.subtitles import languages
from videos.text import CAPTION_MAX

TYPES = "video/*,.mp4,.mov,.m4v,.webm,.mkv,.avi,.3gp,.ts"


class RuleForm(forms.Form):
    """A form that can show why a rule refused what it sent."""

    def show(self, refused: DomainError) -> None:
        """Put the messages at their fields, or above the form."""
        if not refused.fields:
            self.add_error(None, refused.message)
        for name, problems in refused.fields.items():
            texts = [message for _code, message in problems]
            self.add_error(name if name in self.fields else None, texts)

    def add_error(self, field: str | None, error: Any) -> None:
        """Also for a form that was not sent through `is_valid`."""
        _ = self.errors  # cleans, if that has not happened
        super().add_error(field, error)


class CaptionForm(RuleForm):
    """What an author says and for whom."""

    caption = forms.CharField(
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 3, "maxlength": CAPTION_MAX, "placeholder": "Say something about it"}
        ),
        help_text="#tags and @people become links.",
    )
    visibility = forms.ChoiceField(
        label="Who can watch",
        choices=Visibility.choices,
        initial=Visibility.PUBLIC,
        widget=forms.RadioSelect,
    )
    comments_from = forms.ChoiceField(
        label="Who may comment", choices=CommentsFrom.choices, required=False
    )
    comments_held = forms.ChoiceField(
        label="Whose comments wait until you approve them",
        choices=CommentsHeld.choices,
        required=False,
    )


class UploadForm(CaptionForm):
    """A new clip. The file itself is checked by the service, which names this field."""

    file = forms.FileField(
        label="Video", required=False, widget=forms.FileInput(attrs={"accept": TYPES})
    )
    field_order = ["file", "caption", "visibility", "comments_from", "comments_held"]


class EditForm(CaptionForm):
    """What may change later; `cover` is the second of the clip that becomes the poster."""

    cover = forms.FloatField(required=False, min_value=0, widget=forms.HiddenInput)


class SubtitlesForm(RuleForm):
    """Subtitles in one language. The rules stand in the service, which names these fields."""

    language = forms.ChoiceField(choices=languages, initial="en")
    file = forms.FileField(
        label="File (.vtt or .srt)",
        widget=forms.FileInput(attrs={"accept": ".vtt,.srt,text/vtt"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        """Its fields have other ids than those of the form above it."""
        super().__init__(*args, **options)
        self.auto_id = "id_subtitles_%s"

    def full_clean(self) -> None:
        """Check nothing: the service did, and its words are shown."""
        self._errors = ErrorDict()
        self.cleaned_data = {}
