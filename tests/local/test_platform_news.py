"""The local network's changelog and status page, as a tracker of changes reads them."""

from __future__ import annotations

from typing import Any

import feedparser
import pytest

World = Any
CHANGELOG = "/developers/changelog.xml"
STATUS = "/status/api/v2/summary.json"


def announced(world: World, title: str, text: str = "What it means.") -> None:
    assert world.control.call("POST", "/_local/changelog", {"title": title, "text": text}).status == 201


def reported(world: World, name: str, **more: Any) -> int:
    return int(world.control.call("POST", "/_local/incidents", {"name": name, **more}).status)


def test_what_is_announced_is_an_entry_of_the_changelog_the_newest_first(world: World) -> None:
    announced(world, "POST /api/v1/statuses <removed>", "It ends on 2027-01-15 & nothing replaces it.")
    world.clock.advance(hours=1)
    announced(world, "A second thing")
    read = feedparser.parse(world.control.call("GET", CHANGELOG).body)
    assert not read.bozo
    assert [entry.title for entry in read.entries] == ["A second thing", "POST /api/v1/statuses <removed>"]
    assert len({entry.id for entry in read.entries}) == 2
    assert read.entries[1].summary == "It ends on 2027-01-15 & nothing replaces it."
    assert read.entries[0].published_parsed[:5] == (2026, 11, 22, 15, 0)


@pytest.mark.parametrize("path", [CHANGELOG, STATUS])
def test_what_has_not_changed_is_not_sent_again(world: World, path: str) -> None:
    first = world.control.call("GET", path)
    seen = {"If-None-Match": first.headers["ETag"]}
    assert world.control.call("GET", path, headers=seen).status == 304
    announced(world, "News")
    reported(world, "Posts are delayed")
    assert world.control.call("GET", path, headers=seen).status == 200


def test_an_incident_is_on_the_status_page_until_it_is_over(world: World) -> None:
    assert world.control.call("GET", STATUS).json["status"]["indicator"] == "none"
    assert reported(world, "Posts are delayed", impact="minor") == 201
    assert reported(world, "Nothing can be posted", impact="critical", components=["API", "Media"]) == 201
    page = world.control.call("GET", STATUS).json
    assert page["status"]["indicator"] == "critical"
    assert [i["name"] for i in page["incidents"]] == ["Posts are delayed", "Nothing can be posted"]
    assert [c["name"] for c in page["incidents"][1]["components"]] == ["API", "Media"]
    assert reported(world, "Nothing can be posted", over=True) == 201
    page = world.control.call("GET", STATUS).json
    assert (page["status"]["indicator"], len(page["incidents"])) == ("minor", 1)


def test_an_incident_that_is_reported_again_gets_its_new_impact(world: World) -> None:
    reported(world, "Posts are delayed", impact="minor")
    reported(world, "Posts are delayed", impact="major")
    assert [i["impact"] for i in world.control.call("GET", STATUS).json["incidents"]] == ["major"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/_local/changelog", {"title": "No text"}, 422),
        ("/_local/incidents", {"name": "x", "impact": "awful"}, 422),
        ("/_local/incidents", {"name": "x", "over": "yes"}, 422),
        ("/_local/incidents", {"name": "x", "components": "API"}, 422),
        ("/_local/incidents", {"name": "never began", "over": True}, 404),
    ],
)
def test_a_control_that_is_wrong_is_refused(world: World, path: str, body: Any, status: int) -> None:
    assert world.control.call("POST", path, body).status == status
