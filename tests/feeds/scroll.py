"""Scrolling as clients do: by echoing what pages return."""

from collections.abc import Iterator
from typing import Any

from feeds.recommender.ranking import EXPLORED_ONE_IN, is_explored
from tests.api_client import ApiClient

# A seed that explores the last of the first ten places, so that tests know what stands before.
LATE = next(key for key in range(1000) if is_explored(key, EXPLORED_ONE_IN - 1))
FEED = "/videos/feed"
ORDERS = [
    ("for-you", "ranked"),
    ("all", "shuffle"),
    ("following", "latest"),
    ("following", "shuffle"),
    ("friends", "latest"),
    ("friends", "shuffle"),
]
Page = dict[str, Any]


def ids(page: Page) -> list[int]:
    """The videos of a page."""
    return [card["id"] for card in page["results"]]


def follow_up(page: Page, **changes: Any) -> dict[str, Any]:
    """The options of the next page."""
    names = ("mode", "order", "seed", "limit")
    return {name: page[name] for name in names} | {"skip": page["next_skip"]} | changes


def pages(client: ApiClient, **options: Any) -> Iterator[Page]:
    """Every page of an order, checked against the contract's rules of the end."""
    page = client.get(FEED, options)
    check(page)
    yield page
    while not page["end"]:
        page = client.get(FEED, follow_up(page))
        check(page)
        yield page


def scroll(client: ApiClient, **options: Any) -> list[int]:
    """The videos of a whole order."""
    return [video for page in pages(client, **options) for video in ids(page)]


def check(page: Page) -> None:
    """Invariant 6, but for the absorbing end."""
    assert page["count"] == len(page["results"]) <= page["limit"]
    assert page["end"] or page["count"] == page["limit"]
    assert page["end"] or page["next_skip"] > page["skip"]
    assert page["next_skip"] >= page["skip"]
    assert (page["next"] is None) == page["end"]
