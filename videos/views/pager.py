"""Pages without JavaScript: a link that continues after the last row shown."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from tiktok_clone.common.errors import invalid
from tiktok_clone.common.searching import WHOLE_NUMBER
from videos.text import read_id

KEYS = ("sort_key", "engaged_id")


def after(
    rows: QuerySet[Any], request: HttpRequest, size: int, *, ascending: bool = False
) -> tuple[list[Any], int | None]:
    """Return the rows after `?after=` and what the next page continues after (None: the end).

    The rows are ordered by `id`, or by `engaged_id` or `sort_key` where the query has it.
    """
    key = next((name for name in KEYS if name in rows.query.annotations), "id")
    raw = request.GET.get("after", "")
    if raw:
        last = _sort_key(raw) if key == "sort_key" else read_id(raw)
        if last is None:
            raise invalid("after", "invalid", "Follow the link of the previous page.")
        rows = rows.filter(**{f"{key}__{'gt' if ascending else 'lt'}": last})
    page = list(rows[: size + 1])
    if len(page) <= size:
        return page, None
    return page[:size], int(getattr(page[size - 1], key))


def _sort_key(raw: str) -> int | None:
    return int(raw) if WHOLE_NUMBER.fullmatch(raw) else None
