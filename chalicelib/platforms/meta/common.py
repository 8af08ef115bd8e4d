"""What the webhooks of Facebook, Instagram, Threads and WhatsApp share: one handshake, one signature.

Facts: https://developers.facebook.com/docs/graph-api/webhooks/getting-started and the reference of the
`permissions` object beside it.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import digest
from typing import Any
from urllib.parse import parse_qs

from chalicelib.core.clock import from_text, to_text
from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.platforms.inbound import (
    BadSignature,
    Delivery,
    Handshake,
    InboundEvent,
    InboundKind,
    LiveSecrets,
    Piece,
    Signed,
)
from chalicelib.platforms.signing import (
    any_key,
    fingerprint,
    hmac_hex,
    json_object,
    list_of,
    matches,
    object_of,
    text_of,
    when_millis,
    when_seconds,
)

_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{1,256}", re.ASCII)
_FORM = b"signed_request="
_MILLIS_FROM = 10**11
"""Entries of messages carry milliseconds, those of changes seconds; as seconds this is the year 5138."""
_TAKEN = {"revoked", "revoke", "disconnected", "disconnect"}
_GIVEN = {"granted", "grant", "connected", "connect", "added", "removed"}
"""`added` and `removed` are of the bookmark, which is no permission."""


@dataclass(frozen=True)
class Origin:
    """Where an event came from: the envelope around it. `at` is when Meta sent it, not when it happened."""

    platform: str
    topic: str
    account: str
    at: datetime

    def event(self, kind: InboundKind, key: str, **facts: Any) -> InboundEvent:
        facts = {"account": self.account, "happened_at": self.at, **facts}
        return InboundEvent(platform=self.platform, kind=kind, key=key, **facts)

    def unknown(self, name: str, value: Any) -> tuple[InboundEvent]:
        key = fingerprint(self.topic, self.account, name, value)
        return (self.event(InboundKind.UNKNOWN, key, details={"type": name[:100]}),)


class MetaWebhook:
    """One product's webhook; `topic` is the `object` of its deliveries, and `events` says what they mean."""

    platform = ""
    topic = ""
    ignores_bad_signatures = False

    def handshake(self, delivery: Delivery, secrets: LiveSecrets) -> Handshake | None:
        """Echoes `hub.challenge` to who knows the verify token; 403 to others."""
        if "hub.mode" not in delivery.query:
            return None
        token = secrets.values.get("verify_token", "").encode()
        challenge = delivery.query.get("hub.challenge", "")
        known = bool(token) and matches(token, delivery.query.get("hub.verify_token", ""))
        if known and delivery.query["hub.mode"] == "subscribe" and _CHALLENGE.fullmatch(challenge):
            return Handshake(challenge)
        return Handshake("Not the verify token of this address.", 403)

    def verify(self, delivery: Delivery, secrets: LiveSecrets) -> Signed:
        """`X-Hub-Signature-256` is `sha256=` and the hex HMAC-SHA256 of the body under the app secret.

        The older SHA-1 header comes beside it and is never enough. The callback for removed apps has no
        header: there the form's `signed_request` holds the signature.
        """
        given = delivery.headers.get("x-hub-signature-256")
        if given is None and delivery.raw.startswith(_FORM):
            signature, _, payload = _signed_request(delivery.raw).partition(".")
            message = payload.encode("utf-8", "replace")
            if any_key(secrets.keys, lambda key: _urlsafe(key, message), signature.rstrip("=")):
                return Signed("signed_request")
        elif given is not None and any_key(
            secrets.keys, lambda key: b"sha256=" + hmac_hex(key, delivery.raw), given
        ):
            return Signed("sha256")
        raise BadSignature("This delivery is not signed with a secret of the app.")

    def split(self, delivery: Delivery) -> Sequence[Piece]:
        """One piece for each change and message; Meta puts up to 1,000 into one delivery."""
        received_at = to_text(delivery.received_at)
        if delivery.raw.startswith(_FORM):
            return ({"signed_request": _request(delivery.raw), "received_at": received_at},)
        body = json_object(delivery.raw)
        try:
            return [{**piece, "received_at": received_at} for piece in self._pieces(body)]
        except TypeError as error:
            raise InvalidInput([Problem("entry", str(error))]) from None

    def normalise(self, piece: Piece) -> Sequence[InboundEvent]:
        at = from_text(piece["received_at"])
        if "signed_request" in piece:
            return _deauthorised(self.platform, piece["signed_request"], at)
        entry = object_of(piece["entry"])
        origin = Origin(self.platform, text_of(piece["object"]), text_of(entry.get("id")), _sent(entry, at))
        if origin.topic == "permissions":
            return _permissions(origin, object_of(piece["change"]))
        if origin.topic != self.topic:
            field = text_of(object_of(piece.get("change")).get("field"))
            said = {k: v for k, v in piece.items() if k not in ("entry", "received_at")}
            return origin.unknown(f"{origin.topic}.{field}", said)
        return self.events(origin, piece)

    def events(self, origin: Origin, piece: Piece) -> Sequence[InboundEvent]:
        """What a piece of this product's own object says."""
        raise NotImplementedError

    def _pieces(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        if not isinstance(body.get("entry"), list):
            raise TypeError("an array was expected")
        for entry in body["entry"]:
            yield from self._pieces_of(text_of(body.get("object")), object_of(entry))

    def _pieces_of(self, name: str, entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        about = {"object": name, "entry": {k: entry[k] for k in ("id", "time") if k in entry}}
        found = False
        for change in list_of(entry.get("changes")):
            found = True
            yield from ({**about, "change": part} for part in self.parts(object_of(change)))
        for way in ("messaging", "standby"):
            for item in list_of(entry.get(way)):
                found = True
                yield {**about, "messaging": object_of(item)}
        if not found and "field" in entry:
            yield {**about, "change": {"field": entry["field"], "value": entry.get("value")}}
        elif not found:
            yield {**about, "change": {"field": "", "value": dict(entry)}}

    def parts(self, change: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The single events of a change that holds many; most hold one."""
        yield change


def change_of(piece: Piece) -> tuple[str, Mapping[str, Any]]:
    """A change's field and its value; a value that is not an object is put into one."""
    change = object_of(piece["change"])
    value = change.get("value")
    return text_of(change["field"]), value if isinstance(value, dict) else {"value": value}


def moment(value: Any) -> datetime:
    """The instant of Unix seconds or milliseconds: Meta writes both. Raises ValueError, TypeError."""
    units = int(text_of(value))
    return when_millis(units) if units >= _MILLIS_FROM else when_seconds(units)


def some(value: Any) -> str:
    """An id, which must not be empty. Raises ValueError, TypeError."""
    text = text_of(value)
    if not text:
        raise ValueError("an id that is empty")
    return text


def _sent(entry: Mapping[str, Any], received_at: datetime) -> datetime:
    return moment(entry["time"]) if "time" in entry else received_at


def _permissions(origin: Origin, change: Mapping[str, Any]) -> Sequence[InboundEvent]:
    """A permission that was given is nothing to act upon: the next call shows it.

    `target_ids` are the pages and accounts that it was taken for; without them it was the person's own.
    """
    field = text_of(change["field"])
    value = change.get("value")
    body = value if isinstance(value, dict) else change
    verb = text_of(body.get("verb"))
    if verb in _GIVEN:
        return ()
    if verb not in _TAKEN:
        return origin.unknown(f"permissions.{field}", change)
    whose = [text_of(target) for target in list_of(body.get("target_ids"))] or [origin.account]
    sent = int(origin.at.timestamp())
    reason = (
        "The app was disconnected from the account."
        if field == "connected"
        else f"The permission {field} was taken back."
    )
    return [
        origin.event(
            InboundKind.PERMISSION_REVOKED,
            f"permissions|{field}|{account}|{sent}",
            account=account,
            details={"reason": reason},
        )
        for account in whose
    ]


def _deauthorised(platform: str, request: Any, at: datetime) -> Sequence[InboundEvent]:
    body = object_of(request)
    issued_at = when_seconds(body["issued_at"]) if "issued_at" in body else at
    account = text_of(body["user_id"])
    return (
        InboundEvent(
            platform=platform,
            kind=InboundKind.PERMISSION_REVOKED,
            key=f"deauthorised|{account}|{text_of(body.get('issued_at'))}",
            account=account,
            happened_at=issued_at,
            details={"reason": "The app was removed from the account's settings."},
        ),
    )


def _signed_request(raw: bytes) -> str:
    try:
        return parse_qs(raw.decode("ascii"), max_num_fields=8).get("signed_request", [""])[0]
    except ValueError:
        raise BadSignature("This form is not a signed request.") from None


def _urlsafe(key: bytes, message: bytes) -> bytes:
    return base64.urlsafe_b64encode(digest(key, message, "sha256")).rstrip(b"=")


def _request(raw: bytes) -> dict[str, Any]:
    """The payload of a signed request. Raises InvalidInput for one that was not made for this callback.

    The website login makes signed requests with the same key, for everybody who logs in; those hold a `code`.
    """
    try:
        payload = _signed_request(raw).partition(".")[2].rstrip("=")
        body = json_object(base64.b64decode(payload + "=" * (-len(payload) % 4), b"-_", validate=True))
    except (BadSignature, ValueError):
        raise InvalidInput([Problem("signed_request", "is not base64url")]) from None
    if str(body.get("algorithm", "")).upper() != "HMAC-SHA256":
        raise InvalidInput([Problem("signed_request", "is not signed with HMAC-SHA256")])
    if "code" in body or "oauth_token" in body:
        raise InvalidInput([Problem("signed_request", "is of a login, not of a removed app")])
    return body
