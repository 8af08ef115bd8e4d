"""TikTok's webhooks: one call is one event, and what it says is a JSON text inside of the JSON.

Facts: https://developers.tiktok.com/doc/webhooks-verification/, /doc/webhooks-events/ and
/doc/content-posting-api-reference-get-video-status.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.platforms.calls import plain
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
from chalicelib.platforms.signing import any_key, hmac_hex, json_object, text_of, when_seconds

_SIGNATURE = re.compile(r"t=(\d{1,11}),s=([0-9a-f]{64})", re.ASCII)
# TikTok names no tolerance, and tries again for 72 hours without saying whether `t` is made anew: what is
# older than this is kept and marked.
_WINDOW_FOR = timedelta(minutes=5)

_REMOVED = {
    0: "TikTok does not say why.",
    1: "Its owner disconnected Signalbox in the TikTok app.",
    2: "The TikTok account was deleted.",
    3: "The age of the account's owner changed.",
    4: "TikTok banned the account.",
    5: "The access was revoked by the application.",
}
_BANNED = "spam_risk_user_banned_from_posting"
_FAILED = {
    "file_format_check_failed": "TikTok does not take this file format.",
    "duration_check_failed": "The video is too long or too short for TikTok.",
    "frame_rate_check_failed": "TikTok does not take the video's frame rate.",
    "picture_size_check_failed": "TikTok does not take the picture's size.",
    "internal": "TikTok had a fault of its own; it can be tried again.",
    "video_pull_failed": "TikTok could not fetch the video; it can be tried again.",
    "photo_pull_failed": "TikTok could not fetch the photo; it can be tried again.",
    "publish_cancelled": "The upload was cancelled.",
    "auth_removed": "The account's owner removed the access during the upload; connect the account again.",
    "spam_risk_too_many_posts": "The account has made too many posts through applications in 24 hours.",
    _BANNED: "TikTok has banned the account from making posts.",
    "spam_risk_text": "TikTok takes the description for spam.",
    "spam_risk": "TikTok takes the post for spam.",
}
# `video.*` are the names that post.publish.complete and .failed had in the Share Kit; their id is `share_id`.
_PUBLISHED = frozenset(
    {"post.publish.complete", "post.publish.publicly_available", "video.publish.completed"}
)
_NOT_PUBLISHED = frozenset({"post.publish.failed", "video.upload.failed"})
# The first is TikTok's own spelling, the second what it would be if they mended it.
_GONE = frozenset({"post.publish.no_longer_publicaly_available", "post.publish.no_longer_publicly_available"})


class TikTokWebhook:
    platform = "tiktok"
    ignores_bad_signatures = False

    def handshake(self, delivery: Delivery, secrets: LiveSecrets) -> Handshake | None:
        """TikTok asks nothing: the address is set in its portal."""
        return None

    def verify(self, delivery: Delivery, secrets: LiveSecrets) -> Signed:
        """`TikTok-Signature: t=<seconds>,s=<hex>`: HMAC-SHA256 of `t`, a full stop and the raw body."""
        header = _SIGNATURE.fullmatch(delivery.headers.get("tiktok-signature", ""))
        if header is None:
            raise BadSignature("The delivery has no signature of TikTok's.")
        seconds, given = header.groups()
        signed = seconds.encode() + b"." + delivery.raw
        if not any_key(secrets.keys, lambda key: hmac_hex(key, signed), given):
            raise BadSignature("The delivery is not signed with TikTok's secret.")
        return Signed("sha256", stale=abs(delivery.received_at - when_seconds(seconds)) > _WINDOW_FOR)

    def split(self, delivery: Delivery) -> Sequence[Piece]:
        body = json_object(delivery.raw)
        if not isinstance(body.get("event"), str) or not isinstance(body.get("content"), str):
            raise InvalidInput([Problem("body", "has no event of TikTok's, or no content")])
        return [body]

    def normalise(self, piece: Piece) -> Sequence[InboundEvent]:
        name, said = piece["event"], piece["content"]
        if not (isinstance(name, str) and isinstance(said, str)):
            raise TypeError("an event and its content are texts")
        account = text_of(piece.get("user_openid"))
        event = InboundEvent(
            self.platform,
            InboundKind.UNKNOWN,
            f"{name}:{account}:{piece['create_time']}:{sha256(said.encode()).hexdigest()}",
            account,
            when_seconds(piece["create_time"]),
            details={"type": plain(name)},
        )
        if name == "authorization.removed":
            reason = _REMOVED.get(_content(said)["reason"], _REMOVED[0])
            return [replace(event, kind=InboundKind.PERMISSION_REVOKED, details={"reason": reason})]
        if name in _PUBLISHED or name in _NOT_PUBLISHED:
            return _outcome(event, name in _PUBLISHED, _content(said))
        if name in _GONE:
            return [_gone(event, _content(said))]
        return [event]


def _outcome(event: InboundEvent, published: bool, content: Mapping[str, Any]) -> list[InboundEvent]:
    job = text_of(content.get("publish_id")) or text_of(content["share_id"])
    post_id = text_of(content.get("post_id"))
    said = plain(content.get("reason"))
    reason = "" if published else _FAILED.get(said, f"TikTok says: {said or 'nothing more'}.")
    outcome = "published" if published else "failed"
    details = {"outcome": outcome, "reason": reason, "post_id": post_id, "url": ""}
    kind = InboundKind.PUBLISH_RESULT
    result = replace(event, kind=kind, external_id=job, post_id=post_id, own=True, details=details)
    if published or said != _BANNED:
        return [result]
    key, details = f"{event.key}:banned", {"reason": _FAILED[_BANNED]}
    return [result, replace(event, kind=InboundKind.ACCOUNT_RESTRICTED, key=key, details=details)]


def _gone(event: InboundEvent, content: Mapping[str, Any]) -> InboundEvent:
    post_id = text_of(content.get("post_id"))
    return replace(
        event,
        kind=InboundKind.CONTENT_DELETED,
        external_id=post_id or text_of(content["publish_id"]),
        post_id=post_id,
        own=True,
        details={"reason": "TikTok no longer shows the post to the public: deleted, hidden or taken down."},
    )


def _content(said: str) -> dict[str, Any]:
    try:
        return json_object(said.encode())
    except InvalidInput as error:
        raise ValueError(error.message) from None
