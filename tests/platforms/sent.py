"""What a request sends, by name, and whether the network's surfaces declare it."""

import json
import re
from urllib.parse import parse_qsl, urlsplit

from chalicelib.core.http import Request
from chalicelib.platforms import registry
from chalicelib.platforms.surfaces import Surface, called

FOLDERS = {"meta": ("facebook", "instagram", "threads", "whatsapp")}
"""The networks of a folder of platforms/ where they are not one of its own name."""
_OF_HTTP = {"authorization", "content-type", "accept"}


def names_in(request: Request) -> set[str]:
    """Parameters of the query, fields of the body, and headers that are the network's own."""
    content = request.headers.get("Content-Type", "")
    sent = {name for name, _ in parse_qsl(urlsplit(request.url).query, keep_blank_values=True)}
    sent |= {name for name in request.headers if name.lower() not in _OF_HTTP}
    if content == "application/json":
        sent |= set(json.loads(request.body))
    elif content == "application/x-www-form-urlencoded":
        sent |= {name for name, _ in parse_qsl(request.body.decode())}
    elif content.startswith("multipart/form-data"):
        sent |= {name.decode() for name in re.findall(rb'form-data; name="(\w+)"', request.body)}
    return sent


def surfaces_of(folder: str) -> list[Surface]:
    return [surface for name in FOLDERS.get(folder, (folder,)) for surface in registry.surfaces(name)]


def undeclared(folder: str, request: Request) -> str:
    """What is wrong with a request of a folder's networks, "" where its surfaces declare all of it."""
    path = urlsplit(request.url).path
    found = called(surfaces_of(folder), request.method, path)
    if not found:
        return f"{request.method} {path} is in no surface of platforms/{folder}/surfaces.py"
    more = names_in(request) - {name for surface in found for name in surface.takes}
    return f"{found[0].operation} sends {sorted(more)}, which its surface does not take" if more else ""
