"""Benchmarks are not run with the tests; that each can at least be loaded is looked at here."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from tests import benchmarks


@pytest.mark.parametrize(
    "name", [one.name for one in iter_modules(benchmarks.__path__) if not one.ispkg]
)
def test_it_can_be_loaded(name: str) -> None:
    import_module(f"tests.benchmarks.{name}")
