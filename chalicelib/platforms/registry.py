"""The networks we speak, each loaded when it is first asked for; the only list of them there is."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from chalicelib.core.clock import Clock
from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.core.http import HttpClient
from chalicelib.platforms.port import Adapter, SessionStore, Traits

_ADAPTERS: Mapping[str, str] = {
    "bluesky": "chalicelib.platforms.bluesky.adapter:BlueskyAdapter",
    "mastodon": "chalicelib.platforms.mastodon.adapter:MastodonAdapter",
}


def names() -> tuple[str, ...]:
    """Every network's name, as accounts carry it."""
    return tuple(_ADAPTERS)


def traits(name: str) -> Traits:
    """What is true of a network. Raises InvalidInput for a name that is not in `names`."""
    return _class(name).traits


def adapter(name: str, http: HttpClient, clock: Clock, sessions: SessionStore) -> Adapter:
    """A network's adapter. Raises InvalidInput for a name that is not in `names`."""
    return _class(name)(http, clock, sessions)


def _class(name: str) -> type[Adapter]:
    if name not in _ADAPTERS:
        known = ", ".join(_ADAPTERS)
        raise InvalidInput([Problem("platform", f"This platform is not known here; choose one of: {known}.")])
    module, _, attribute = _ADAPTERS[name].partition(":")
    return cast(type[Adapter], getattr(import_module(module), attribute))
