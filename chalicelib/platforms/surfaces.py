"""Which calls of a network our code makes, as data: what a change of the network has to name to touch us.

One `surfaces.py` in each network's folder declares them; a test holds them to the requests that the adapters,
readers and polls make. `Signs` is what an answer may say of a change, for hearing.py.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_VERSION = re.compile(r"v[0-9]{1,3}(\.[0-9]{1,2})?", re.ASCII)
_ANY = re.compile(r"\{[^{}]*\}")
HOOK = "HOOK"
"""The method of what is sent to us; its path is the topic, and `uses` are its events and fields."""


@dataclass(frozen=True)
class Surface:
    """One call: `path` as the network's documentation writes it, without the version ("/2/tweets/{id}").

    `name` is a message of the catalogue, another for each call of a network. `ability` is what we need it
    for: publish, reply, read, search, poll, webhook, subscription or connect. `takes` are the parameters,
    fields and headers that we send, `answers` the fields of the answer that its documentation names, `uses`
    those among them that we read; "a.b" is field b of field a. `answers` is empty where an unknown field
    means nothing. `most` is the documented limit, as the header `Signs.limit_header` would say it.
    """

    name: str
    ability: str
    method: str
    path: str
    takes: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    most: int | None = None

    @property
    def operation(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def calls_out(self) -> bool:
        return self.method != HOOK

    def literals_in(self, method: str, path: str) -> int:
        """How many parts of a request's path are the surface's own words; -1 when it is another call."""
        return _alike(_parts(self.path), _parts(path)) if method == self.method else -1


@dataclass(frozen=True)
class Signs:
    """A network's calls, and what in its answers is a sign that something changes.

    `error_name` finds the name of an error in its JSON, "" where it has none; `errors` are the names that our
    tables know or its documentation has, `version_errors` those that say that the version has ended.
    """

    surfaces: tuple[Surface, ...]
    error_name: Callable[[Mapping[str, Any]], str] | None = None
    errors: frozenset[str] = frozenset()
    version_errors: frozenset[str] = frozenset()
    limit_header: str = ""


def called(surfaces: Iterable[Surface], method: str, path: str) -> tuple[Surface, ...]:
    """The surfaces that a request is of, by its method and its path without the query.

    Several, where a network has one path for different things and only the id in it tells which.
    """
    found = [(surface.literals_in(method, path), surface) for surface in surfaces]
    best = max((literals for literals, _ in found), default=-1)
    return tuple(surface for literals, surface in found if literals == best >= 0)


def words(text: str) -> frozenset[str]:
    """A set of names from a text of them."""
    return frozenset(text.split())


def _parts(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return parts[1:] if len(parts) > 1 and _VERSION.fullmatch(parts[0]) else parts


def _alike(ours: list[str], theirs: list[str]) -> int:
    """How many parts are the same words; -1 when a part differs. A placeholder of ours is any one part."""
    if len(ours) != len(theirs):
        return -1
    pairs = [(own, other) for own, other in zip(ours, theirs, strict=True) if not _ANY.fullmatch(own)]
    return len(pairs) if all(own == other for own, other in pairs) else -1
