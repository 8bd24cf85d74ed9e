"""Prepares next pages after the answer has gone, in threads of the web process."""

from functools import cache, partial

from django.conf import settings
from django.http import HttpResponse

from feeds import hits
from feeds.behind import Pool
from feeds.paging import Page
from feeds.prepared import prepare


def prepare_after(response: HttpResponse, reader: int | None, page: Page) -> None:
    """Prepare the page after `page` when the response has been sent; not for visitors (None)."""
    if reader is None or page.end or not settings.FEED_PREFETCH_THREADS:
        return
    work = partial(_prepare, reader, page)
    pool = _pool(settings.FEED_PREFETCH_THREADS)
    response._resource_closers.append(partial(pool.submit, work))  # type: ignore[attr-defined]


def _prepare(reader: int, page: Page) -> None:
    prepare(reader, page)
    hits.write_sometimes()


@cache
def _pool(threads: int) -> Pool:
    return Pool("prefetch", threads)
