"""LinkedIn: what people do with the posts of an organization.

Facts: https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation and
https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-social-action-notifications
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.core.clock import from_text, to_text
from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.platforms.inbound import (
    Author,
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
    object_of,
    text_of,
    when_millis,
)

_PREFIX = b"hmacsha256="
_CHALLENGE = re.compile(r"[A-Za-z0-9-]{1,128}", re.ASCII)
"""The answer is signed with the key of deliveries; without a `=` it can never be one of theirs."""
_SOCIAL = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"
_SHORT_URN = re.compile(r"\((?!urn:li:)")
_LIKER = re.compile(r"urn:li:like:\((urn:li:[A-Za-z]+:[A-Za-z0-9_-]+),", re.ASCII)
_COMMENT_ID = re.compile(r",([0-9]{16,20})\)$", re.ASCII)
_COMMENTS = {"COMMENT", "ADMIN_COMMENT", "COMMENT_EDIT"}


class LinkedInWebhook:
    platform = "linkedin"
    ignores_bad_signatures = False

    def handshake(self, delivery: Delivery, secrets: LiveSecrets) -> Handshake | None:
        """The hex HMAC-SHA256 of the challenge under the client secret, asked for every two hours."""
        challenge = delivery.query.get("challengeCode")
        if challenge is None:
            return None
        if not secrets.keys or not _CHALLENGE.fullmatch(challenge):
            return Handshake("Not a challenge of this platform.", 403)
        answer = hmac_hex(secrets.keys[0], challenge.encode("ascii")).decode("ascii")
        body = f'{{"challengeCode":"{challenge}","challengeResponse":"{answer}"}}'
        return Handshake(body, content_type="application/json")

    def verify(self, delivery: Delivery, secrets: LiveSecrets) -> Signed:
        """The hex HMAC-SHA256 of `hmacsha256=` and the body; the header may begin with the prefix too."""
        given = delivery.headers.get("x-li-signature", "")
        form = "prefixed" if given.startswith("hmacsha256=") else "bare"
        message = _PREFIX + delivery.raw
        if any_key(secrets.keys, lambda key: hmac_hex(key, message), given.removeprefix("hmacsha256=")):
            return Signed(form)
        raise BadSignature("This delivery is not signed with a secret of the app.")

    def split(self, delivery: Delivery) -> Sequence[Piece]:
        """Up to ten notifications come in one delivery; of other types there is one."""
        body = json_object(delivery.raw)
        received_at = to_text(delivery.received_at)
        if not isinstance(body.get("type"), str):
            raise InvalidInput([Problem("type", "is missing")])
        if body["type"] != _SOCIAL:
            return ({"type": body["type"], "notification": body, "received_at": received_at},)
        notifications = body.get("notifications")
        if not isinstance(notifications, list) or not all(isinstance(each, dict) for each in notifications):
            raise InvalidInput([Problem("notifications", "is not an array of objects")])
        return [{"type": _SOCIAL, "notification": each, "received_at": received_at} for each in notifications]

    def normalise(self, piece: Piece) -> Sequence[InboundEvent]:
        said, at = object_of(piece["notification"]), from_text(piece["received_at"])
        if piece["type"] != _SOCIAL:
            return (_unknown(text_of(piece["type"]), said, at),)
        changed_at = when_millis(said["lastModifiedAt"]) if "lastModifiedAt" in said else at
        action = text_of(said.get("action"))
        if action in _COMMENTS:
            return (_comment(action, said, changed_at),)
        if action == "COMMENT_DELETE":
            return (_event(InboundKind.CONTENT_DELETED, said, changed_at, external_id=_generated(said)),)
        if action == "LIKE":
            return (_like(said, changed_at),)
        if action in ("SHARE", "SHARE_MENTION"):
            return (_share(action, said, changed_at),)
        return (_unknown(f"{_SOCIAL}.{action}", said, changed_at),)


def _comment(action: str, said: Mapping[str, Any], at: datetime) -> InboundEvent:
    """Comments have two levels: an answer names the comment above it as its object or its parent."""
    comment = object_of(object_of(said.get("decoratedGeneratedActivity")).get("comment"))
    urn = _whole(comment.get("entity")) or _generated(said)
    owner, above = text_of(comment.get("owner")), text_of(comment.get("object"))
    parent = _whole(comment.get("parentComment")) or (above if above.startswith("urn:li:comment:") else "")
    text = text_of(comment.get("text")) or text_of(object_of(comment.get("message")).get("text"))
    return _event(
        InboundKind.COMMENT,
        said,
        _made_at(urn, at),
        external_id=urn,
        author=Author(owner) if owner else None,
        own=action == "ADMIN_COMMENT" or (owner != "" and owner == said.get("organizationalEntity")),
        thread=parent or urn,
        parent_id=parent or text_of(said.get("sourcePost")),
        text=text,
        edited_at=at if action == "COMMENT_EDIT" else None,
    )


def _like(said: Mapping[str, Any], at: datetime) -> InboundEvent:
    liker = _LIKER.match(_whole(said.get("generatedActivity")))
    return _event(
        InboundKind.REACTION,
        said,
        at,
        external_id=text_of(said.get("sourcePost")),
        author=Author(liker[1]) if liker else None,
        own=liker is not None and liker[1] == said.get("organizationalEntity"),
        details={"reaction": "like"},
    )


def _share(action: str, said: Mapping[str, Any], at: datetime) -> InboundEvent:
    """A share of our post, or a post of somebody that mentions us and may want an answer."""
    share = object_of(object_of(said.get("decoratedGeneratedActivity")).get("share"))
    urn, owner = text_of(share.get("entity")) or _generated(said), text_of(share.get("owner"))
    return _event(
        InboundKind.MENTION if action == "SHARE_MENTION" else InboundKind.SHARE,
        said,
        at,
        external_id=urn,
        author=Author(owner) if owner else None,
        own=owner != "" and owner == said.get("organizationalEntity"),
        thread=urn if action == "SHARE_MENTION" else "",
        text=text_of(share.get("text")),
        url=f"https://www.linkedin.com/feed/update/{urn}",
    )


def _event(kind: InboundKind, said: Mapping[str, Any], at: datetime, **facts: Any) -> InboundEvent:
    post = text_of(said.get("sourcePost"))
    around: dict[str, Any] = {
        "post_id": post,
        "url": f"https://www.linkedin.com/feed/update/{post}" if post else "",
    }
    return InboundEvent(
        platform="linkedin",
        kind=kind,
        key=text_of(said["notificationId"]),
        account=text_of(said["organizationalEntity"]),
        happened_at=at,
        **around | facts,
    )


def _unknown(name: str, said: Mapping[str, Any], at: datetime) -> InboundEvent:
    return InboundEvent(
        platform="linkedin",
        kind=InboundKind.UNKNOWN,
        key=text_of(said.get("notificationId")) or fingerprint(name, said),
        account=text_of(said.get("organizationalEntity")),
        happened_at=at,
        details={"type": name[:100]},
    )


def _generated(said: Mapping[str, Any]) -> str:
    urn = _whole(said.get("generatedActivity"))
    if not urn:
        raise ValueError("a notification of nothing")
    return urn


def _whole(value: Any) -> str:
    """A URN as the comment itself says it; `generatedActivity` leaves out the inner `urn:li:`."""
    return _SHORT_URN.sub("(urn:li:", text_of(value))


def _made_at(urn: str, at: datetime) -> datetime:
    """When the comment was written: its id's bits but the last 22 are milliseconds.

    An edit tells only its own time, and both must put the comment in the same place.
    """
    found = _COMMENT_ID.search(urn)
    return min(at, when_millis(int(found[1]) >> 22)) if found else at
