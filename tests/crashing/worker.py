"""`python -m tests.crashing.worker`: a worker with the trap in it, until no job is left."""

import django
from django.core.management import call_command

from tests.crashing.saboteur import arm

if __name__ == "__main__":
    django.setup()
    arm()
    call_command("procrastinate", "worker", "--one-shot")
