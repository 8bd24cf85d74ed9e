"""Where a request comes from, as far as it can be believed."""

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, Protocol

from django.conf import settings

# The first that matches names it: most browsers also claim to be the ones further down.
PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "Python"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


class HasMeta(Protocol):
    """A request of Django or of the REST framework."""

    @property
    def META(self) -> dict[str, Any]: ...  # noqa: N802


@dataclass(frozen=True)
class Client:
    """The program at the other end: `ip` is empty where it is not known."""

    ip: str = ""
    user_agent: str = ""

    @property
    def network(self) -> str:
        """What throttles count by: the IPv4 address, or the /64 that one IPv6 customer owns."""
        if not self.ip:
            return ""
        address = ip_address(self.ip)
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped:
                return str(address.ipv4_mapped)
            return str(IPv6Network((address, 64), strict=False))
        return str(address)


def client_of(request: HasMeta) -> Client:
    """Read address and program; forwarded addresses only as far as proxies are trusted."""
    agent = str(request.META.get("HTTP_USER_AGENT", ""))
    printable = "".join(sign for sign in agent if sign.isprintable())
    return Client(ip=_address(request.META), user_agent=printable[:200])


def _address(meta: dict[str, Any]) -> str:
    raw = str(meta.get("REMOTE_ADDR", ""))
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        forwarded = str(meta.get("HTTP_X_FORWARDED_FOR", ""))
        chain = forwarded.split(",") if forwarded else []
        # Each trusted proxy appended the address that it saw; what stands further left is hearsay.
        raw = chain[-proxies].strip() if len(chain) >= proxies else raw
    try:
        return str(ip_address(raw.split("%")[0]))
    except ValueError:
        return ""


def program_name(user_agent: str) -> str:
    """What people call a program, e.g. `Firefox on Linux`; unknown ones by their first word."""
    program = next((name for mark, name in PROGRAMS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if program and system:
        return f"{program} on {system}"
    return program or system or user_agent[:40].split("/")[0]
