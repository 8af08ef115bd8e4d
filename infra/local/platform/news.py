"""What the local network tells its developers: a changelog as RSS, and a status page as Statuspage has it.

Both are what Signalbox's tracker reads of a real network, and both can be made to say something by a control.
"""

from __future__ import annotations

from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring  # nosec B405 - writes XML, and reads none

from werkzeug.routing import Rule as Route
from werkzeug.wrappers import Response

from infra.local.platform.call import Call
from infra.local.platform.database import Database, to_time
from infra.local.serving.answers import ApiError, answer, json_body, timestamp

IMPACTS = ("none", "minor", "major", "critical")
_WORDS = {
    "none": "All Systems Operational",
    "minor": "Minor Service Outage",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
}
_LONGEST = 5_000
_THIS_ONE = ", updated_at = ? where name = ? and over_at is null"
_NOW = "select id, name, impact, components, began_at, updated_at from incidents where over_at is null"


class News:
    """The changelog and the status page."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def routes(self) -> list[Route]:
        """What developers read, and the controls that write it."""
        table = [
            ("GET", "/developers/changelog.xml", self.changelog),
            ("GET", "/status/api/v2/summary.json", self.summary),
            ("POST", "/_local/changelog", self.announce),
            ("POST", "/_local/incidents", self.report),
        ]
        return [Route(path, methods=[method], endpoint=endpoint) for method, path, endpoint in table]

    def announce(self, call: Call) -> Response:
        """Add an entry to the changelog: `title` and `text`."""
        body = json_body(call.request)
        title, text = _text(body, "title"), _text(body, "text")
        with self._db.change() as db:
            values = (title, text, self._db.stamp())
            added = db.execute("insert into announcements (title, text, at) values (?, ?, ?)", values)
        return answer({"id": added.lastrowid}, HTTPStatus.CREATED)

    def report(self, call: Call) -> Response:
        """Begin an incident (`name`, `impact`, `components`), or end the one of that name (`over`: true)."""
        body = json_body(call.request)
        name, impact, over = _text(body, "name"), body.get("impact", "major"), body.get("over", False)
        components = body.get("components", ["API"])
        if impact not in IMPACTS:
            raise ApiError(422, f"impact must be one of: {', '.join(IMPACTS)}")
        if not isinstance(over, bool):
            raise ApiError(422, "over must be true or false")
        if not isinstance(components, list) or not all(isinstance(c, str) and c for c in components):
            raise ApiError(422, "components must be a list of names")
        now = self._db.stamp()
        with self._db.change() as db:
            known = self._db.rows("select 1 from incidents where name = ? and over_at is null", name)
            if over and not known:
                raise ApiError(404, "there is no such incident now")
            if over:
                db.execute(
                    "update incidents set over_at = ?, updated_at = ? where name = ?", (now, now, name)
                )
            elif known:
                db.execute(
                    "update incidents set impact = ?, updated_at = ? where name = ?", (impact, now, name)
                )
            else:
                db.execute(
                    "insert into incidents (name, impact, components, began_at, updated_at)"
                    " values (?, ?, ?, ?, ?)",
                    (name, impact, "\n".join(components), now, now),
                )
        return answer({}, HTTPStatus.CREATED)

    def changelog(self, call: Call) -> Response:
        """RSS 2.0, the newest entry first; answers conditional requests with 304."""
        rss = Element("rss", version="2.0")
        channel = SubElement(rss, "channel")
        page = f"{call.base_url}/developers/changelog.xml"
        for tag, words in (
            ("title", "API changelog"),
            ("link", page),
            ("description", "What changes, and when"),
        ):
            SubElement(channel, tag).text = words
        query = "select id, title, text, at from announcements order by id desc limit 50"
        for number, title, text, at in self._db.rows(query):
            item = SubElement(channel, "item")
            SubElement(item, "title").text = title
            SubElement(item, "link").text = f"{page}#{number}"
            SubElement(item, "guid", isPermaLink="false").text = f"{call.domain}-{number}"
            SubElement(item, "pubDate").text = format_datetime(to_time(at))
            SubElement(item, "description").text = text
        body = tostring(rss, encoding="utf-8", xml_declaration=True)
        return _conditional(call, Response(body, mimetype="application/rss+xml"))

    def summary(self, call: Call) -> Response:
        """Statuspage's summary.json: the unresolved incidents and the worst of their impacts."""
        query = (
            "select id, name, impact, components, began_at, updated_at from incidents where over_at is null"
        )
        incidents = [_incident(call, *row) for row in self._db.rows(query)]
        worst = max((i["impact"] for i in incidents), key=IMPACTS.index, default="none")
        page = {
            "id": "local",
            "name": "Local network",
            "url": f"{call.base_url}/status",
            "time_zone": "Etc/UTC",
        }
        status = {"indicator": worst, "description": _WORDS[worst]}
        shown = {"page": page, "components": [], "incidents": incidents, "scheduled_maintenances": []}
        return _conditional(call, answer({**shown, "status": status}))


def _incident(
    call: Call, number: int, name: str, impact: str, components: str, began_at: str, updated_at: str
) -> dict[str, Any]:
    began, updated = timestamp(to_time(began_at)), timestamp(to_time(updated_at))
    parts = [{"id": f"c-{part}", "name": part, "status": "major_outage"} for part in components.split("\n")]
    update = {"id": f"u{number}", "status": "investigating", "body": name, "created_at": updated}
    return {
        "id": f"i{number}",
        "name": name,
        "status": "investigating",
        "impact": impact,
        "created_at": began,
        "started_at": began,
        "updated_at": updated,
        "resolved_at": None,
        "shortlink": f"{call.base_url}/status#i{number}",
        "components": parts,
        "incident_updates": [update],
    }


def _conditional(call: Call, response: Response) -> Response:
    response.add_etag()
    response.make_conditional(call.request)
    return response


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise ApiError(422, f"{name} must be text of 1 to {_LONGEST} characters")
    return value
