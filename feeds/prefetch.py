"""Prepares the next pages after an answer has gone, in threads of the web process."""

from functools import cache, partial

from django.conf import settings
from django.http import HttpResponse

from feeds import hits
from feeds.behind import Pool
from feeds.paging import Page
from feeds.prepared import prepare, warm

# So many prepared pages are left when more are made: a quick reader is not to overtake that.
LEAST_LEFT = 3


def prepare_after(response: HttpResponse, reader: int | None, page: Page) -> None:
    """Prepare what follows `page` when the response has been sent; not for visitors (None).

    Nothing is done while enough is prepared.
    """
    if reader is None or page.end or not settings.FEED_PREFETCH_THREADS:
        return
    if page.readahead.left > LEAST_LEFT and not page.readahead.cold:
        return
    work = partial(_prepare, reader, page)
    pool = _pool(settings.FEED_PREFETCH_THREADS)
    response._resource_closers.append(partial(pool.submit, work))  # type: ignore[attr-defined]


def _prepare(reader: int, page: Page) -> None:
    if page.readahead.left > LEAST_LEFT:
        warm(reader, page)
    else:
        prepare(reader, page)
    hits.write_sometimes()


@cache
def _pool(threads: int) -> Pool:
    return Pool("prefetch", threads)
