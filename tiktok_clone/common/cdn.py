"""What a CLOUDINARY_URL says: the account, and the hosts that pages then talk to.

The settings need it for the content security policy, so it imports nothing of ours, and not the
SDK either, which reads the settings when it is imported.
"""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

API = "https://api.cloudinary.com"


def account(url: str) -> dict[str, Any]:
    """Return the options of the SDK for `cloudinary://key:secret@cloud?option=value&…`."""
    parts = urlsplit(url)
    options: dict[str, Any] = {
        "cloud_name": parts.hostname,
        "api_key": unquote(parts.username or ""),
        "api_secret": unquote(parts.password or ""),
    }
    options |= {key: values[0] for key, values in parse_qs(parts.query).items()}
    for flag in ("secure", "private_cdn"):
        options[flag] = str(options.get(flag, flag == "secure")).lower() == "true"
    return options


def origins(url: str) -> tuple[list[str], list[str]]:
    """Return where media come from, and where uploads go: empty lists without Cloudinary."""
    if not url:
        return [], []
    options = account(url)
    if not options["secure"] and options.get("cname"):
        media = f"http://{options['cname']}"
    elif options.get("secure_distribution"):
        media = f"https://{options['secure_distribution']}"
    elif options["private_cdn"]:
        media = f"https://{options['cloud_name']}-res.cloudinary.com"
    else:
        media = "https://res.cloudinary.com"
    return [media], [options.get("upload_prefix") or API]
