"""The media bucket: presigned uploads in, checked bytes out. The only S3 code."""

from collections.abc import Iterator
from typing import Any

from chalicelib.core.errors import NotFound

_CHUNK_BYTES = 1 << 20


class Objects:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def upload_form(self, key: str, mime: str, max_bytes: int, expires_for: int) -> dict[str, Any]:
        """A presigned POST for this key and type, of 1 to `max_bytes` bytes, for `expires_for` seconds."""
        form: dict[str, Any] = self._client.generate_presigned_post(
            self._bucket,
            key,
            Fields={"Content-Type": mime},
            Conditions=[{"Content-Type": mime}, ["content-length-range", 1, max_bytes]],
            ExpiresIn=expires_for,
        )
        return form

    def view_url(self, key: str, expires_for: int) -> str:
        """An address that shows the object for `expires_for` seconds."""
        url: str = self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=expires_for
        )
        return url

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object's bytes, a megabyte at a time. Raises NotFound."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404", "NotFound"):
                raise NotFound("nothing was uploaded yet") from error
            raise
        while chunk := body.read(_CHUNK_BYTES):
            yield chunk

    def read(self, key: str, most: int | None = None) -> bytes:
        """All of the object's bytes, or the first `most`. Raises NotFound."""
        if most is None:
            return b"".join(self.chunks(key))
        body = bytearray()
        for chunk in self.chunks(key):
            body += chunk[: most - len(body)]
            if len(body) == most:
                break
        return bytes(body)

    def write(self, key: str, body: bytes, mime: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=mime)
