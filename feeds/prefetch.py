"""Prepares the next pages after an answer has gone, in threads of the web process."""

from functools import cache, partial

from django.conf import settings
from django.http import HttpResponse

from feeds import hits
from feeds.behind import Pool
from feeds.paging import Page
from feeds.prepared import prepare, warm

_under_way: set[int] = set()


def prepare_after(response: HttpResponse, reader: int | None, page: Page) -> None:
    """Prepare what follows `page` when the response has been sent; not for visitors (None).

    Nothing is done while enough is prepared.
    """
    if reader is None or page.end or not settings.FEED_PREFETCH_THREADS:
        return
    if not page.readahead.is_low and not page.readahead.cold:
        return
    work = partial(_submit, reader, page)
    response._resource_closers.append(work)  # type: ignore[attr-defined]


def _submit(reader: int, page: Page) -> None:
    """Have it done, unless it is being done: a quick reader comes by more than once meanwhile."""
    if page.readahead.left and reader in _under_way:
        return
    _under_way.add(reader)
    if not _pool(settings.FEED_PREFETCH_THREADS).submit(partial(_prepare, reader, page)):
        _under_way.discard(reader)


def _prepare(reader: int, page: Page) -> None:
    try:
        if page.readahead.is_low:
            prepare(reader, page)
        else:
            warm(reader, page)
    finally:
        _under_way.discard(reader)
    hits.write_sometimes()


@cache
def _pool(threads: int) -> Pool:
    return Pool("prefetch", threads)
