"""Media: uploaded by presigned form, checked on the real bytes, then kept under the digest of those bytes.

What is published is read back by digest and compared again, so a file replaced after approval cannot go out.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.core.database import Item
from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.expressions import where
from chalicelib.core.files import inspect
from chalicelib.core.history import By
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Kernel
from chalicelib.core.objects import Objects
from chalicelib.core.records import from_item, to_item
from chalicelib.publishing.model import MediaUse

UPLOAD_FOR = 900  # seconds a presigned form works
# The largest that any supported platform takes; each account's own limits are checked with the post.
MAX_BYTES = {
    "image/jpeg": 16_777_216,
    "image/png": 16_777_216,
    "image/gif": 16_777_216,
    "image/webp": 16_777_216,
    "video/mp4": 103_809_024,
}
MAX_PIXELS = 33_177_600


@dataclass(frozen=True)
class Media:
    """A file: `waiting` for its bytes, `ready`, or `refused` with the reason."""

    media_id: str
    state: str
    mime: str
    name: str
    by_id: str
    created_at: datetime
    digest: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    reason: str | None = None

    def use(self, alt: str) -> MediaUse:
        """How a post uses it, described by `alt`. Raises Conflict unless it is ready."""
        if self.state != "ready" or self.digest is None or self.size is None:
            raise Conflict(f"file {self.name} is {self.state}; check its upload first")
        return MediaUse(self.media_id, self.digest, self.mime, self.size, alt, self.width, self.height)


class MediaLibrary:
    def __init__(self, kernel: Kernel, objects: Objects) -> None:
        self._kernel = kernel
        self._objects = objects

    def begin_upload(self, by: By, name: str, mime: str) -> tuple[Media, dict[str, Any]]:
        """A new file and the form to upload its bytes with. Raises InvalidInput for a type we do not take."""
        if mime not in MAX_BYTES:
            taken = ", ".join(sorted(MAX_BYTES))
            raise InvalidInput([Problem("mime", f"{mime} is not taken; use one of {taken}")])
        now = self._kernel.clock.now()
        media = Media(new_id("media", now), "waiting", mime, name, by.person_id, now)
        change = self._kernel.change(by)
        change.put("posts", _item(media), where("attribute_not_exists(pk)"))
        change.record(f"media#{media.media_id}", "upload begun")
        self._kernel.commit(change)
        form = self._objects.upload_form(_upload_key(media), mime, MAX_BYTES[mime], UPLOAD_FOR)
        return media, form

    def check(self, by: By, media_id: str) -> Media:
        """Look at the uploaded bytes: they make the file `ready`, or refuse it with every reason at once.

        Raises NotFound when nothing was uploaded yet. Checking again returns the first verdict.
        """
        media = self.get(media_id)
        if media.state != "waiting":
            return media
        body = self._objects.read(_upload_key(media), MAX_BYTES[media.mime] + 1)
        checked = _inspect(media, body)
        if checked.state == "ready":
            self._objects.write(f"media/{checked.digest}", body, media.mime)
        change = self._kernel.change(by)
        first = Conflict("this file was checked just now; look at it again")
        change.put("posts", _item(checked), where("state = :w", w="waiting"), first)
        change.record(f"media#{media_id}", checked.state, why=checked.reason, digest=checked.digest)
        self._kernel.commit(change)
        return checked

    def get(self, media_id: str) -> Media:
        """Raises NotFound."""
        media = self.find(media_id)
        if media is None:
            raise NotFound(f"there is no file {media_id}")
        return media

    def find(self, media_id: str) -> Media | None:
        item = self._kernel.database.get("posts", {"pk": f"media#{media_id}", "sk": "media"})
        return from_item(Media, item) if item else None

    def bytes_of(self, digest: str) -> bytes:
        """The bytes with this digest. Raises Conflict if the bucket holds others under its name."""
        body = self._objects.read(f"media/{digest}")
        if hashlib.sha256(body).hexdigest() != digest:
            raise Conflict(f"the stored bytes of {digest[:12]} are not those that were approved")
        return body

    def view_url(self, digest: str) -> str:
        """An address for a page to show the file from, valid ten minutes."""
        return self._objects.view_url(f"media/{digest}", 600)


def _inspect(media: Media, body: bytes) -> Media:
    found = inspect(body, media.mime, MAX_BYTES[media.mime], MAX_PIXELS)
    return replace(
        media,
        state="refused" if found.problems else "ready",
        digest=found.digest,
        size=len(body),
        width=found.width,
        height=found.height,
        reason="; ".join(found.problems) or None,
    )


def _upload_key(media: Media) -> str:
    return f"uploads/{media.media_id}"


def _item(media: Media) -> Item:
    return {**to_item(media), "pk": f"media#{media.media_id}", "sk": "media"}
