"""Pages whose text the administrators write, in Markdown: the terms and the privacy policy.

Until they have written one, a text that fits what the product does is shown.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from tiktok_clone.common.models import SiteText

# The pages there are, with their titles; each has a text of its own in templates/common.
TITLES = {"terms": "Terms of use", "privacy": "Privacy"}

# HTML is shown as text, and pictures would come from other sites: what is written here can
# neither run anything nor tell others who reads it. Links of dangerous kinds are left as text.
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


@dataclass(frozen=True)
class Text:
    """A page as it is shown; `updated_at` is None for the text that comes with the product."""

    title: str
    body: str
    updated_at: datetime | None = None

    @property
    def html(self) -> SafeString:
        """The body, rendered."""
        return render_markdown(self.body)


def render_markdown(body: str) -> SafeString:
    """Turn Markdown into HTML that is safe to show."""
    return SafeString(_markdown.render(body))


def usual_text(slug: str) -> Text:
    """Return the text that comes with the product."""
    body = render_to_string(f"common/{slug}.md", {"name": settings.SITE_NAME})
    return Text(TITLES[slug], body.strip())


def current_text(slug: str) -> Text:
    """Return what the administrators wrote, or else the usual text."""
    written = SiteText.objects.filter(slug=slug).first()
    if written is None:
        return usual_text(slug)
    return Text(written.title, written.body, written.updated_at)


@require_safe
def site_text(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one of the pages."""
    return render(request, "common/text.html", {"text": current_text(slug)})
