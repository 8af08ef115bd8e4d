"""The networks we speak, each loaded when it is first asked for; the only lists of them there are.

A network stands in each table whose ability it has here: publishing, reading, searching, webhooks, polls,
subscriptions; what is called and sent stands in `_SIGNS` for all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any, cast

from chalicelib.core.clock import Clock
from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.core.http import HttpClient
from chalicelib.platforms.inbound import BackFilling, Polling, Receiving, Watching
from chalicelib.platforms.port import Adapter, Reading, ReadTraits, Searching, SessionStore, Traits
from chalicelib.platforms.surfaces import Signs, Surface

_PLATFORMS = "chalicelib.platforms"
_ADAPTERS: Mapping[str, str] = {
    "bluesky": f"{_PLATFORMS}.bluesky.adapter:BlueskyAdapter",
    "mastodon": f"{_PLATFORMS}.mastodon.adapter:MastodonAdapter",
}
_READING: Mapping[str, str] = {
    "facebook": f"{_PLATFORMS}.meta.facebook_reader:FacebookReader",
    "instagram": f"{_PLATFORMS}.meta.instagram_reader:InstagramReader",
    "threads": f"{_PLATFORMS}.meta.threads_reader:ThreadsReader",
    "x": f"{_PLATFORMS}.x.reader:XReader",
    "linkedin": f"{_PLATFORMS}.linkedin.reader:LinkedInReader",
    "tiktok": f"{_PLATFORMS}.tiktok.reader:TikTokReader",
    "youtube": f"{_PLATFORMS}.youtube.reader:YouTubeReader",
    "pinterest": f"{_PLATFORMS}.pinterest.reader:PinterestReader",
    "mastodon": _ADAPTERS["mastodon"],
    "bluesky": _ADAPTERS["bluesky"],
}
# The others find a profile by its exact name at most; Facebook's search of pages takes a feature that Meta
# grants app by app.
_SEARCHING: Mapping[str, str] = {
    "bluesky": f"{_PLATFORMS}.bluesky.search:BlueskySearch",
    "mastodon": f"{_PLATFORMS}.mastodon.search:MastodonSearch",
    "youtube": f"{_PLATFORMS}.youtube.search:YouTubeSearch",
    "x": f"{_PLATFORMS}.x.search:XSearch",
}
# Who sends us events, and what reads them; of those that are polled, their pieces.
_RECEIVING: Mapping[str, str] = {
    "facebook": f"{_PLATFORMS}.meta.facebook:FacebookWebhook",
    "instagram": f"{_PLATFORMS}.meta.instagram:InstagramWebhook",
    "threads": f"{_PLATFORMS}.meta.threads:ThreadsWebhook",
    "whatsapp": f"{_PLATFORMS}.meta.whatsapp:WhatsAppWebhook",
    "x": f"{_PLATFORMS}.x.webhook:XWebhook",
    "linkedin": f"{_PLATFORMS}.linkedin.webhook:LinkedInWebhook",
    "tiktok": f"{_PLATFORMS}.tiktok.webhook:TikTokWebhook",
    "youtube": f"{_PLATFORMS}.youtube.webhook:YouTubeWebhook",
    "mastodon": f"{_PLATFORMS}.mastodon.webhook:MastodonWebhook",
    "bluesky": f"{_PLATFORMS}.bluesky.inbound:BlueskyInbound",
}
_POLLING: Mapping[str, str] = {
    "bluesky": _ADAPTERS["bluesky"],
    "mastodon": _ADAPTERS["mastodon"],
    "youtube": f"{_PLATFORMS}.youtube.comments:YouTubeComments",
}
# How often one account is polled. A poll is two calls or so: Mastodon allows an account 300 calls in five
# minutes, Bluesky an address 3000. YouTube gives 10,000 units a day to all channels of a Google project
# together, and a poll takes one: every 20 minutes is 72 a day, so a hundred channels take 7,200 and leave
# 2,800 for long threads, busy hours and profiles. Pinterest's v5 (OpenAPI 5.23.0) has no webhooks, and no
# call that returns anything that somebody wrote; `/notifications` there is for partners who send.
_POLLED_EVERY: Mapping[str, timedelta] = {
    "bluesky": timedelta(minutes=1),
    "mastodon": timedelta(minutes=1),
    "youtube": timedelta(minutes=20),
}
# Threads and TikTok have no call that says what an account is subscribed to; there only silence shows.
_WATCHING: Mapping[str, str] = {
    "facebook": f"{_PLATFORMS}.meta.subscription:MetaSubscription",
    "instagram": f"{_PLATFORMS}.meta.subscription:MetaSubscription",
    "whatsapp": f"{_PLATFORMS}.meta.subscription:MetaSubscription",
    "x": f"{_PLATFORMS}.x.subscription:XSubscription",
    "linkedin": f"{_PLATFORMS}.linkedin.subscription:LinkedInSubscription",
    "youtube": f"{_PLATFORMS}.youtube.subscription:YouTubeSubscription",
}
# WhatsApp and TikTok keep nothing that was missed; Instagram and Threads list comments by post and not by
# time, so that everything of an account would have to be read to find them.
_BACK_FILLING: Mapping[str, str] = {
    "facebook": f"{_PLATFORMS}.meta.missed:FacebookMissed",
    "x": f"{_PLATFORMS}.x.subscription:XSubscription",
    "linkedin": f"{_PLATFORMS}.linkedin.subscription:LinkedInSubscription",
    "youtube": f"{_PLATFORMS}.youtube.missed:YouTubeMissed",
}


@dataclass(frozen=True)
class Watch:
    """How a network's subscriptions are looked after.

    `every`: how often one is checked; `renewed_before`: how long before its end it is renewed. `asks_us`: the
    network itself asks our door again and again, so that its silence is a sign (docs/decisions/0019).
    """

    every: timedelta
    renewed_before: timedelta = timedelta(days=2)
    asks_us: bool = False


# X stops a webhook whose hourly check failed, LinkedIn checks every two hours and blocks after three
# failures; of the others only a person or an ended lease takes a subscription away.
_WATCHED: Mapping[str, Watch] = {
    "facebook": Watch(timedelta(days=1)),
    "instagram": Watch(timedelta(days=1)),
    "threads": Watch(timedelta(days=1)),
    "whatsapp": Watch(timedelta(days=1)),
    "x": Watch(timedelta(hours=1)),
    "linkedin": Watch(timedelta(hours=2), timedelta(days=7), asks_us=True),
    "tiktok": Watch(timedelta(days=1)),
    "youtube": Watch(timedelta(days=1)),
}


# Where the app at the end of the address is the id of one subscription, and one secret signs for them all.
_ONE_SECRET = frozenset({"youtube"})


# Where the same name on two servers is two profiles; elsewhere a name is one profile's, wherever it is kept.
_LOCAL_NAMES = frozenset({"mastodon"})

# What is called on each network and what is sent to us, as data.
_SIGNS: Mapping[str, str] = {
    "bluesky": f"{_PLATFORMS}.bluesky.surfaces:SIGNS",
    "mastodon": f"{_PLATFORMS}.mastodon.surfaces:SIGNS",
    "facebook": f"{_PLATFORMS}.meta.surfaces:FACEBOOK",
    "instagram": f"{_PLATFORMS}.meta.surfaces:INSTAGRAM",
    "threads": f"{_PLATFORMS}.meta.surfaces:THREADS",
    "whatsapp": f"{_PLATFORMS}.meta.surfaces:WHATSAPP",
    "x": f"{_PLATFORMS}.x.surfaces:SIGNS",
    "linkedin": f"{_PLATFORMS}.linkedin.surfaces:SIGNS",
    "tiktok": f"{_PLATFORMS}.tiktok.surfaces:SIGNS",
    "youtube": f"{_PLATFORMS}.youtube.surfaces:SIGNS",
    "pinterest": f"{_PLATFORMS}.pinterest.surfaces:SIGNS",
}

# Whose API another network is called by, so that its version is theirs too.
_CALLED_BY: Mapping[str, str] = {"instagram": "facebook", "whatsapp": "facebook"}


@dataclass(frozen=True)
class InboundOnly:
    """A network that we cannot publish to yet."""

    name: str
    default_server: str
    version: str | None = None


_INBOUND_ONLY: Mapping[str, InboundOnly] = {
    "facebook": InboundOnly("Facebook", "https://graph.facebook.com"),
    "instagram": InboundOnly("Instagram", "https://graph.instagram.com"),
    "threads": InboundOnly("Threads", "https://graph.threads.net"),
    "whatsapp": InboundOnly("WhatsApp", "https://graph.facebook.com"),
    "x": InboundOnly("X", "https://api.x.com"),
    "linkedin": InboundOnly("LinkedIn", "https://api.linkedin.com"),
    "tiktok": InboundOnly("TikTok", "https://open.tiktokapis.com"),
    "youtube": InboundOnly("YouTube", "https://www.googleapis.com"),
    "pinterest": InboundOnly("Pinterest", "https://api.pinterest.com"),
}


def names() -> tuple[str, ...]:
    """Every network that we publish to, as accounts carry it."""
    return tuple(_ADAPTERS)


def traits(name: str) -> Traits:
    """What is true of a network. Raises InvalidInput for a name that is not in `names`."""
    return cast(type[Adapter], _class(_adapter(name))).traits


def adapter(name: str, http: HttpClient, clock: Clock, sessions: SessionStore) -> Adapter:
    """A network's adapter. Raises InvalidInput for a name that is not in `names`."""
    return cast(Adapter, _class(_adapter(name))(http, clock, sessions))


def inbound_only(name: str) -> InboundOnly | None:
    """What is known of a network that we only hear from; None for any other name."""
    return _INBOUND_ONLY.get(name)


def reading_names() -> tuple[str, ...]:
    """Every network whose profiles we can read."""
    return tuple(_READING)


def read_traits(name: str) -> ReadTraits:
    """What reading profiles of a network takes. Raises KeyError for a name that is not in `reading_names`."""
    return cast(ReadTraits, _class(_READING[name]).read_traits)


def reading(name: str, http: HttpClient, clock: Clock, sessions: SessionStore) -> Reading:
    """What reads a network's profiles. Raises KeyError for a name that is not in `reading_names`."""
    return cast(Reading, _class(_READING[name])(http, clock, sessions))


def searching_names() -> tuple[str, ...]:
    """Every network that lets a profile be found by words."""
    return tuple(_SEARCHING)


def searching(name: str, http: HttpClient, clock: Clock, sessions: SessionStore) -> Searching | None:
    """What finds profiles on a network by words, or None."""
    return cast(Searching, _class(_SEARCHING[name])(http, clock, sessions)) if name in _SEARCHING else None


def has_local_names(name: str) -> bool:
    """Whether each server of a network has names of its own."""
    return name in _LOCAL_NAMES


def receiving_names() -> tuple[str, ...]:
    """Every network whose events we can read."""
    return tuple(_RECEIVING)


@cache
def receiving(name: str) -> Receiving:
    """A network's webhook scheme. Raises KeyError for a name that is not in `receiving_names`."""
    return cast(Receiving, _class(_RECEIVING[name])())


def has_one_secret(name: str) -> bool:
    """Whether all addresses of a network share one secret, whatever app they end in."""
    return name in _ONE_SECRET


def polled_every(name: str) -> timedelta | None:
    """How often an account of the network is polled; None where its events come by themselves."""
    return _POLLED_EVERY.get(name)


def polling(name: str, http: HttpClient, clock: Clock, sessions: SessionStore) -> Polling | None:
    """What polls a network, or None."""
    return cast(Polling, _class(_POLLING[name])(http, clock, sessions)) if name in _POLLING else None


def watch(name: str) -> Watch | None:
    """How a network's subscriptions are looked after; None where there is nothing to subscribe to."""
    return _WATCHED.get(name)


def watching(name: str, http: HttpClient, clock: Clock, sessions: SessionStore) -> Watching | None:
    """What checks and renews a network's subscriptions; None where it has no way to ask."""
    return cast(Watching, _class(_WATCHING[name])(http, clock, sessions)) if name in _WATCHING else None


def back_filling(name: str, http: HttpClient, clock: Clock, sessions: SessionStore) -> BackFilling | None:
    """What fetches from a network the events of an outage, or None."""
    if name not in _BACK_FILLING:
        return None
    return cast(BackFilling, _class(_BACK_FILLING[name])(http, clock, sessions))


def all_names() -> tuple[str, ...]:
    """Every network there is anything to say of."""
    return tuple(_SIGNS)


def signs(name: str) -> Signs:
    """What we call on a network, and what in its answers is a sign of a change. Raises KeyError for a name
    that is not in `all_names`.
    """
    return cast(Signs, _object(_SIGNS[name]))


def surfaces(name: str) -> tuple[Surface, ...]:
    """What we call on a network and what it sends to us; nothing for a name that is not in `all_names`."""
    return signs(name).surfaces if name in _SIGNS else ()


def versioned(name: str) -> Traits | ReadTraits | None:
    """The traits that say which version of its API a network is called by; None where it has no versions."""
    name = name if name in _READING else _CALLED_BY.get(name, name)
    found = traits(name) if name in _ADAPTERS else read_traits(name) if name in _READING else None
    return found if found is not None and found.version else None


def version_family(name: str) -> str:
    """The network whose table of versions is the one for a network: Facebook's is for all of Graph."""
    return _CALLED_BY.get(name, name)


def _adapter(name: str) -> str:
    if name in _ADAPTERS:
        return _ADAPTERS[name]
    if name in _INBOUND_ONLY:
        message = f"Signalbox cannot publish to {_INBOUND_ONLY[name].name} yet."
    else:
        message = (
            f"This platform is not known here; choose one of: {', '.join({**_ADAPTERS, **_INBOUND_ONLY})}."
        )
    raise InvalidInput([Problem("platform", message)])


def _class(place: str) -> type[Any]:
    return cast(type[Any], _object(place))


def _object(place: str) -> object:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)
