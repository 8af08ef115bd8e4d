"""What both of X's event forms share: ids that hold their time, languages, and direct messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind, InboundMedia
from chalicelib.platforms.signing import list_of, object_of, text_of, when_millis

_SNOWFLAKES_SINCE = 1288834974657
"""The first milliseconds of X's ids (4 November 2010)."""
_MEDIA = {"photo": "image", "video": "video", "animated_gif": "video"}


def made_at(external_id: str) -> datetime:
    """When the object with this id was made: all but the last 22 bits of it. Raises ValueError, TypeError."""
    if not (external_id.isascii() and external_id.isdigit()):
        raise ValueError("an id that is not a number")
    return when_millis((int(external_id) >> 22) + _SNOWFLAKES_SINCE)


def language_of(value: Any) -> str:
    """The language that X guessed; its `und`, `zxx`, `qme` and their like are none."""
    name = text_of(value)
    return "" if name in ("und", "zxx", "art") or (len(name) == 3 and name.startswith("q")) else name


def address_of(post_id: str) -> str:
    return f"https://x.com/i/status/{post_id}"


def media_of(items: Sequence[Any]) -> tuple[InboundMedia, ...]:
    """Photos and films; of a film that has no address, its still."""
    found = []
    for item in map(object_of, items):
        addresses = (item.get("url"), item.get("media_url_https"), item.get("preview_image_url"))
        still = text_of(item.get("media_url_https")) or text_of(item.get("url"))
        url = still if "media_url_https" in item else next((text_of(a) for a in addresses if a), "")
        kind = _MEDIA.get(text_of(item.get("type")), "link")
        found.append(InboundMedia(kind, url, text_of(item.get("alt_text"))))
    return tuple(found)


def message_event(
    account: str, message: Mapping[str, Any], users: Mapping[str, Any], key: str
) -> Sequence[InboundEvent]:
    """A direct message; its thread is the other party."""
    body = object_of(message["message_create"])
    sender = text_of(body["sender_id"])
    recipient = text_of(object_of(body["target"])["recipient_id"])
    own = sender == account
    content = object_of(body.get("message_data"))
    attached = object_of(object_of(content.get("attachment")).get("media"))
    return (
        InboundEvent(
            platform="x",
            kind=InboundKind.MESSAGE,
            key=key,
            account=account,
            happened_at=when_millis(message["created_timestamp"]),
            external_id=text_of(message["id"]),
            author=person(sender, object_of(users.get(sender))),
            own=own,
            thread=recipient if own else sender,
            text=text_of(content.get("text")),
            media=media_of([attached]) if attached else (),
        ),
    )


def person(external_id: str, user: Mapping[str, Any]) -> Author:
    """Somebody as either form describes them; some lists wrap each in `data`."""
    known = object_of(user.get("data")) or user
    handle = text_of(known.get("username")) or text_of(known.get("screen_name"))
    return Author(
        external_id, handle, text_of(known.get("name")), f"https://x.com/{handle}" if handle else ""
    )


def listed(items: Any) -> dict[str, Mapping[str, Any]]:
    """People of an `includes` list, by their ids."""
    people = [object_of(object_of(item).get("data")) or object_of(item) for item in list_of(items)]
    return {text_of(each.get("id")): each for each in people}
