"""Signs people in by e-mail address, whatever the letter case."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest


class _KnowsPassword(ModelBackend):
    """Finds suspended people, too."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Deleted accounts are not there for anybody."""
        return not user.is_deleted


class EmailBackend(ModelBackend):
    """ModelBackend asks the manager's `get_by_natural_key`, which ignores the case.

    For an unknown address it hashes the password all the same, so that time tells nothing.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **options: Any,
    ) -> Any:
        """Return whoever knows the password; a suspended person is to be told so, not let in.

        The password is hashed once, whatever the state of the account.
        """
        return _KnowsPassword().authenticate(request, username, password, **options)
