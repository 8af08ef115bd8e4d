"""A status page's summary (Atlassian Statuspage's /api/v2/summary.json): which incidents stand.

Incidents are no findings: they begin and end an outage (platform_changes/outages.py). A maintenance that is
announced is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chalicelib.platform_changes.model import Finding, Kind, Source
from chalicelib.platform_changes.sources.json_body import json_object, mapping, moment, objects, words
from chalicelib.platform_changes.sources.reader import ChangedShape, Snapshot
from chalicelib.platform_changes.sources.text import fingerprint, plain

_IMPACTS = ("none", "minor", "major", "critical")
_OVER = ("resolved", "postmortem", "completed")
_MOST = 100
_WORDS_CHARS = 2_000


@dataclass(frozen=True)
class Incident:
    """One incident of a platform; `impact` is none, minor, major or critical, `says` its last words.

    An incident that is gone from the next look is over as well: the summary lists those that stand.
    """

    key: str
    title: str
    url: str
    began_at: datetime
    updated_at: datetime
    impact: str
    components: tuple[str, ...]
    is_over: bool
    says: str


class StatusReader:
    """`options`: `components`, names by comma, or `group`, whose components are meant; else all are."""

    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        summary = json_object(body)
        page, status = mapping(summary.get("page")), mapping(summary.get("status"))
        incidents = summary.get("incidents")
        if not isinstance(incidents, list) or not (page or status):
            raise ChangedShape("It is JSON, but not the summary of a status page.")
        wanted = _wanted(source, summary)
        at = moment(page.get("updated_at"))
        kept = [_incident(incident, at) for incident in objects(incidents)[:_MOST]]
        kept = [incident for incident in kept if _concerns(incident["components"], wanted)]
        indicator = words(status.get("indicator"))
        if not kept and not wanted and indicator in ("major", "critical") and at:
            kept = [_of_indicator(status, indicator, at)]
        planned = [_maintenance(plan) for plan in objects(summary.get("scheduled_maintenances"))[:_MOST]]
        return {
            "incidents": kept,
            "maintenances": [p for p in planned if p["begins_at"] and _concerns(p["components"], wanted)],
        }

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        known = {(plan["key"], plan["begins_at"]) for plan in before["maintenances"]} if before else set()
        return [
            _finding(source, plan)
            for plan in after["maintenances"]
            if (plan["key"], plan["begins_at"]) not in known and plan["begins_at"][:10] >= today.isoformat()
        ]


def incidents(source: Source, snapshot: Snapshot) -> list[Incident]:
    """The incidents that stood at the look, those of other components left out."""
    return [
        Incident(
            key=kept["key"],
            title=kept["title"],
            url=kept["url"] or source.page_url or source.url,
            began_at=datetime.fromisoformat(kept["began_at"]),
            updated_at=datetime.fromisoformat(kept["updated_at"]),
            impact=kept["impact"],
            components=tuple(kept["components"]),
            is_over=kept["is_over"],
            says=kept["says"],
        )
        for kept in snapshot["incidents"]
    ]


def _wanted(source: Source, summary: Mapping[str, Any]) -> frozenset[str]:
    options = source.options or {}
    names = frozenset(name.strip() for name in options.get("components", "").split(",") if name.strip())
    group = options.get("group", "")
    if not group:
        return names
    components = objects(summary.get("components"))
    ids = {words(c.get("id")) for c in components if c.get("group") is True and words(c.get("name")) == group}
    members = {words(c.get("name")) for c in components if words(c.get("group_id")) in ids - {""}}
    if not members:
        raise ChangedShape(f"The status page has no group of components named {group!r} any more.")
    return names | members | {group}


def _concerns(components: list[str], wanted: frozenset[str]) -> bool:
    # What names no component may be all of them.
    return not wanted or not components or not wanted.isdisjoint(components)


def _incident(incident: Mapping[str, Any], page_at: datetime | None) -> dict[str, Any]:
    updates = objects(incident.get("incident_updates"))
    began = moment(incident.get("started_at")) or moment(incident.get("created_at")) or page_at
    if not words(incident.get("id")) or began is None:
        raise ChangedShape("The status page lists an incident without an id or a beginning.")
    updated = moment(incident.get("updated_at")) or began
    impact = words(incident.get("impact"))
    return {
        "key": words(incident.get("id"))[:100],
        "title": plain(words(incident.get("name"))[:_WORDS_CHARS])[:300],
        "url": _url(incident),
        "began_at": began.isoformat(),
        "updated_at": max(updated, began).isoformat(),
        "impact": impact if impact in _IMPACTS else "none" if impact == "maintenance" else "minor",
        "components": _components(incident),
        "is_over": words(incident.get("status")) in _OVER or moment(incident.get("resolved_at")) is not None,
        "says": plain(words(updates[0].get("body"))[:_WORDS_CHARS]) if updates else "",
    }


def _of_indicator(status: Mapping[str, Any], indicator: str, at: datetime) -> dict[str, Any]:
    """What a page that lists no incident says of itself as a whole."""
    return {
        "key": "indicator",
        "title": plain(words(status.get("description"))[:_WORDS_CHARS])[:300] or indicator,
        "url": "",
        "began_at": at.isoformat(),
        "updated_at": at.isoformat(),
        "impact": indicator,
        "components": [],
        "is_over": False,
        "says": "",
    }


def _maintenance(plan: Mapping[str, Any]) -> dict[str, Any]:
    begins = moment(plan.get("scheduled_for"))
    updates = objects(plan.get("incident_updates"))
    return {
        "key": words(plan.get("id"))[:100],
        "title": plain(words(plan.get("name"))[:_WORDS_CHARS])[:300],
        "text": plain(words(updates[0].get("body"))[:_WORDS_CHARS]) if updates else "",
        "url": _url(plan),
        "begins_at": begins.isoformat() if begins and words(plan.get("status")) == "scheduled" else "",
        "components": _components(plan),
    }


def _components(incident: Mapping[str, Any]) -> list[str]:
    return [words(c.get("name"))[:200] for c in objects(incident.get("components"))[:_MOST]]


def _url(incident: Mapping[str, Any]) -> str:
    url = words(incident.get("shortlink"))[:500]
    return url if url.startswith("https://") else ""


def _finding(source: Source, plan: Mapping[str, Any]) -> Finding:
    return Finding(
        key=fingerprint(source.key, plan["key"], plan["begins_at"]),
        title=plan["title"],
        text=plan["text"],
        url=plan["url"] or source.page_url or source.url,
        effective_on=date.fromisoformat(plan["begins_at"][:10]),
        hint=Kind.OUTAGE,
    )
