"""The Admin API, asked by the SDK."""

import time

import pytest
import urllib3
from cloudinary import api, uploader
from cloudinary.exceptions import AuthorizationRequired, BadRequest, NotFound, RateLimited

from tests.cloudinary import Emulator
from tests.videos.clips import clip

pytestmark = pytest.mark.usefixtures("cloudinary_emulator")


def upload(*names: str) -> None:
    for name in names:
        uploader.upload(str(clip()), resource_type="video", public_id=name)


def names(**options: object) -> list[str]:
    listed = api.resources(resource_type="video", type="upload", **options)
    return [each["public_id"] for each in listed["resources"]]


def test_ping_and_usage() -> None:
    upload("a")
    assert api.ping()["status"] == "ok"
    assert api.usage()["storage"]["usage"] == clip().stat().st_size


def test_the_rate_is_told() -> None:
    first, second = api.ping(), api.ping()
    assert first.rate_limit_allowed == 500
    assert first.rate_limit_remaining - second.rate_limit_remaining == 1
    assert time.mktime(first.rate_limit_reset_at) % 3600 == 0


def test_the_rate_is_kept(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.rate_limit = 2
    api.ping()
    assert api.ping().rate_limit_remaining == 0
    with pytest.raises(RateLimited, match=r"Rate Limit Exceeded. Limit of 2 api operations"):
        api.ping()
    upload("a")  # uploads are not counted


def test_a_list_by_prefix_in_pages() -> None:
    upload("videos/b", "videos/a", "videos/c", "other/d")
    first = api.resources(resource_type="video", type="upload", prefix="videos/", max_results=2)
    assert [each["public_id"] for each in first["resources"]] == ["videos/a", "videos/b"]
    api.delete_resources(["videos/b"], resource_type="video")
    cursor = first["next_cursor"]
    second = api.resources(
        **{"resource_type": "video", "type": "upload", "prefix": "videos/"},
        **{"max_results": 2, "next_cursor": cursor},
    )
    assert [each["public_id"] for each in second["resources"]] == ["videos/c"]
    assert "next_cursor" not in second


@pytest.mark.parametrize("prefix", ["videos/", ""])
def test_every_page_goes_on_where_the_last_one_ended(prefix: str) -> None:
    upload("videos/b", "videos/a", "videos/c")
    found: list[str] = []
    options = {"resource_type": "video", "prefix": prefix, "max_results": 1}
    for _ in range(3):
        page = api.resources(type="upload", **options)
        found += [each["public_id"] for each in page["resources"]]
        options["next_cursor"] = page.get("next_cursor", "")
    assert sorted(found) == ["videos/a", "videos/b", "videos/c"]
    assert options["next_cursor"] == ""


def test_assets_by_their_ids_however_old_the_list_is(cloudinary_emulator: Emulator) -> None:
    upload("a", "b", "c")
    cloudinary_emulator.library.freeze_listing()
    upload("d")
    api.delete_resources(["b"], resource_type="video")
    found = api.resources_by_ids(["d", "b", "a", "none"], resource_type="video", type="upload")
    assert [each["public_id"] for each in found["resources"]] == ["d", "a"]
    assert sorted(names()) == ["a", "b", "c"]
    with pytest.raises(BadRequest, match="Too many public_ids: 101"):
        api.resources_by_ids([str(n) for n in range(101)], resource_type="video")


def test_a_list_without_a_prefix_has_the_newest_first(cloudinary_emulator: Emulator) -> None:
    now = cloudinary_emulator.now()
    for age, name in ((30, "old"), (20, "middle"), (10, "new")):
        cloudinary_emulator.clock = lambda age=age: now - age
        upload(name)
    assert names() == ["new", "middle", "old"]
    first = api.resources(resource_type="video", max_results=1)
    assert names(next_cursor=first["next_cursor"]) == ["middle", "old"]


def test_lists_are_of_one_kind() -> None:
    upload("videos/a")
    assert api.resources(type="upload", prefix="videos/")["resources"] == []


@pytest.mark.parametrize("size", [0, 501, "many"])
def test_refused_pages(size: object) -> None:
    with pytest.raises(BadRequest, match="max_results"):
        names(max_results=size)


def test_a_list_says_what_a_reconciler_needs() -> None:
    upload("videos/a")
    (listed,) = api.resources(resource_type="video", type="upload", prefix="videos/")["resources"]
    assert {"etag", "bytes", "created_at", "version", "format", "asset_id"} <= set(listed)


def test_deleting_many() -> None:
    upload("a", "b")
    answer = api.delete_resources(["a", "b", "c"], resource_type="video", invalidate=True)
    assert answer["deleted"] == {"a": "deleted", "b": "deleted", "c": "not_found"}
    assert answer["deleted_counts"]["a"] == {"original": 1, "derived": 0}
    assert answer["partial"] is False
    with pytest.raises(NotFound):
        api.resource("a", resource_type="video")


def test_deleting_too_many() -> None:
    with pytest.raises(BadRequest):
        api.delete_resources([str(number) for number in range(101)], resource_type="video")


def test_deleting_by_prefix() -> None:
    upload("videos/1/a", "videos/1/b", "videos/2/a")
    answer = api.delete_resources_by_prefix("videos/1/", resource_type="video")
    assert set(answer["deleted"]) == {"videos/1/a", "videos/1/b"}
    assert names() == ["videos/2/a"]


def test_deleting_nothing() -> None:
    with pytest.raises(BadRequest, match="Missing required parameter - public_ids"):
        api.delete_resources([], resource_type="video")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"api_key": "999"}, "Unknown API key 999"),
        ({"api_secret": "wrong"}, "Invalid api_secret"),
        ({"cloud_name": "elsewhere"}, "Invalid cloud_name elsewhere"),
    ],
)
def test_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(AuthorizationRequired, match=message):
        api.ping(**options)


def test_refused_without_a_name(cloudinary_emulator: Emulator) -> None:
    assert urllib3.request("GET", f"{cloudinary_emulator.origin}/v1_1/demo/ping").status == 401


def test_an_unknown_path_is_refused_in_json(cloudinary_emulator: Emulator) -> None:
    answer = urllib3.request("GET", f"{cloudinary_emulator.origin}/v1_1/demo/nothing")
    assert answer.status == 404
    assert answer.json()["error"]["message"]
