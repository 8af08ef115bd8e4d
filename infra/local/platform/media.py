"""What kind of file was uploaded, read from its own bytes, and whether Mastodon would take it.

Limits: docs.joinmastodon.org/methods/instance (configuration.media_attachments).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import imagesize
from werkzeug.utils import send_file
from werkzeug.wrappers import Response

from infra.local.platform.call import Call

IMAGE_BYTES = 16_777_216
VIDEO_BYTES = 103_809_024
MATRIX_PIXELS = 33_177_600
DESCRIPTION_CHARACTERS = 1_500
ATTACHMENTS = 4
MIMES = ("image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm")
_NOT_MP4_BRANDS = (b"heic", b"heix", b"mif1", b"avif", b"qt  ")


class MediaRefusedError(ValueError):
    """The file cannot be attached; the message is in Mastodon's words."""


@dataclass(frozen=True)
class Kind:
    """A file's type and its size in pixels (0 by 0 for video, which is not decoded)."""

    mime: str
    width: int
    height: int


def inspect(data: bytes) -> Kind:
    """Tell what the bytes are.

    Raises MediaRefusedError when the type is not supported or a size, in bytes or pixels, is over its limit.
    """
    mime = sniff(data)
    if not mime:
        raise MediaRefusedError("Validation failed: File content type is invalid, File is invalid")
    limit = IMAGE_BYTES if mime.startswith("image/") else VIDEO_BYTES
    if len(data) > limit:
        raise MediaRefusedError(
            f"Validation failed: File file size must be less than {limit // 1_048_576} MB"
        )
    if mime.startswith("video/"):
        return Kind(mime, 0, 0)
    width, height = imagesize.get(io.BytesIO(data))
    if width <= 0 or height <= 0:
        raise MediaRefusedError("Validation failed: File content type is invalid, File is invalid")
    if width * height > MATRIX_PIXELS:
        raise MediaRefusedError(f"{width}x{height} images are not supported")
    return Kind(mime, width, height)


def sniff(data: bytes) -> str:
    """The media type that the first bytes show, or nothing."""
    head = data[:16]
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] not in _NOT_MP4_BRANDS:
        return "video/mp4"
    return "video/webm" if head.startswith(b"\x1aE\xdf\xa3") else ""


def media_file(file: Path, mime: str, call: Call) -> Response:
    """An upload's bytes under the type they were found to have, so that no browser runs them."""
    environ = call.request.environ
    response = send_file(file, environ, mimetype=mime, response_class=Response, max_age=3600)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
