"""Pages of videos and comments as ready data."""

from typing import Any, ClassVar

from django.db.models import F
from rest_framework.request import Request
from rest_framework.views import APIView

from tiktok_clone.common.api import CursorPages
from tiktok_clone.common.errors import invalid
from tiktok_clone.common.searching import WHOLE_NUMBER, sort_key
from videos.relevance import ranked


class NewestFirst(CursorPages):
    """The last made comes first."""

    ordering = "-id"


class OldestFirst(CursorPages):
    """In the order of a conversation."""

    ordering = "id"


class EngagedPages(CursorPages):
    """By when the reader liked or saved it, latest first; the rows have `engaged_id`."""

    ordering = "-engaged_id"


class OrderedVideos(CursorPages):
    """`ordering` by publication, by a count, by what is watched now, or by how well it fits.

    Latest first unless words are looked for. A cursor needs an order without ties:
    publication times have none by construction, the others are joined with the id.
    """

    CHOICES: ClassVar[dict[str, str]] = {
        "published_at": "published_at",
        "likes_count": "sort_key",
        "comments_count": "sort_key",
        "views_count": "sort_key",
        "trend": "sort_key",
        "relevance": "sort_key",
    }

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Read `ordering` and annotate what it sorts by; an unknown one is refused."""
        words = request.query_params.get("q", "")
        unasked = "-relevance" if words else "-published_at"
        wanted = request.query_params.get("ordering", unasked)
        field = wanted.removeprefix("-")
        if field not in self.CHOICES:
            known = ", ".join(f"{name}, -{name}" for name in self.CHOICES)
            raise invalid("ordering", "invalid_choice", f"Choose one of: {known}.")
        key = self.CHOICES[field]
        if field == "relevance":
            queryset = ranked(queryset.order_by(), words).order_by().for_cards()
        elif key == "sort_key":
            queryset = queryset.annotate(sort_key=sort_key(F(field)))
        self.chosen = f"-{key}" if wanted.startswith("-") else key
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Any:
        """Refuse a position that is not a whole number where counts are sorted."""
        cursor = super().decode_cursor(request)
        position = cursor.position if cursor and "sort_key" in self.chosen else None
        if position is not None and not WHOLE_NUMBER.fullmatch(str(position)):
            raise ValueError(position)
        return cursor

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str]:
        """The order chosen by the request."""
        return (self.chosen,)
