"""Messages of Cloudinary: that a file has arrived, or that renditions are ready.

A message only makes us look: what is true is asked from the API. So a false one could do no
harm, but only ours may make us work: the signature is checked in constant time, and old ones
and repeated ones are not acted upon.
"""

import hashlib
import hmac
import json
import time
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tiktok_clone.common.errors import DomainError, not_found
from tiktok_clone.common.storage import cloudinary_store
from videos import tasks
from videos.models import MediaEvent, Video

# Seconds. It tries again after 3, 6 and 9 minutes more, so the last time after 18, and does not say
# whether it signs anew; clocks differ. A message that was taken in is known for days, so a
# window that is wide lets nobody repeat one.
OLDEST = 30 * 60
AHEAD = 60
LARGEST = 256 * 1024
HASHES = {40: hashlib.sha1, 64: hashlib.sha256}


@csrf_exempt
@require_POST
def media_webhook(request: HttpRequest) -> HttpResponse:
    """Take in a message of Cloudinary: 204, also for one that was taken in before."""
    if not settings.CLOUDINARY_URL:
        raise not_found("page")
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        raise _refused("The message is too large.", 413)
    body = request.body
    _check(request, body)
    message = _parse(body)
    with transaction.atomic():
        _, is_new = MediaEvent.objects.get_or_create(
            event_id=hashlib.sha256(body).hexdigest(),
            defaults={
                "kind": str(message.get("notification_type", ""))[:40],
                "name": str(message.get("public_id", ""))[:200],
            },
        )
        video_id = _video_of(message) if is_new else None
        if video_id is not None:
            tasks.look_soon(video_id)
    return HttpResponse(status=204)


def signature(body: bytes, timestamp: str, secret: str, digits: int = 40) -> str:
    """Return what Cloudinary signs a message with: SHA-1, or SHA-256 for 64 digits."""
    return HASHES[digits](body + timestamp.encode() + secret.encode()).hexdigest()


def _check(request: HttpRequest, body: bytes) -> None:
    timestamp = request.headers.get("X-Cld-Timestamp", "")
    signed = request.headers.get("X-Cld-Signature", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(signed) in HASHES):
        raise _refused("The message is not signed.")
    secret = cloudinary_store().account.options["api_secret"]
    expected = signature(body, timestamp, secret, len(signed))
    if not hmac.compare_digest(expected.encode(), signed.encode()):
        raise _refused("The signature is wrong.")
    if not -AHEAD <= time.time() - int(timestamp) <= OLDEST:
        raise _refused("The message is too old, or a clock is wrong.")


def _parse(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise _refused("The message is not a JSON object.", 400)
    return message


def _video_of(message: dict[str, Any]) -> int | None:
    """The clip whose original a message is about; None for pictures and strangers."""
    name = cloudinary_store().assets.name_of(str(message.get("public_id", "")))
    if name is None:
        return None
    try:
        key = uuid.UUID(name.split("/")[-2])
    except ValueError:
        return None
    return Video.objects.filter(uuid=key).values_list("pk", flat=True).first()


def _refused(sentence: str, status: int = 403) -> DomainError:
    return DomainError("message_refused", sentence, status=status)
