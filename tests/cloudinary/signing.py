"""Signatures as Cloudinary's documentation describes them, written apart from its SDK."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

UNSIGNED = frozenset({"file", "cloud_name", "resource_type", "api_key", "signature"})
LENGTHS = {40: "sha1", 64: "sha256"}


def digest(text: str, algorithm: str = "sha1") -> str:
    """The hexadecimal message digest of a text."""
    return hashlib.new(algorithm, text.encode()).hexdigest()


def string_to_sign(parameters: Mapping[str, str], *, escaped: bool = True) -> str:
    """The parameters that have a value, sorted and joined.

    Args:
        parameters: name to value; lists are joined with commas already.
        escaped: write "&" in a value as "%26" (version 2 of signatures, the SDK's default).
    """
    pairs = [f"{name}={value}" for name, value in parameters.items() if value != ""]
    return "&".join(sorted(pair.replace("&", "%26") if escaped else pair for pair in pairs))


def sign(
    parameters: Mapping[str, str], secret: str, algorithm: str = "sha1", *, escaped: bool = True
) -> str:
    """Sign parameters: the digest of their string with the secret appended."""
    return digest(string_to_sign(parameters, escaped=escaped) + secret, algorithm)


def is_signed(
    parameters: Mapping[str, str], signature: str, secret: str, only: str | None = None
) -> bool:
    """Whether a signature fits; by its length it is a SHA-1 or a SHA-256.

    Both versions of the string are taken, as Cloudinary does.
    """
    algorithm = LENGTHS.get(len(signature))
    if algorithm is None or only not in (None, algorithm):
        return False
    return any(
        hmac.compare_digest(
            sign(parameters, secret, algorithm, escaped=escaped).encode(), signature.encode()
        )
        for escaped in (True, False)
    )


def sign_url(path: str, secret: str) -> str:
    """Sign what is delivered: the components and the name, without the version."""
    code = base64.urlsafe_b64encode(bytes.fromhex(digest(f"{path}{secret}")))
    return f"s--{code.decode()[:8]}--"


def sign_notification(
    body: bytes, timestamp: int | str, secret: str, algorithm: str = "sha1"
) -> str:
    """Sign a webhook: the digest of its body, its timestamp and the secret."""
    return hashlib.new(algorithm, body + f"{timestamp}{secret}".encode()).hexdigest()
