"""What granian serves in these tests: the product, with the trap in it."""

from tests.crashing.saboteur import arm
from tiktok_clone.wsgi import application

__all__ = ["application"]

arm()
