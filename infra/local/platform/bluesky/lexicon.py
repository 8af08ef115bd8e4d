"""What a post must be: lexicons app.bsky.feed.post, .richtext.facet, .embed.images and .embed.external.

The messages are those of a PDS 0.4.217. Embeds of other types pass unread, as an open union allows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import regex

Check = Callable[[Any, str], None]
"""Raises LexiconError when a value, found at a path, is not allowed."""

POST = "app.bsky.feed.post"
FACET = "app.bsky.richtext.facet"
IMAGES = "app.bsky.embed.images"
EXTERNAL = "app.bsky.embed.external"
IMAGE_BYTES = 1_000_000
_CLUSTER = regex.compile(r"\X")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)")
_FORMATS = {
    "language": re.compile(r"(i|[a-z]{2,3})(-[A-Za-z0-9]{1,8})*"),
    "uri": re.compile(r"\w+:(//)?[^\s/]\S*", re.ASCII),
    "DID": re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]"),
    "at-uri": re.compile(r"at://[A-Za-z0-9._:%-]+(/[A-Za-z0-9.-]+(/[A-Za-z0-9._:~-]+)?)?"),
    "cid": re.compile(r"[A-Za-z0-9+]{8,}"),
}


class LexiconError(ValueError):
    """The value is not what the lexicon asks for; the message says what and where."""


def check_post(value: Any) -> None:
    """Raises LexiconError."""
    _POST(value, "$.record")


def _string(form: str = "", most_bytes: int | None = None, most_graphemes: int | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise _unexpected("string", value, path)
        size = len(value.encode())
        if most_bytes is not None and size > most_bytes:
            raise LexiconError(f"string too big (maximum {most_bytes}, got {size}) at {path}")
        if most_graphemes is not None and size > most_graphemes:
            graphemes = len(_CLUSTER.findall(value))
            if graphemes > most_graphemes:
                raise LexiconError(f"grapheme too big (maximum {most_graphemes}, got {graphemes}) at {path}")
        if form and not _has_form(form, value):
            raise LexiconError(f"Invalid {form} (got {_shown(value)}) at {path}")

    return check


def _has_form(form: str, value: str) -> bool:
    if form != "datetime":
        return _FORMATS[form].fullmatch(value) is not None
    try:
        return bool(_DATETIME.fullmatch(value)) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _integer(least: int) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _unexpected("integer", value, path)
        if value < least:
            raise LexiconError(f"integer too small (minimum {least}, got {value}) at {path}")

    return check


def _array(of: Check, most: int | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise _unexpected("array", value, path)
        if most is not None and len(value) > most:
            raise LexiconError(f"array too big (maximum {most}, got {len(value)}) at {path}")
        for at, item in enumerate(value):
            of(item, f"{path}[{at}]")

    return check


def _object(required: str, **properties: Check) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _unexpected("object", value, path)
        for name, of in properties.items():
            if name in value:
                of(value[name], f"{path}.{name}")
            elif name in required.split():
                raise LexiconError(f'Missing required key "{name}" at {path}')

    return check


def _union(types: dict[str, Check]) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict) or not isinstance(value.get("$type"), str):
            raise _unexpected('an object which includes the "$type" property', value, path)
        if value["$type"] in types:
            types[value["$type"]](value, path)

    return check


def _image(value: Any, path: str) -> None:
    if not is_blob(value):
        raise _unexpected("blob", value, path)
    if not value["mimeType"].startswith("image/"):
        raise LexiconError(f'Expected "image/*" (got {_shown(value["mimeType"])}) at {path}.mimeType')
    if value["size"] > IMAGE_BYTES:
        raise LexiconError(f"blob too big (maximum {IMAGE_BYTES}, got {value['size']}) at {path}")


def is_blob(value: Any) -> bool:
    """Whether a value refers to an upload (atproto.com/specs/data-model#blob-type)."""
    return (
        isinstance(value, dict)
        and value.get("$type") == "blob"
        and isinstance(value.get("ref"), dict)
        and isinstance(value["ref"].get("$link"), str)
        and isinstance(value.get("mimeType"), str)
        and isinstance(value.get("size"), int)
    )


def _unexpected(wanted: str, value: Any, path: str) -> LexiconError:
    return LexiconError(f"Expected {wanted} value type (got {_shown(value)}) at {path}")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)}: ...' for name in list(value)[:3])}}}"
    return json.dumps(value, ensure_ascii=False)[:80]


_STRONG_REF = _object("uri cid", uri=_string("at-uri"), cid=_string("cid"))
_FACET = _object(
    "index features",
    index=_object("byteStart byteEnd", byteStart=_integer(0), byteEnd=_integer(0)),
    features=_array(
        _union(
            {
                f"{FACET}#link": _object("uri", uri=_string("uri")),
                f"{FACET}#mention": _object("did", did=_string("DID")),
                f"{FACET}#tag": _object("tag", tag=_string("", 640, 64)),
            }
        )
    ),
)
_SHAPE = _object("width height", width=_integer(1), height=_integer(1))
_PICTURES = _array(_object("image alt", image=_image, alt=_string(), aspectRatio=_SHAPE), 4)
_CARD = _object(
    "uri title description", uri=_string("uri"), title=_string(), description=_string(), thumb=_image
)
_POST = _object(
    "text createdAt",
    text=_string("", 3_000, 300),
    facets=_array(_FACET),
    reply=_object("root parent", root=_STRONG_REF, parent=_STRONG_REF),
    embed=_union(
        {
            IMAGES: _object("images", images=_PICTURES),
            EXTERNAL: _object("external", external=_CARD),
        }
    ),
    langs=_array(_string("language"), 3),
    tags=_array(_string("", 640, 64), 8),
    createdAt=_string("datetime"),
)
