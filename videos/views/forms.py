"""Forms of the video's pages."""

from django import forms

from accounts.models import Reason
from videos.services.engagement import REPORT_TEXT_MAX


class ReportForm(forms.Form):
    """What is wrong with a video. The rules stand in the service; the form only asks."""

    reason = forms.ChoiceField(choices=Reason.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label="Anything the moderators should know",
        required=False,
        max_length=REPORT_TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)
