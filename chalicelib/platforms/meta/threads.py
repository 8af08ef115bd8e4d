"""Threads: replies, mentions, and the account's own posts that were published or deleted.

Facts: https://developers.facebook.com/docs/threads/webhooks. People have a username there and no id.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind, InboundMedia, Piece
from chalicelib.platforms.meta.common import MetaWebhook, Origin, change_of, some
from chalicelib.platforms.signing import list_of, object_of, text_of, when_iso

_TOPICS = {"moderate", "interaction"}
_MEDIA = {"IMAGE": "image", "VIDEO": "video", "AUDIO": "audio"}


class ThreadsWebhook(MetaWebhook):
    platform = "threads"
    topic = "threads"

    def _pieces(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Threads alone has no `entry`; the permissions of its app come with one."""
        if "entry" in body:
            yield from super()._pieces(body)
            return
        if body.get("topic") not in _TOPICS or not body.get("values"):
            raise TypeError("a topic of Threads with values was expected")
        around = {k: body[k] for k in ("topic", "target_id") if k in body}
        entry = {k: body[k] for k in ("time",) if k in body}
        values = body["values"]
        for change in values if isinstance(values, list) else [values]:
            yield {"object": "threads", "entry": entry, "around": around, "change": object_of(change)}

    def events(self, origin: Origin, piece: Piece) -> Sequence[InboundEvent]:
        field, value = change_of(piece)
        target = text_of(object_of(piece.get("around")).get("target_id"))
        if field == "replies":
            return _reply(origin, value, target)
        if field == "mentions":
            return _mention(origin, value, target)
        if field == "publish":
            return _published(origin, value, target)
        if field == "delete":
            return _deleted(origin, value, target)
        return origin.unknown(field, value)


def _reply(origin: Origin, value: Mapping[str, Any], target: str) -> Sequence[InboundEvent]:
    """The account is the root post's owner; its own reply is known by its name, and led to by its parent."""
    root = object_of(value.get("root_post"))
    username, owner = text_of(value.get("username")), text_of(root.get("username"))
    own = username != "" and username == owner
    root_id = text_of(root.get("id"))
    parent_id = text_of(object_of(value.get("replied_to")).get("id"))
    return (
        origin.event(
            InboundKind.COMMENT,
            f"replies|{some(value['id'])}",
            account=text_of(root.get("owner_id")) or target,
            own=own,
            thread="" if own else f"{root_id or parent_id or text_of(value['id'])}:{username}",
            parent_id=parent_id,
            post_id=root_id,
            **_post(origin, value),
        ),
    )


def _mention(origin: Origin, value: Mapping[str, Any], target: str) -> Sequence[InboundEvent]:
    root_id = text_of(object_of(value.get("root_post")).get("id"))
    return (
        origin.event(
            InboundKind.MENTION,
            f"mentions|{some(value['id'])}",
            account=target,
            thread=f"{root_id or text_of(value['id'])}:{text_of(value.get('username'))}",
            parent_id=text_of(object_of(value.get("replied_to")).get("id")),
            post_id=root_id or text_of(value["id"]),
            **_post(origin, value),
        ),
    )


def _published(origin: Origin, value: Mapping[str, Any], target: str) -> Sequence[InboundEvent]:
    """Of every post and reply of the account, also those made in the app itself."""
    post_id, url = some(value["id"]), text_of(value.get("permalink"))
    return (
        origin.event(
            InboundKind.PUBLISH_RESULT,
            f"publish|{post_id}",
            account=target,
            happened_at=_when(origin, value, "timestamp"),
            external_id=post_id,
            own=True,
            post_id=post_id,
            url=url,
            details={"outcome": "published", "reason": "", "post_id": post_id, "url": url},
        ),
    )


def _deleted(origin: Origin, value: Mapping[str, Any], target: str) -> Sequence[InboundEvent]:
    """Only what the account itself deleted is told."""
    post_id = some(value["id"])
    return (
        origin.event(
            InboundKind.CONTENT_DELETED,
            f"delete|{post_id}",
            account=text_of(object_of(value.get("owner")).get("owner_id")) or target,
            happened_at=_when(origin, value, "deleted_at"),
            external_id=post_id,
            own=True,
        ),
    )


def _post(origin: Origin, value: Mapping[str, Any]) -> dict[str, Any]:
    username = text_of(value.get("username"))
    return {
        "external_id": text_of(value["id"]),
        "happened_at": _when(origin, value, "timestamp"),
        "author": Author(username, handle=username) if username else None,
        "text": text_of(value.get("text")),
        "url": text_of(value.get("permalink")),
        "media": _media(value),
    }


def _media(value: Mapping[str, Any]) -> tuple[InboundMedia, ...]:
    alt = text_of(value.get("alt_text"))
    kind = _MEDIA.get(text_of(value.get("media_type")), "link")
    found = [(kind, value.get("media_url")), ("image", value.get("gif_url"))]
    found += [
        (_MEDIA.get(text_of(object_of(child).get("media_type")), "link"), object_of(child).get("media_url"))
        for child in list_of(object_of(value.get("children")).get("data"))
    ]
    return tuple(InboundMedia(kind, text_of(url), alt) for kind, url in found if url)


def _when(origin: Origin, value: Mapping[str, Any], name: str) -> datetime:
    return when_iso(value[name]) if name in value else origin.at
