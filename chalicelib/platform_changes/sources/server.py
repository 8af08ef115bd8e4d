"""What a server of a federated network says of itself: its version, and the limits it sets.

The address of their documentation stands in data/sources.json; each server sets limits of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chalicelib.platform_changes.model import Finding, Kind, Source
from chalicelib.platform_changes.sources.json_body import json_object, mapping, words
from chalicelib.platform_changes.sources.reader import ChangedShape, Snapshot
from chalicelib.platform_changes.sources.text import fingerprint, squeezed

_MOST_LIMITS = 300
_MOST_DEPTH = 4
_HOST = re.compile(r"https://([a-z0-9.-]{1,253}(?::[0-9]{1,5})?)/?", re.ASCII)
_NUMBERS = re.compile(r"(\d{1,4})\.(\d{1,4})", re.ASCII)


def is_of_servers(source: Source) -> bool:
    """Whether it stands for one source of each server."""
    return "{server}" in source.url


def at_server(source: Source, server: str) -> Source:
    """The source of one server: `server` ("social.example") stands for {server} in its address and key."""
    return replace(
        source,
        key=f"{source.key}@{server}",
        name=f"{source.name} {server}",
        url=source.url.replace("{server}", server),
    )


def host_of(address: str) -> str:
    """The host of a server's base URL, as it stands in the key of a source; empty for what is none."""
    found = _HOST.fullmatch(address)
    return found[1] if found else ""


def server_of(key: str) -> str:
    """The server that the key of a source stands for; empty for a source that is of no one server."""
    return key.partition("@")[2]


class ServerReader:
    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        about = json_object(body)
        version = squeezed(words(about.get("version"))[:200])
        if not version:
            raise ChangedShape("It is JSON, but no server's own description: it has no version.")
        apis = mapping(about.get("api_versions"))
        return {
            "domain": squeezed(words(about.get("domain"))[:255]),
            "version": version,
            "api_versions": {k[:60]: v for k, v in list(apis.items())[:20] if type(v) is int},
            "limits": dict(_limits(mapping(about.get("configuration")))),
            "status_url": words(mapping(mapping(about.get("configuration")).get("urls")).get("status"))[:500],
        }

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        if before is None:
            return []
        return [*_new_version(source, before, after), *_new_limits(source, before, after)]


def _limits(configuration: Mapping[str, Any]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    waiting: list[tuple[str, Any, int]] = [("", configuration, 0)]
    while waiting and len(found) < _MOST_LIMITS:
        name, value, depth = waiting.pop(0)
        if isinstance(value, dict) and depth < _MOST_DEPTH:
            waiting += [
                (f"{name}.{key[:60]}" if name else key[:60], inner, depth + 1)
                for key, inner in list(value.items())[:_MOST_LIMITS]
            ]
        elif type(value) is int:
            found.append((name, value))
        elif isinstance(value, list):  # what it allows, such as types of files: "a.b=c" stands for each
            found += [(f"{name}={allowed[:60]}", 1) for allowed in value[:100] if isinstance(allowed, str)]
    return found


def _new_version(source: Source, before: Snapshot, after: Snapshot) -> list[Finding]:
    was, now = _NUMBERS.search(before["version"]), _NUMBERS.search(after["version"])
    same = was is not None and now is not None and was[0] == now[0]
    if (same or was == now) and before["api_versions"] == after["api_versions"]:
        return []
    apis = ", ".join(f"{name} {number}" for name, number in sorted(after["api_versions"].items()))
    return [
        Finding(
            key=fingerprint(source.key, after["version"], apis),
            title=f"{after['domain'] or source.name} runs {after['version']}; it was {before['version']}.",
            text=f"API versions: {apis}." if apis else "",
            url=source.page_url or source.url,
            hint=Kind.NEW,
            versions=(now[0],) if now else (),
        )
    ]


def _new_limits(source: Source, before: Snapshot, after: Snapshot) -> list[Finding]:
    was, now = before["limits"], after["limits"]
    changed = {name: (was[name], now[name]) for name in now if name in was and was[name] != now[name]}
    kept = {name.partition("=")[0] for name in was} & {name.partition("=")[0] for name in now}
    gone, come = (
        [n for n in one if "=" in n and n not in other and n.partition("=")[0] in kept]
        for one, other in ((was, now), (now, was))
    )
    says = [
        *(f"{name}: {new}, was {old}." for name, (old, new) in sorted(changed.items())),
        *(f"{name.replace('=', ': no longer ')}." for name in sorted(gone)),
        *(f"{name.replace('=', ': now also ')}." for name in sorted(come)),
    ]
    if not says:
        return []
    lower = bool(gone) or any(new < old for old, new in changed.values())
    names = {f"configuration.{name.partition('=')[0]}" for name in [*changed, *gone, *come]}
    return [
        Finding(
            key=fingerprint(source.key, "limits", *says),
            title=f"{after['domain'] or source.name} has set other limits.",
            text="\n".join(says),
            url=source.page_url or source.url,
            hint=Kind.LIMIT if lower else Kind.NEW,
            fields=tuple(sorted(names)),
            is_exact=True,
        )
    ]
