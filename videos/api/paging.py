"""Pages of videos and comments as ready data."""

import re
from typing import Any, ClassVar

from django.db.models import DecimalField, F
from django.db.models.functions import Cast
from rest_framework.request import Request
from rest_framework.views import APIView

from tiktok_clone.common.api import CursorPages
from tiktok_clone.common.errors import invalid

# Above every id, so that count · STRIDE + id sorts by count, then by id, without ties.
STRIDE = 10**19
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,40}", re.ASCII)


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
    """`ordering` by publication or by a count. A cursor needs an order without ties:
    publication times have none by construction, counts are joined with the id.
    """

    CHOICES: ClassVar[dict[str, str]] = {
        "published_at": "published_at",
        "likes_count": "sort_key",
        "comments_count": "sort_key",
        "views_count": "sort_key",
    }

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Read `ordering` and annotate what it sorts by; an unknown one is refused."""
        wanted = request.query_params.get("ordering", "-published_at")
        field = wanted.removeprefix("-")
        if field not in self.CHOICES:
            known = ", ".join(f"{name}, -{name}" for name in self.CHOICES)
            raise invalid("ordering", "invalid_choice", f"Choose one of: {known}.")
        key = self.CHOICES[field]
        if key == "sort_key":
            count = Cast(F(field), DecimalField(max_digits=40, decimal_places=0))
            queryset = queryset.annotate(sort_key=count * STRIDE + F("id"))
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
