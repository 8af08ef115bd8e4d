"""What comes from Mastodon servers: an administrator's webhooks, and the notifications that are polled.

Both make the same events of the same status, so a server that sends and is polled too tells everything once.
https://docs.joinmastodon.org/admin/webhooks/ and /entities/Notification/.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.platforms.calls import plain, web_address
from chalicelib.platforms.inbound import (
    Author,
    BadSignature,
    Delivery,
    Handshake,
    InboundEvent,
    InboundKind,
    InboundMedia,
    LiveSecrets,
    Piece,
    Signed,
)
from chalicelib.platforms.mastodon.text import from_html
from chalicelib.platforms.signing import any_key, hmac_hex, json_object, text_of, when_iso

_NAME = "mastodon"
# https://docs.joinmastodon.org/entities/AccountWarning/#action, in words.
_ACTIONS = {
    "disable": "The server's moderators have disabled the account's login.",
    "sensitive": "The server's moderators mark every post of the account as sensitive.",
    "silence": "The server's moderators have limited the account: only its followers see its posts.",
    "suspend": "The server's moderators have suspended the account.",
}
# The same, as flags of https://docs.joinmastodon.org/entities/Admin_Account/, the worst first.
_FLAGS = {"suspended": "suspend", "disabled": "disable", "silenced": "silence", "sensitized": "sensitive"}
_MEDIA = {"image": "image", "gifv": "video", "video": "video", "audio": "audio"}


class MastodonWebhook:
    platform = _NAME
    ignores_bad_signatures = False

    def handshake(self, delivery: Delivery, secrets: LiveSecrets) -> Handshake | None:
        """A Mastodon server asks nothing: its administrator enters the address."""
        return None

    def verify(self, delivery: Delivery, secrets: LiveSecrets) -> Signed:
        """`X-Hub-Signature: sha256=<hex>` over the raw body (app/workers/webhooks/delivery_worker.rb)."""
        form, _, given = delivery.headers.get("x-hub-signature", "").partition("=")
        if form != "sha256" or not any_key(secrets.keys, lambda key: hmac_hex(key, delivery.raw), given):
            raise BadSignature("The delivery is not signed with the secret of the server's webhook.")
        return Signed("sha256")

    def split(self, delivery: Delivery) -> Sequence[Piece]:
        """One call is one event. An administrator's template may give the body any form."""
        return [{"hook": json_object(delivery.raw), "received_at": to_text(delivery.received_at)}]

    def normalise(self, piece: Piece) -> Sequence[InboundEvent]:
        try:
            if "notification" in piece:
                return list(_notified(piece["account"], piece["notification"]))
            hooked = _hooked(piece["hook"], when_iso(piece["received_at"]))
            return [replace(event, is_server_wide=True) for event in hooked]
        except AttributeError as error:
            raise TypeError(f"not of the documented form: {error}") from None


def _event(kind: InboundKind, key: str, account: str, at: datetime, **fields: Any) -> InboundEvent:
    return InboundEvent(_NAME, kind, key, account, at, **fields)


# Webhooks


def _hooked(body: dict[str, Any], received_at: datetime) -> Iterator[InboundEvent]:
    name, made, thing = body.get("event"), body.get("created_at"), body.get("object")
    if not (isinstance(name, str) and isinstance(made, str) and isinstance(thing, dict)):
        key = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        yield _event(InboundKind.UNKNOWN, key, "", received_at, details={"type": "of a template"})
        return
    key, at = f"{name}:{text_of(thing.get('id'))}:{made}", when_iso(made)
    match name.partition(".")[0]:
        case "status":
            yield from _of_a_status(thing)
        case "account":
            yield _of_an_account(key, thing, at)
        case _:
            # A report names whom it is about; deciding on it is the moderators' work, not ours.
            reported = thing.get("target_account")
            account = text_of(reported["id"]) if isinstance(reported, dict) else ""
            yield _event(InboundKind.UNKNOWN, key, account, at, details={"type": plain(name)})


# Notifications


def _notified(account: str, told: dict[str, Any]) -> Iterator[InboundEvent]:
    kind, at = told["type"], when_iso(told["created_at"])
    unknown = _event(
        InboundKind.UNKNOWN, f"notification:{told['id']}", account, at, details={"type": plain(kind)}
    )
    match kind:
        case "mention" | "quote":
            yield _said_to(account, told["status"])
        case "update" | "quoted_update":
            # Somebody edited a status that we boosted or quoted: ours to know only if it spoke to us.
            if account in _addressed(told["status"]):
                yield _said_to(account, told["status"])
        case "favourite" | "reblog":
            yield _liked(account, kind, _author(told["account"]), told["status"], at)
        case "follow" | "follow_request":
            author = _author(told["account"])
            yield replace(
                unknown, kind=InboundKind.REACTION, author=author, details={"reaction": kind}, url=author.url
            )
        case "moderation_warning":
            yield from _warned(unknown, told["moderation_warning"])
        case _:
            yield unknown


def _liked(account: str, kind: str, who: Author, status: dict[str, Any], at: datetime) -> InboundEvent:
    status_id = text_of(status["id"])
    made = _event(
        InboundKind.SHARE if kind == "reblog" else InboundKind.REACTION,
        f"{kind}:{who.external_id}:{status_id}",
        account,
        at,
        external_id=status_id,
        post_id=status_id,
        author=who,
        url=_url(status),
    )
    return made if kind == "reblog" else replace(made, details={"reaction": kind})


def _warned(unknown: InboundEvent, warning: dict[str, Any]) -> Iterator[InboundEvent]:
    action = warning["action"]
    if action in _ACTIONS:
        details = {"reason": _ACTIONS[action]}
        yield replace(unknown, kind=InboundKind.ACCOUNT_RESTRICTED, details=details)
    elif action == "delete_statuses":
        for status_id in warning.get("status_ids") or ():
            yield replace(
                unknown,
                kind=InboundKind.CONTENT_DELETED,
                key=f"deleted:{status_id}",
                external_id=text_of(status_id),
                post_id=text_of(status_id),
                own=True,
                details={"reason": "The server's moderators have deleted the post."},
            )
    else:  # a warning alone, or posts marked as sensitive: nothing stops working
        yield replace(unknown, details={"type": f"moderation_warning {plain(action)}"})


# Statuses


def _of_a_status(status: dict[str, Any]) -> Iterator[InboundEvent]:
    """What one status means for everybody it concerns; which of them is ours the caller finds."""
    author = _author(status["account"])
    boosted = status.get("reblog")
    if isinstance(boosted, dict):
        at, owner = when_iso(status["created_at"]), text_of(boosted["account"]["id"])
        yield _liked(owner, "reblog", author, boosted, at)
        return
    yield _said_by(author, status)
    for account in _addressed(status):
        if account != author.external_id:
            yield _said_to(account, status)


def _said_to(account: str, status: dict[str, Any]) -> InboundEvent:
    """A status as the account that it speaks to sees it."""
    author = _author(status["account"])
    answered = text_of(status.get("in_reply_to_id"))
    answers_us = bool(answered) and text_of(status.get("in_reply_to_account_id")) == account
    kind = InboundKind.COMMENT if answers_us else InboundKind.MENTION
    return replace(
        _spoken(status, author),
        kind=InboundKind.MESSAGE if _is_private(status) else kind,
        account=account,
        thread=_thread(status, author.external_id),
        parent_id=answered,
        post_id=answered if answers_us else _quoted(status)[1],
    )


def _said_by(author: Author, status: dict[str, Any]) -> InboundEvent:
    """A status as its author's account sees it: an answer, or a post that is out."""
    made = replace(_spoken(status, author), account=author.external_id, own=True)
    others = [account for account in _addressed(status) if account != author.external_id]
    if others and (text_of(status.get("in_reply_to_id")) or _is_private(status)):
        return replace(
            made,
            kind=InboundKind.MESSAGE if _is_private(status) else InboundKind.COMMENT,
            thread=_thread(status, others[0]),
            parent_id=text_of(status.get("in_reply_to_id")),
        )
    details = {"outcome": "published", "reason": "", "post_id": made.external_id, "url": made.url}
    return replace(made, kind=InboundKind.PUBLISH_RESULT, post_id=made.external_id, details=details)


def _spoken(status: dict[str, Any], author: Author) -> InboundEvent:
    status_id, edited = text_of(status["id"]), text_of(status.get("edited_at"))
    warning, text = text_of(status.get("spoiler_text")), from_html(text_of(status.get("content")))
    return _event(
        InboundKind.MENTION,
        f"status:{status_id}:{edited}",
        "",
        when_iso(status["created_at"]),
        external_id=status_id,
        author=author,
        text=f"{warning}\n\n{text}".strip(),
        language=text_of(status.get("language")),
        url=_url(status),
        media=tuple(_media(status.get("media_attachments") or ())),
        edited_at=when_iso(edited) if edited else None,
    )


def _addressed(status: dict[str, Any]) -> list[str]:
    """Whom a status speaks to: whom it answers first, then whom it mentions, then whom it quotes."""
    told = [text_of(status.get("in_reply_to_account_id"))]
    told += [text_of(mention["id"]) for mention in status.get("mentions") or ()]
    told.append(_quoted(status)[0])
    return [account for account in dict.fromkeys(told) if account]


def _quoted(status: dict[str, Any]) -> tuple[str, str]:
    """Account and id of the status that a status quotes, where the server shows it."""
    quote = status.get("quote")
    quoted = quote.get("quoted_status") if isinstance(quote, dict) else None
    return (text_of(quoted["account"]["id"]), text_of(quoted["id"])) if isinstance(quoted, dict) else ("", "")


def _thread(status: dict[str, Any], other: str) -> str:
    """The other person. What is private stays apart, so that nobody answers it in public."""
    return f"private:{other}" if _is_private(status) else other


def _is_private(status: dict[str, Any]) -> bool:
    return status.get("visibility") == "direct"


def _author(account: dict[str, Any]) -> Author:
    return Author(
        text_of(account["id"]),
        plain(account.get("acct")),
        plain(account.get("display_name")),
        web_address(account.get("url")),
    )


def _url(status: dict[str, Any]) -> str:
    return web_address(status.get("url")) or web_address(status.get("uri"))


def _media(attached: Sequence[dict[str, Any]]) -> Iterator[InboundMedia]:
    for one in attached:
        url = web_address(one.get("url")) or web_address(one.get("remote_url"))
        yield InboundMedia(_MEDIA.get(text_of(one.get("type")), "file"), url, text_of(one.get("description")))


# Accounts


def _of_an_account(key: str, account: dict[str, Any], at: datetime) -> InboundEvent:
    account_id = text_of(account["id"])
    reason = next((_ACTIONS[action] for flag, action in _FLAGS.items() if account.get(flag) is True), "")
    if reason:
        return _event(InboundKind.ACCOUNT_RESTRICTED, key, account_id, at, details={"reason": reason})
    return _event(InboundKind.PROFILE_CHANGED, key, account_id, at, details={"field": "account"})
