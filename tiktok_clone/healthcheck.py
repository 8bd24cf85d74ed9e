"""Asks the web server of this container whether it answers; the exit code tells Docker."""

import http.client
import os
import sys


def own_host(allowed_hosts: str) -> str:
    """A host name that Django accepts, from ALLOWED_HOSTS."""
    first = allowed_hosts.split(",")[0].strip().lstrip(".")
    return "localhost" if first in {"", "*"} else first


def main() -> int:
    """0 when /healthz answers with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), 4)
    try:
        host = own_host(os.environ.get("ALLOWED_HOSTS", ""))
        connection.request("GET", "/healthz", headers={"Host": host})
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, http.client.HTTPException):
        return 1


if __name__ == "__main__":
    sys.exit(main())
