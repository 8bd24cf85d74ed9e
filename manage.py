#!/usr/bin/env python
"""Django's command line; settings come from DJANGO_SETTINGS_MODULE, development by default."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiktok_clone.settings.dev")
    # Training takes one core. It has to stand here before anything imports numpy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    execute_from_command_line(sys.argv)
