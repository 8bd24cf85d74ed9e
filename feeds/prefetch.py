"""Prepares next pages after the answer has gone, in threads of the web process."""

from functools import cache, partial

from django.conf import settings
from django.http import HttpResponse

from feeds import hits
from feeds.behind import Pool
from feeds.paging import Page
from feeds.prepared import prepare
from feeds.recommender import sessions
from feeds.seeds import read_token


def prepare_after(response: HttpResponse, reader: int | None, page: Page) -> None:
    """Prepare the page after `page` when the response has been sent; not for visitors (None)."""
    if reader is None or not settings.FEED_PREFETCH_THREADS:
        return
    if page.end and page.mode != "for-you":
        return
    work = partial(_prepare, reader, page)
    pool = _pool(settings.FEED_PREFETCH_THREADS)
    response._resource_closers.append(partial(pool.submit, work))  # type: ignore[attr-defined]


def _prepare(reader: int, page: Page) -> None:
    prepare(reader, page)
    if page.mode == "for-you":
        _follow_up(page)
    hits.write_sometimes()


def _follow_up(page: Page) -> None:
    """Count what was served, and have the order ranked further than the next page."""
    seed = read_token(page.seed)
    sessions.count_served(seed, [card.video for card in page.shown])
    if not page.end:
        sessions.extend_ahead(seed, page.next_skip)


@cache
def _pool(threads: int) -> Pool:
    return Pool("prefetch", threads)
