"""What stands on the inbound queue: one event as its platform said it, and how it came here."""

import base64
import json
import zlib
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.clock import from_text, to_text
from chalicelib.platforms.inbound import Piece, Signed

VERSION = 1
LARGEST_PLAIN_BYTES = 200_000  # what is larger is compressed: SQS takes 256 kB
LARGEST_BYTES = 8_000_000  # of what a compressed body may unpack to


@dataclass(frozen=True)
class Wrapped:
    """A piece with the app it came for; of polls and back-fills, `app` is the account's id."""

    platform: str
    app: str
    received_at: datetime
    form: str
    stale: bool
    piece: Piece


def wrap(platform: str, app: str, received_at: datetime, signed: Signed, piece: Piece) -> str:
    """The body of a message for the inbound queue."""
    body = json.dumps(
        {
            "v": VERSION,
            "platform": platform,
            "app": app,
            "received_at": to_text(received_at),
            "form": signed.form,
            "stale": signed.stale,
            "piece": piece,
        },
        separators=(",", ":"),
    )
    if len(body) <= LARGEST_PLAIN_BYTES:  # it is ASCII
        return body
    packed = base64.b64encode(zlib.compress(body.encode())).decode()
    return json.dumps({"v": VERSION, "z": packed})


def unwrap(body: str) -> Wrapped:
    """What `wrap` was given. Raises ValueError for any other body, a later version's included."""
    try:
        said = json.loads(body)
        if "z" in said:
            unpack = zlib.decompressobj()
            said = json.loads(unpack.decompress(base64.b64decode(said["z"]), LARGEST_BYTES))
        if said["v"] != VERSION or not isinstance(said["piece"], dict):
            raise ValueError("it is of another version")
        return Wrapped(
            platform=str(said["platform"]),
            app=str(said["app"]),
            received_at=from_text(said["received_at"]),
            form=str(said["form"]),
            stale=said["stale"] is True,
            piece=said["piece"],
        )
    except (ValueError, KeyError, TypeError, RecursionError, zlib.error) as error:
        raise ValueError(f"a message that is no inbound event ({type(error).__name__})") from error
