"""Whose profile an address leads to: platform, server and handle, from the many forms that addresses take.

Pure, and by the address alone. The forms are those of each network's own pages and share sheets; a path that
a network keeps for itself (`/explore`, `/watch`) is nobody's profile.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from chalicelib.core.wordlists import word_lists

_RESERVED = word_lists(Path(__file__).parent / "reserved.txt")
_LONGEST = 2000
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_FEDIVERSE = re.compile(r"@?([A-Za-z0-9_.-]{1,64})@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})")
_SERVER = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,22}[a-z]")
_DOMAIN_HANDLE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}", re.IGNORECASE)
_DID = re.compile(r"did:(?:plc:[a-z2-7]{24}|web:[A-Za-z0-9.%-]{1,250})")
_CHANNEL = re.compile(r"UC[A-Za-z0-9_-]{22}")
_DIGITS = re.compile(r"[0-9]{3,25}")
_LOCALE_HOST = re.compile(r"[a-z]{2}(?:-[a-z]{2})?")


@dataclass(frozen=True)
class Address:
    """One profile. `server` is empty where the network has only its own.

    `handle` is in lower case and without `@`, except ids (`UC...`, `did:...`), which are kept. A name that
    lives beside the handles has its space in front: `in:` for a member of LinkedIn, `c:` and `user:` for the
    older names of YouTube's channels, because the same word there is somebody else.
    """

    platform: str
    server: str
    handle: str


@dataclass(frozen=True)
class _Parts:
    """An address taken apart: the host without `www.` and `m.`, the path's segments, the query."""

    host: str
    segments: tuple[str, ...]
    query: Mapping[str, str]

    def segment(self, place: int) -> str:
        return self.segments[place] if place < len(self.segments) else ""


def recognise(text: str) -> Address | None:
    """Whose profile a text is the address of: a URL with or without scheme, `@name@server`, a did.

    None for anything else, however it is made.
    """
    cleaned = text.strip()
    if not 0 < len(cleaned) <= _LONGEST:
        return None
    if cleaned.startswith("at://"):
        return _bluesky(cleaned.removeprefix("at://").split("/", 1)[0])
    if _DID.fullmatch(cleaned):
        return _bluesky(cleaned)
    fediverse = _FEDIVERSE.fullmatch(cleaned)
    if fediverse and cleaned.startswith("@"):
        return _mastodon(fediverse[2], fediverse[1])
    if cleaned.startswith("@"):
        return _bluesky(cleaned[1:]) if cleaned.lower().endswith(".bsky.social") else None
    parts = _parts(cleaned)
    if parts is None:
        return None
    network = _NETWORKS.get(parts.host) or _by_suffix(parts.host)
    return network(parts) if network else _elsewhere(parts)


def _parts(text: str) -> _Parts | None:
    """The address taken apart; None for what is no web address."""
    if _SCHEME.match(text) and not text.lower().startswith(("http://", "https://")):
        return None
    try:
        split = urlsplit(text if "://" in text else f"https://{text}")
        host = (split.hostname or "").rstrip(".")
        port = split.port
        query = {k: v[0] for k, v in parse_qs(split.query, max_num_fields=50).items()}
        segments = tuple(s for s in (unquote(s, errors="strict") for s in split.path.split("/")) if s)
    except ValueError:
        return None
    if port not in (None, 80, 443) or "@" in split.netloc or not _SERVER.fullmatch(host):
        return None
    for prefix in ("www.", "m.", "mobile."):
        host = host.removeprefix(prefix)
    return _Parts(host, segments, query)


def _named(pattern: str, network: str = "") -> Callable[[str], str]:
    """What makes a handle of a segment: empty if it is none, or a word that the network keeps for itself."""
    compiled, words = re.compile(pattern), _RESERVED.get(network, frozenset())

    def handle(segment: str) -> str:
        name = segment.removeprefix("@").lower()
        return name if compiled.fullmatch(name) and name not in words else ""

    return handle


def _address(platform: str, handle: str, server: str = "") -> Address | None:
    return Address(platform, server, handle) if handle else None


_facebook_name = _named(r"[a-z0-9.]{3,50}", "facebook")


def _facebook(parts: _Parts) -> Address | None:
    first = parts.segment(0)
    if first.lower() == "profile.php":
        number = parts.query.get("id", "")
        return _address("facebook", number if _DIGITS.fullmatch(number) else "")
    if first.lower() in ("pages", "people"):
        number = parts.segments[-1]
        return _address("facebook", number if _DIGITS.fullmatch(number) else "")
    if first.lower() in ("p", "pg"):
        name, _, number = parts.segment(1).rpartition("-")
        if name and _DIGITS.fullmatch(number):
            return _address("facebook", number)
        return _address("facebook", _facebook_name(parts.segment(1)) if first.lower() == "pg" else "")
    return _address("facebook", _facebook_name(first))


_instagram_name = _named(r"(?!.*\.\.)[a-z0-9_](?:[a-z0-9_.]{0,28}[a-z0-9_])?", "instagram")


def _instagram(parts: _Parts) -> Address | None:
    place = 1 if parts.segment(0).lower() in ("stories", "_u") else 0
    return _address("instagram", _instagram_name(parts.segment(place)))


def _threads(parts: _Parts) -> Address | None:
    first = parts.segment(0)
    return _address("threads", _instagram_name(first) if first.startswith("@") else "")


_x_name = _named(r"[a-z0-9_]{1,15}", "x")


def _x(parts: _Parts) -> Address | None:
    first = parts.segment(0).lower()
    if first == "intent":
        return _address("x", _x_name(parts.query.get("screen_name", "")))
    return _address("x", _x_name(first.removeprefix("#!")))


_linkedin_name = _named(r"[\w%.&'’-]{1,100}")


def _linkedin(parts: _Parts) -> Address | None:
    name = _linkedin_name(parts.segment(1))
    match parts.segment(0).lower():
        case "company" | "school" | "showcase" | "organization":
            return _address("linkedin", name)
        case "in" | "pub" if name:
            return _address("linkedin", f"in:{name}")
    return None


_tiktok_name = _named(r"[a-z0-9_.]{2,24}")


def _tiktok(parts: _Parts) -> Address | None:
    first = parts.segment(0)
    return _address("tiktok", _tiktok_name(first) if first.startswith("@") else "")


_youtube_name = _named(r"[\w.·-]{1,60}")


def _youtube(parts: _Parts) -> Address | None:
    first, second = parts.segment(0), parts.segment(1)
    if first.startswith("@"):
        return _address("youtube", _youtube_name(first))
    match first.lower():
        case "channel":
            return _address("youtube", second if _CHANNEL.fullmatch(second) else "")
        case "c" | "user" if _youtube_name(second):
            return _address("youtube", f"{first.lower()}:{_youtube_name(second)}")
    return None


_pinterest_name = _named(r"[a-z0-9_-]{3,30}", "pinterest")


def _pinterest(parts: _Parts) -> Address | None:
    return _address("pinterest", _pinterest_name(parts.segment(0)))


def _bluesky(handle: str) -> Address | None:
    if _DID.fullmatch(handle):
        return Address("bluesky", "", handle)
    name = handle.removeprefix("@").lower()
    return _address("bluesky", name if len(name) <= 253 and _DOMAIN_HANDLE.fullmatch(name) else "")


def _bluesky_page(parts: _Parts) -> Address | None:
    return _bluesky(parts.segment(1)) if parts.segment(0).lower() == "profile" else None


_mastodon_name = _named(r"[a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_])?")


def _mastodon(host: str, name: str) -> Address | None:
    host = host.lower()
    return _address("mastodon", _mastodon_name(name), f"https://{host}") if _SERVER.fullmatch(host) else None


def _elsewhere(parts: _Parts) -> Address | None:
    """A profile of a Mastodon server, which may be any host: `/@name`, `/@name@server`, `/users/name`."""
    place = 1 if parts.segment(0).lower() in ("web", "deck") else 0
    first = parts.segment(place)
    if parts.host in _NOT_MASTODON or any(parts.host.endswith(f".{h}") for h in _NOT_MASTODON):
        return None
    if first.lower() == "users" and len(parts.segments) == place + 2:
        return _mastodon(parts.host, parts.segment(place + 1))
    if not first.startswith("@"):
        return None
    far = _FEDIVERSE.fullmatch(first)
    return _mastodon(far[2], far[1]) if far else _mastodon(parts.host, first)


_NETWORKS: Mapping[str, Callable[[_Parts], Address | None]] = {
    **dict.fromkeys(("facebook.com", "fb.com", "fb.me", "web.facebook.com", "touch.facebook.com"), _facebook),
    **dict.fromkeys(("instagram.com", "instagr.am", "ig.me"), _instagram),
    **dict.fromkeys(("threads.net", "threads.com"), _threads),
    **dict.fromkeys(("x.com", "twitter.com"), _x),
    **dict.fromkeys(("linkedin.com",), _linkedin),
    **dict.fromkeys(("tiktok.com",), _tiktok),
    **dict.fromkeys(("youtube.com", "music.youtube.com"), _youtube),
    **dict.fromkeys(("bsky.app",), _bluesky_page),
}
_NOT_MASTODON = _RESERVED["nowhere"]
_PINTEREST = re.compile(
    r"(?:[a-z]{2}\.)?pinterest\."
    r"(?:com|at|ca|ch|cl|de|dk|es|fr|ie|it|jp|kr|mx|nz|ph|pt|se|co\.(?:uk|kr|nz)|com\.(?:au|mx))"
)


def _by_suffix(host: str) -> Callable[[_Parts], Address | None] | None:
    """Networks with a host for each country: `pl.linkedin.com`, `pl-pl.facebook.com`, `pinterest.co.uk`."""
    if _PINTEREST.fullmatch(host):
        return _pinterest
    country, _, rest = host.partition(".")
    if rest in ("linkedin.com", "facebook.com") and _LOCALE_HOST.fullmatch(country):
        return _NETWORKS[rest]
    known = next((n for h, n in _NETWORKS.items() if host.endswith(f".{h}")), None)
    return _nobody if known else None


def _nobody(parts: _Parts) -> None:
    """Other hosts of a network (its help, its developers): nobody's profile."""
    return
