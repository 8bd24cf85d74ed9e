"""What must be done before serving: migrate, collect static files, make the administrator.

Run by the launcher in a process of its own (`python -m tiktok_clone.prepare`), so that the
launcher itself stays small and holds no database connection.
"""

import hashlib
import json
import os
import secrets
from pathlib import Path

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.core.management import call_command

ADMINISTRATOR = {"email": "admin@example.com", "handle": "admin", "name": "Administrator"}
ADMINISTRATOR_FILE = "administrator.json"


def main() -> None:
    """Bring database and static files up to date; quick when they are."""
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    collect_static()
    make_administrator(settings.DATA_DIR / ADMINISTRATOR_FILE)


def collect_static() -> None:
    """Run collectstatic unless the same files were collected before."""
    fingerprint = _static_fingerprint()
    stamp = settings.STATIC_ROOT / ".collected"
    if stamp.is_file() and stamp.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(fingerprint)


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in finders.get_finders():
        for name, storage in sorted(finder.list(None), key=lambda found: found[0]):
            stat = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def make_administrator(path: Path) -> None:
    """Make an administrator with a random password where there is none, and keep its login."""
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return
    password = secrets.token_urlsafe(12)
    users.create_superuser(password=password, **ADMINISTRATOR)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"email": ADMINISTRATOR["email"], "password": password}, file)


if __name__ == "__main__":
    main()
