"""Cloudinary's Admin API as the sweep uses it, in memory: listings in pages, ids, destroy."""

import hashlib
from typing import Any

import pytest
from cloudinary import api, exceptions, uploader
from pytest_django import Settings

URL = "cloudinary://key:secret@loopy"


class Account:
    """Assets by kind and public id. `fails` is raised by as many calls; all calls are counted."""

    def __init__(self) -> None:
        self.assets: dict[tuple[str, str], dict[str, Any]] = {}
        self.calls: list[str] = []
        self.fails: list[Exception] = []
        self.page = 500

    def add(self, name: str, content: bytes = b"bytes", since: str = "2020-01-01T00:00:00Z") -> str:
        """Have the asset of an object's name."""
        path = name.removeprefix("cloudinary/")
        head, dot, suffix = path.rpartition(".")
        kind = "image" if suffix == "webp" else "video"
        public_id = head if dot else path
        self.assets[kind, public_id] = {
            "public_id": public_id,
            "format": suffix if dot else "mp4",
            "bytes": len(content),
            "etag": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "created_at": since,
        }
        return name

    def lose(self, name: str) -> None:
        path = name.removeprefix("cloudinary/")
        public_id = path.rpartition(".")[0] or path
        self.assets = {key: row for key, row in self.assets.items() if key[1] != public_id}

    def resources(
        self, *, resource_type: str, prefix: str, next_cursor: str = "", **options: Any
    ) -> dict[str, Any]:
        self._call("resources")
        assert options["type"] == "authenticated"
        ids = sorted(key[1] for key in self.assets if key[0] == resource_type)
        ids = [each for each in ids if each.startswith(prefix) and each > next_cursor]
        shown = ids[: min(self.page, options["max_results"])]
        answer: dict[str, Any] = {"resources": [self.assets[resource_type, one] for one in shown]}
        return answer | ({"next_cursor": shown[-1]} if len(shown) < len(ids) else {})

    def resources_by_ids(
        self, public_ids: list[str], *, resource_type: str, max_results: int = 10, **options: Any
    ) -> dict[str, Any]:
        self._call("resources_by_ids")
        assert len(public_ids) <= 100
        found = [self.assets.get((resource_type, one)) for one in public_ids]
        return {"resources": [row for row in found if row][:max_results]}

    def destroy(self, public_id: str, *, resource_type: str, **options: Any) -> dict[str, str]:
        self._call("destroy")
        gone = self.assets.pop((resource_type, public_id), None)
        return {"result": "ok" if gone else "not found"}

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if self.fails:
            raise self.fails.pop(0)


def rate_limited() -> Exception:
    return exceptions.RateLimited("Rate Limit Exceeded. Limit of 500 api operations reached.")


def open_account(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Have the product use an account of nobody else."""
    account = Account()
    settings.CLOUDINARY_URL = URL
    monkeypatch.setattr(api, "resources", account.resources)
    monkeypatch.setattr(api, "resources_by_ids", account.resources_by_ids)
    monkeypatch.setattr(uploader, "destroy", account.destroy)
    return account
