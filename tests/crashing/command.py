"""`python -m tests.crashing.command …`: `manage.py` with the trap in it."""

import sys

import django
from django.core.management import call_command

from tests.crashing.saboteur import arm

if __name__ == "__main__":
    django.setup()
    arm()
    call_command(*sys.argv[1:])
