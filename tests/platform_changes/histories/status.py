"""A status page's summary through some incidents."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.platform_changes.histories.history import History, Look, Planted, at

_COMPONENTS = ("Community Management API", "Advertising API", "Sign in", "Learning API")
# Number of the look, incident, what it is called, impact, state, its last words.
_INCIDENTS: tuple[tuple[tuple[int, ...], str, str, str, str, str], ...] = (
    ((2,), "ads1", "Ad reports are late", "minor", "investigating", "Reports are delayed by some hours."),
    ((4,), "posts1", "Elevated errors when posts are made", "minor", "investigating", "We look into errors."),
    (
        (5,),
        "posts1",
        "Elevated errors when posts are made",
        "major",
        "identified",
        "Most calls fail. We know why.",
    ),
    (
        (6,),
        "posts1",
        "Elevated errors when posts are made",
        "major",
        "monitoring",
        "A fix is out; we are watching.",
    ),
    ((7,), "posts1", "Elevated errors when posts are made", "major", "resolved", "All is well again."),
    ((9,), "login1", "Nobody can sign in", "critical", "investigating", "Sign in fails for everybody."),
    ((10,), "login1", "[Identified] Nobody can sign in", "critical", "identified", "A certificate ran out."),
    (
        (12,),
        "login2",
        "Some tokens are refused",
        "major",
        "investigating",
        "Tokens of yesterday are refused.",
    ),
)
_STATUS_LOOKS = (
    ("2026-03-02T06:00", ""),
    ("2026-03-09T06:00", "minor"),
    ("2026-03-16T06:00", "maintenance"),
    ("2026-04-08T09:10", "order"),
    ("2026-04-08T09:40", "updates"),
    ("2026-04-08T11:10", "order"),
    ("2026-04-08T13:10", "updates"),
    ("2026-04-09T06:00", "page's time"),
    ("2026-06-21T22:10", "zone"),
    ("2026-06-21T22:40", "renamed"),
    ("2026-06-22T04:00", "maintenance"),
    ("2026-09-02T10:00", "components"),
)


def _summary(number: int, when: str, noise: str) -> str:
    chance, now = random.Random(number), at(when)
    zone = "-07:00" if noise == "zone" else "Z"
    shown = now - timedelta(hours=7) if noise == "zone" else now

    def text(ago: int) -> str:
        return (shown - timedelta(minutes=ago)).strftime("%Y-%m-%dT%H:%M:%S.000") + zone

    components = [
        {
            "id": f"c{n}",
            "name": name,
            "status": "operational",
            "position": n,
            "group": False,
            "updated_at": text(chance.randrange(999)),
            "description": None if number % 2 else "",
            "showcase": True,
        }
        for n, name in enumerate(_COMPONENTS + (("Talent API",) if noise == "components" else ()))
    ]
    if noise == "order":
        chance.shuffle(components)
    incidents = []
    for looks, key, title, impact, state, _ in _INCIDENTS:
        if number not in looks:
            continue
        began = next(at(_STATUS_LOOKS[each[0][0] - 1][0]) for each in _INCIDENTS if each[1] == key)
        updates = [
            {
                "id": f"{key}u{n}",
                "status": each[4],
                "body": each[5],
                "created_at": text(10 - n),
                "affected_components": None,
            }
            for n, each in enumerate(each for each in _INCIDENTS if each[1] == key and each[0][0] <= number)
        ][::-1]
        incidents.append(
            {
                "id": key,
                "name": title,
                "status": state,
                "impact": impact,
                "shortlink": f"https://stspg.io/{key}",
                "created_at": began.isoformat(),
                "started_at": began.isoformat(),
                "updated_at": text(5),
                "resolved_at": text(5) if state == "resolved" else None,
                "incident_updates": updates,
                "components": [],
            }
        )
    window: dict[str, Any] = {
        "id": "m1",
        "name": "Maintenance of the database",
        "status": "scheduled",
        "impact": "maintenance",
        "created_at": text(900),
        "updated_at": text(9),
        "scheduled_for": text(-6000),
        "scheduled_until": text(-6060),
        "incident_updates": [],
        "components": [],
        "shortlink": "https://stspg.io/m1",
        "resolved_at": None,
    }
    worst = max(
        (each["impact"] for each in incidents),
        key=("none", "minor", "major", "critical").index,
        default="none",
    )
    return (
        json.dumps(
            {
                "page": {
                    "id": "p1",
                    "name": "LinkedIn API",
                    "url": "https://www.linkedin-apistatus.com",
                    "time_zone": "Etc/UTC",
                    "updated_at": text(0),
                },
                "status": {
                    "indicator": worst,
                    "description": "All Systems Operational" if worst == "none" else "Some trouble",
                },
                "components": components,
                "incidents": incidents,
                "scheduled_maintenances": [window] if noise == "maintenance" else [],
            },
            indent=1,
        )
        + "\n"
    )


def _status() -> History:
    looks = tuple(
        Look(at(when), _summary(number, when, noise), (noise,) if noise else ())
        for number, (when, noise) in enumerate(_STATUS_LOOKS, 1)
    )
    outage = ("outage",)
    planted = (
        Planted(2, "A minor incident of advertising", outage, ("ad reports",), optional=True),
        Planted(4, "Errors when posts are made, minor at first", outage, ("elevated errors",), optional=True),
        Planted(5, "Errors when posts are made become major", outage, ("elevated errors",)),
        Planted(7, "Errors when posts are made are over", outage, ("elevated errors",), optional=True),
        Planted(9, "Nobody can sign in", outage, ("sign in",)),
        Planted(12, "Tokens are refused", outage, ("tokens",)),
        Planted(3, "A maintenance that is announced", ("outage", "new"), ("maintenance",), optional=True),
        Planted(
            11, "A maintenance that is announced again", ("outage", "new"), ("maintenance",), optional=True
        ),
    )
    return History(
        "status",
        "linkedin",
        "status",
        "json",
        "application/json",
        "https://www.linkedin-apistatus.com/api/v2/summary.json",
        looks,
        planted,
    )


def histories() -> Iterator[History]:
    yield _status()
