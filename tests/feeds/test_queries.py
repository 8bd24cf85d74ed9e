"""How many queries a page costs: as many for one card as for twenty."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from feeds.paging import _shares
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend
from tests.feeds.scroll import FEED, ORDERS, follow_up
from videos.models import Hashtag, VideoHashtag

pytestmark = pytest.mark.django_db

# A new seed reads the snapshot, a token the epoch: one query. Then what is live, the videos of
# cards that are missing, their renditions, hashtags, subtitles, and what the reader did; people's
# orders read places first, the latest whose. Of an order of for-you it is looked up whether its
# reader has ended it. Cards that are kept need neither of the four.
CARDS = 6
KEPT = 4
BUDGET = {
    ("for-you", "ranked"): 1 + 2 + CARDS,
    ("all", "shuffle"): 1 + CARDS,
    ("following", "latest"): 1 + 2 + CARDS,
    ("following", "shuffle"): 1 + 1 + CARDS,
    ("friends", "latest"): 1 + 2 + CARDS,
    ("friends", "shuffle"): 1 + 1 + CARDS,
}
# Who begins an order of for-you has it ranked: the account, the model, what they did, what is to
# be explored, the lists, the facts and where they are few those of all that is new; the order is
# stored, if the account is as it was, and read again.
FIRST = {("for-you", "ranked"): 9}
# More than the pages have, so that neither of them is at the end.
COUNTS = (12, 25)


@pytest.fixture
def publish(user: User) -> Callable[[int], None]:
    def make(count: int) -> None:
        for n in range(count):
            friend = UserFactory()
            befriend(user, friend)
            video = VideoFactory(author=friend)
            tag = Hashtag.objects.create(name=f"tag{count}x{n}", videos_count=1)
            VideoHashtag.objects.create(video=video, hashtag=tag)

    return make


@pytest.fixture(autouse=True)
def _nothing_learned() -> None:
    for share in _shares.values():
        share.value = 1.0


def count(ask: Callable[[], object], *, kept: bool = False) -> int:
    """Queries of a request, but for those that only happen once a second.

    Without cards that are kept, unless told.
    """
    if not kept:
        cache.clear()
    with CaptureQueriesContext(connection) as captured:
        ask()
    ignored = ("SAVEPOINT", "common_signingepoch", "common_cachegeneration")
    return len([query for query in captured if not any(word in query["sql"] for word in ignored)])


@pytest.mark.parametrize(("mode", "order"), ORDERS)
def test_the_api_costs_the_same_for_one_and_for_twenty(
    mode: str, order: str, as_user: ApiClient, publish: Callable[[int], None]
) -> None:
    publish(COUNTS[0])
    one = {"mode": mode, "order": order, "limit": 1}
    first = count(lambda: as_user.get(FEED, one))
    page = as_user.get(FEED, one)
    second = count(lambda: as_user.get(FEED, follow_up(page)))
    publish(COUNTS[1])
    twenty = one | {"limit": 20}
    assert count(lambda: as_user.get(FEED, twenty)) == first
    page = as_user.get(FEED, twenty)
    assert page["count"] == 20
    assert count(lambda: as_user.get(FEED, follow_up(page, limit=5))) == second
    assert second == BUDGET[mode, order]
    assert first == second + FIRST.get((mode, order), 0)
    again = follow_up(page, limit=5)
    assert count(lambda: as_user.get(FEED, again), kept=True) == second - KEPT


@pytest.mark.parametrize(
    "path", ["/", "/all", "/following", "/friends", "/explore", "/search?q=clip"]
)
def test_pages_cost_the_same_for_few_and_for_many(
    path: str, user: User, publish: Callable[[int], None]
) -> None:
    client = Client()
    client.force_login(user)
    publish(11)  # a page, and one that makes it not the last
    client.get(path)
    few = count(lambda: client.get(path))
    publish(25)
    assert count(lambda: client.get(path)) == few
