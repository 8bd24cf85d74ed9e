"""Signs people in by e-mail address, whatever the letter case."""

from django.contrib.auth.backends import ModelBackend


class EmailBackend(ModelBackend):
    """ModelBackend asks the manager's `get_by_natural_key`, which ignores the case.

    For an unknown address it hashes the password all the same, so that time tells nothing.
    """
