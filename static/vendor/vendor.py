"""Vendored front-end files: fetch them with npm, and check offline that none has changed.

`python static/vendor/vendor.py check` compares every file with the checksum in
vendor.lock.json and needs no network. `python static/vendor/vendor.py fetch` packs the
locked versions with npm, verifies each package against its integrity, copies the files,
builds the icon sprite and writes the checksums anew.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATIC = HERE.parent
LOCK = HERE / "vendor.lock.json"
SPRITE = STATIC / "img" / "sprite.svg"
# Maps are not copied, and collecting static files fails on a name that leads nowhere.
SOURCE_MAP = re.compile(rb"\n//# sourceMappingURL=\S+\s*\Z")


def sha256(path: Path) -> str:
    """Hex digest of the file at `path`."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(lock: dict) -> list[str]:
    """Sentences about every file that is missing, changed, or in no package; empty when all is well."""
    problems = []
    known = {LOCK, Path(__file__).resolve()}
    for name, digest in lock["files"].items():
        path = STATIC / name
        known.add(path)
        if not path.exists():
            problems.append(f"static/{name} is missing")
        elif sha256(path) != digest:
            problems.append(f"static/{name} differs from its checksum in vendor.lock.json")
    strangers = [p for p in HERE.rglob("*") if p.is_file() and p not in known]
    problems += [
        f"static/{p.relative_to(STATIC)} is not in vendor.lock.json"
        for p in strangers
        if "__pycache__" not in p.parts
    ]
    return problems


def packed(name: str, package: dict, folder: Path) -> tarfile.TarFile:
    """The npm package of the locked version, verified against its integrity."""
    command = ["npm", "pack", "--silent", f"{name}@{package['version']}"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    tarball = folder / done.stdout.strip().splitlines()[-1]
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    integrity = f"sha512-{digest}"
    if package.setdefault("integrity", integrity) != integrity:
        sys.exit(f"{name} {package['version']}: integrity differs from the lock")
    return tarfile.open(tarball)


def symbol(identifier: str, source: str) -> str:
    """One <symbol> of the sprite from the text of an icon file."""
    match = re.search(r'viewBox="([^"]+)"[^>]*>(.*)</svg>', source, re.S)
    if match is None:
        raise ValueError(f"{identifier}: not an icon")
    return f'<symbol id="{identifier}" viewBox="{match[1]}">{match[2].strip()}</symbol>'


def write_sprite(symbols: list[str], lock: dict) -> None:
    """Write img/sprite.svg: our own symbols first, then the packages' icons."""
    own = [symbol(name, text) for name, text in lock["own_symbols"].items()]
    body = "\n".join(own + symbols)
    SPRITE.write_text(
        "<!-- Icons: Phosphor (MIT), see vendor/vendor.lock.json; built by vendor/vendor.py -->\n"
        f'<svg xmlns="http://www.w3.org/2000/svg" fill="currentColor">\n{body}\n</svg>\n'
    )


def fetch(lock: dict) -> None:
    """Fetch the locked packages, copy their files, build the sprite, write the checksums."""
    files: dict[str, str] = {}
    symbols: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, package in lock["packages"].items():
            with packed(name, package, Path(scratch)) as tar:
                read = lambda member, tar=tar: tar.extractfile(f"package/{member}").read()  # noqa: E731
                for member, target in package["copy"].items():
                    path = STATIC / target
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(SOURCE_MAP.sub(b"", read(member)))
                    files[target] = sha256(path)
                symbols += [
                    symbol(identifier, read(member).decode())
                    for identifier, member in package.get("icons", {}).items()
                ]
    write_sprite(symbols, lock)
    files["img/sprite.svg"] = sha256(SPRITE)
    LOCK.write_text(json.dumps(lock | {"files": files}, indent=2) + "\n")


def main(argv: list[str]) -> int:
    """Run `check` (the default) or `fetch`; 1 when a check fails."""
    lock = json.loads(LOCK.read_text())
    if argv[1:] == ["fetch"]:
        fetch(lock)
        return 0
    problems = check(lock)
    print("\n".join(problems) or f"{len(lock['files'])} vendored files are as locked")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
