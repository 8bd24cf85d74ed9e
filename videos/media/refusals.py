"""Why a file is not let in: a stable code, and a sentence that says what to do."""

from django.conf import settings

from tiktok_clone.common.errors import DomainError

SENTENCES = {
    "missing": "Choose a video file.",
    "empty": "The file is empty. Choose another one, or export it again.",
    "not_a_video": "This is not a video that can be read. Use MP4, MOV, WebM, MKV, AVI or 3GP.",
    "no_video_stream": "The file has sound but no picture. Choose a video.",
    "image": "This is a picture. Choose a video.",
    "encrypted": "The video is encrypted. Export it without copy protection.",
    "too_long": "The video is longer than {seconds} seconds. Cut it and try again.",
    "too_large": "The file is larger than {megabytes} MB. Export it smaller and try again.",
    "too_many_pixels": "The picture is larger than 16 megapixels. Export it at 4K or less.",
    "truncated": "The file ends too early: a part of it is missing. Copy or export it again.",
    "checksum_mismatch": "The file was damaged on its way. Send it again.",
    "damaged": "The file is damaged or takes too long to read. Export it again, best as MP4.",
}


class RefusedError(DomainError):
    """The file as it is here is not taken, and asking again does not change that."""


def refused(code: str) -> RefusedError:
    """Build the refusal of a file for a code of SENTENCES; names the field `file`."""
    sentence = SENTENCES[code].format(
        seconds=settings.VIDEO_MAX_SECONDS, megabytes=settings.VIDEO_MAX_BYTES // 2**20
    )
    status = 413 if code == "too_large" else 400
    return RefusedError(code, sentence, status=status, fields={"file": [(code, sentence)]})
