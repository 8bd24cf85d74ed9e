"""Prepares the next pages after an answer has gone, in threads of the web process."""

from collections.abc import Callable
from functools import cache, partial

from django.conf import settings
from django.http import HttpResponse

from feeds import hits
from feeds.behind import Pool
from feeds.paging import Page
from feeds.prepared import prepare, warm
from feeds.recommender import sessions
from feeds.seeds import read_token

# Of readers and the keys of their orders: a quick reader comes by while the same is being prepared.
_under_way: set[tuple[int, int]] = set()


def prepare_after(response: HttpResponse, reader: int | None, page: Page) -> None:
    """Prepare what follows `page` when the response has been sent; not for visitors (None).

    Nothing is done while enough is prepared. What was counted is written down now and then, in the
    thread of the request where nothing is prepared at all.
    """
    threads = settings.FEED_PREFETCH_THREADS
    if threads and reader is not None and (_is_ranked(page) or _is_wanting(page)):
        work: Callable[[], object] = partial(_follow_up, reader, page)
        work = partial(_pool(threads).submit, work)
    elif not threads:
        work = hits.write_sometimes
    else:
        return
    response._resource_closers.append(work)  # type: ignore[attr-defined]


def _follow_up(reader: int, page: Page) -> None:
    if _is_wanting(page):
        _prepare(reader, page)
    if _is_ranked(page):
        _rank(page)
    hits.write_sometimes()


def _is_wanting(page: Page) -> bool:
    return not page.end and (page.readahead.is_low or page.readahead.cold)


def _is_ranked(page: Page) -> bool:
    return page.mode == "for-you"


def _prepare(reader: int, page: Page) -> None:
    scroll = reader, read_token(page.seed).key
    if scroll in _under_way:
        return
    _under_way.add(scroll)
    try:
        if page.readahead.is_low:
            prepare(reader, page)
        else:
            warm(reader, page)
    finally:
        _under_way.discard(scroll)


def _rank(page: Page) -> None:
    """Count what was served, and have the order ranked further than what is prepared."""
    seed = read_token(page.seed)
    sessions.count_served(seed, [card.video for card in page.shown])
    if not page.end:
        sessions.extend_ahead(seed, page.next_skip)


@cache
def _pool(threads: int) -> Pool:
    return Pool("prefetch", threads)
