"""X: the webhook of the X Activity API and of the older Account Activity API, which share CRC and signature.

Facts: https://docs.x.com/x-api/webhooks/introduction and the pages beside it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.platforms.inbound import (
    BadSignature,
    Delivery,
    Handshake,
    InboundEvent,
    LiveSecrets,
    Piece,
    Signed,
)
from chalicelib.platforms.signing import any_key, hmac_base64, hmac_hex, json_object, list_of, object_of
from chalicelib.platforms.x.activity import activity_events
from chalicelib.platforms.x.legacy import legacy_events

_TOKEN = re.compile(r"[A-Za-z0-9+/=_.-]{1,256}", re.ASCII)
"""The CRC signs what it is asked to sign, with the key and in the form of a delivery's own signature. A token
that cannot be a JSON object can never be passed off as one."""


class XWebhook:
    platform = "x"
    ignores_bad_signatures = False

    def handshake(self, delivery: Delivery, secrets: LiveSecrets) -> Handshake | None:
        """The CRC: `sha256=` and the base64 HMAC-SHA256 of the token under the consumer secret."""
        token = delivery.query.get("crc_token")
        if token is None:
            return None
        if not secrets.keys or not _TOKEN.fullmatch(token):
            return Handshake("Not a token of this platform.", 403)
        signed = hmac_base64(secrets.keys[0], token.encode("ascii")).decode("ascii")
        return Handshake(f'{{"response_token":"sha256={signed}"}}', content_type="application/json")

    def verify(self, delivery: Delivery, secrets: LiveSecrets) -> Signed:
        """`sha256=` and the base64 HMAC-SHA256 of the body; hex too, which others have seen on the wire."""
        given = delivery.headers.get("x-twitter-webhooks-signature", "")
        for form, encode in (("base64", hmac_base64), ("hex", hmac_hex)):
            if any_key(secrets.keys, _signature(encode, delivery.raw), given):
                return Signed(form)
        raise BadSignature("This delivery is not signed with a secret of the app.")

    def split(self, delivery: Delivery) -> Sequence[Piece]:
        body = json_object(delivery.raw)
        received_at = to_text(delivery.received_at)
        try:
            return [{**piece, "received_at": received_at} for piece in _pieces(body)]
        except TypeError as error:
            raise InvalidInput([Problem("body", str(error))]) from None

    def normalise(self, piece: Piece) -> Sequence[InboundEvent]:
        return activity_events(piece) if "data" in piece else legacy_events(piece)


def _signature(encode: Callable[[bytes, bytes], bytes], raw: bytes) -> Callable[[bytes], bytes]:
    return lambda key: b"sha256=" + encode(key, raw)


def _pieces(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """X Activity sends one event, Account Activity arrays of them, each with the people it names."""
    if "data" in body:
        data = object_of(body["data"])
        yield {"data": data, "includes": object_of(data.get("includes") or body.get("includes"))}
        return
    if "user_event" in body:
        yield {"name": "user_event", "event": object_of(body["user_event"]), "for_user_id": ""}
        return
    if "replay_job_status" in body:  # the end of a replay that we asked for; its events came by themselves
        return
    lists = [name for name in body if name.endswith("_events")]
    if not lists:
        raise TypeError("an event was expected")
    users = object_of(body.get("users"))
    for name in lists:
        for event in list_of(body[name]):
            piece = {"name": name, "event": object_of(event), "for_user_id": body.get("for_user_id")}
            named = {who: users[who] for who in _parties(event) if who in users}
            yield piece | ({"users": named} if named else {})


def _parties(event: Mapping[str, Any]) -> set[str]:
    """Whom a direct message is from and to."""
    message = event.get("message_create")
    if not isinstance(message, dict):
        return set()
    target = message.get("target")
    ends = [message.get("sender_id"), target.get("recipient_id") if isinstance(target, dict) else None]
    return {end for end in ends if isinstance(end, str)}
