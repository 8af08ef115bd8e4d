"""The webhook schemes under test, and the vendors' example deliveries.

A fixture is `tests/fixtures/webhooks/<platform>/<name>.json`: the vendor's `page`, and as `body` a delivery
as that page shows it, or with the fields that it lists. test_receiving.py lists every scheme once.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import cast

from chalicelib.platforms.inbound import Delivery, InboundEvent, LiveSecrets, Receiving

FIXTURES = Path(__file__).parents[1] / "fixtures" / "webhooks"
KEY = b"the current secret of the app"
OLD_KEY = b"the secret before it"
STRANGER = b"a secret that is not ours"
SECRETS = LiveSecrets((KEY, OLD_KEY), {"verify_token": "meatyhamhock"})
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

Signer = Callable[[bytes, bytes], Mapping[str, str]]
"""The headers that prove a body: of the key and the raw bytes."""


def hex_of(key: bytes, message: bytes, digest: str = "sha256") -> str:
    return hmac.new(key, message, digest).hexdigest()


def base64_of(key: bytes, message: bytes) -> str:
    return b64encode(hmac.new(key, message, "sha256").digest()).decode()


def meta(key: bytes, raw: bytes) -> Mapping[str, str]:
    return {"x-hub-signature-256": f"sha256={hex_of(key, raw)}"}


def x(key: bytes, raw: bytes) -> Mapping[str, str]:
    return {"x-twitter-webhooks-signature": f"sha256={base64_of(key, raw)}"}


def linkedin(key: bytes, raw: bytes) -> Mapping[str, str]:
    return {"x-li-signature": hex_of(key, b"hmacsha256=" + raw)}


def tiktok(key: bytes, raw: bytes) -> Mapping[str, str]:
    seconds = str(int(NOW.timestamp()))
    return {"tiktok-signature": f"t={seconds},s={hex_of(key, f'{seconds}.'.encode() + raw)}"}


def youtube(key: bytes, raw: bytes) -> Mapping[str, str]:
    """As Google's hub signs for the subscription "", with the secret that follows from the master key."""
    secret = hex_of(key, b"websub secret\n").encode()
    return {"x-hub-signature": f"sha1={hex_of(secret, raw, 'sha1')}"}


def mastodon(key: bytes, raw: bytes) -> Mapping[str, str]:
    return {"x-hub-signature": f"sha256={hex_of(key, raw)}"}


@dataclass(frozen=True)
class Scheme:
    """A scheme, how its platform signs, and the name of one of its fixtures.

    `digest` is the algorithm under which nothing weaker is taken; `is_json` is of its bodies.
    """

    name: str
    path: str
    sign: Signer
    example: str
    is_json: bool = True
    digest: str = "sha256"

    def make(self) -> Receiving:
        module, _, name = self.path.partition(":")
        return cast(Receiving, getattr(import_module(f"chalicelib.platforms.{module}"), name)())

    def raw(self) -> bytes:
        return fixture(self.name, self.example)

    def __str__(self) -> str:
        return self.name


def fixture(platform: str, name: str) -> bytes:
    """The body as it is sent: as it stands, or for JSON in the escaped form that Meta sends."""
    path = FIXTURES / platform / name
    if path.suffix:
        return path.read_bytes()
    return json.dumps(json.loads(path.with_suffix(".json").read_bytes())["body"]).encode("ascii")


def fixtures_of(platform: str) -> list[str]:
    return sorted(path.stem for path in (FIXTURES / platform).glob("*.json"))


def delivery(
    raw: bytes = b"",
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    received_at: datetime = NOW,
) -> Delivery:
    return Delivery("", query or {}, headers or {}, raw, received_at)


def events(scheme: Receiving, raw: bytes, late: timedelta = timedelta(0)) -> list[InboundEvent]:
    """What all pieces of a body say, each after its way through the queue."""
    pieces = scheme.split(delivery(raw, received_at=NOW + late))
    return [event for piece in pieces for event in scheme.normalise(json.loads(json.dumps(piece)))]


def only(scheme: Receiving, name: str) -> InboundEvent:
    """The one event of a fixture."""
    (event,) = events(scheme, fixture(scheme.platform, name))
    return event
