"""A client that states the status it expects and returns the decoded body."""

from typing import Any

from rest_framework.test import APIClient

from accounts.models import User


class ApiClient:
    """`ApiClient(user).post("/videos/1/like", expect=200)["likes_count"]`."""

    def __init__(self, user: User | None = None, *, token: str | None = None) -> None:
        self.raw = APIClient()
        if user is not None:
            self.raw.force_authenticate(user)
        if token is not None:
            self.raw.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    def request(
        self, method: str, path: str, data: Any = None, *, expect: int = 200, **extra: Any
    ) -> Any:
        """Send a request, assert the status, and decode the body.

        `format="multipart"` sends a form; `headers={…}` adds headers.
        """
        extra.setdefault("format", "json")
        if method == "get":
            extra.pop("format")
        response = getattr(self.raw, method)(path, data, **extra)
        assert response.status_code == expect, (
            f"{method.upper()} {path}: expected {expect}, got {response.status_code}: "
            f"{response.content[:800]!r}"
        )
        self.response = response
        is_json = "json" in response.headers.get("Content-Type", "")
        return response.json() if is_json else response.content

    def get(self, path: str, data: Any = None, **extra: Any) -> Any:
        """GET."""
        return self.request("get", path, data, **extra)

    def post(self, path: str, data: Any = None, **extra: Any) -> Any:
        """POST."""
        return self.request("post", path, data, **extra)

    def put(self, path: str, data: Any = None, **extra: Any) -> Any:
        """PUT."""
        return self.request("put", path, data, **extra)

    def patch(self, path: str, data: Any = None, **extra: Any) -> Any:
        """PATCH."""
        return self.request("patch", path, data, **extra)

    def delete(self, path: str, data: Any = None, **extra: Any) -> Any:
        """DELETE."""
        return self.request("delete", path, data, **extra)
