#!/usr/bin/env python
"""Django's command line; settings come from DJANGO_SETTINGS_MODULE, development by default."""

import os
import sys

from django.core.management import execute_from_command_line


def needs_no_database(arguments: list[str]) -> bool:
    """Return whether a command works on files alone, so that nobody has to configure anything."""
    options = {argument.split("=")[0] for argument in arguments[2:]}
    return arguments[1:2] == ["evaluate_recommender"] and not options.isdisjoint(
        {"--train", "--help", "-h"}
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiktok_clone.settings.dev")
    # Training takes one core. It has to stand here before anything imports numpy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if needs_no_database(sys.argv):
        # Read by the settings and used for nothing; nobody listens at this address.
        os.environ.setdefault("SECRET_KEY", "offline")
        os.environ.setdefault("DATABASE_URL", "postgres://offline@127.0.0.1:9/offline")
    execute_from_command_line(sys.argv)
