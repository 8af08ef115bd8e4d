"""Platform changes: what was planted in recorded histories beside what the tracker made of them.

Run as a module it measures alone and writes what it found to a file: the AWS of these replays is moto's, and
that has no place in a process that talks to the stage's.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.report import Line, Section
from infra.package import ROOT

MOST_FALSE = 0.05
_GROUPS = (("", False), (", held out", True))


def measure() -> Section:
    """What was found, missed and false, for the histories that were looked at and for those held out."""
    section = Section(
        "Platform changes",
        "Histories of each kind of source, ten looks and more each, with the noise of real ones and changes "
        "planted in them (`tests/platform_changes/histories`), replayed by the clock through the real "
        "tracker and register. A record is false when people see it and it says nothing that was planted "
        "then. The histories are our own, written after the forms of the real ones, so the world will be "
        "harder; those called held out were unseen by the code when they were first measured, and what they "
        "showed was mended since.",
    )
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "scores.json"
        command = [sys.executable, "-m", "bench.changes", str(into)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the replay broke: {done.stderr[-2_000:]}")
        scores: dict[str, dict[str, Any]] = json.loads(into.read_text())
    for called, held_out in _GROUPS:
        chosen = [one for one in scores.values() if one["held_out"] == held_out]
        section.lines += _lines(chosen, called)
    section.details.append(_table(scores))
    section.data = scores
    return section


def _lines(scores: list[dict[str, Any]], called: str) -> list[Line]:
    def total(name: str) -> int:
        return sum(len(one[name]) if isinstance(one[name], list) else int(one[name]) for one in scores)

    found, breaking = total("breaking_found"), total("breaking")
    false, records = total("false"), total("records")
    planted = total("found") + total("missed")
    kinds, days = total("found") - total("wrong_kind"), total("days") - total("wrong_day")
    touching = total("touchings") - total("wrong_touching")
    return [
        Line(f"breaking changes found{called}", f"{found} of {breaking}", "all of them", found == breaking),
        Line(
            f"false records{called}",
            f"{false} of {records} ({false / records:.1%})",
            f"under {MOST_FALSE:.0%}",
            false < MOST_FALSE * records,
        ),
        Line(f"planted changes found{called}", f"{total('found')} of {planted}"),
        Line(f"breaking ones called so{called}", f"{found - total('quiet')} of {found}"),
        Line(f"of the right kind{called}", f"{kinds} of {total('found')}"),
        Line(f"with the day that is stated, or none{called}", f"{days} of {total('days')}"),
        Line(f"rightly said to touch us or not{called}", f"{touching} of {total('touchings')}"),
    ]


def _table(scores: dict[str, dict[str, Any]]) -> str:
    rows = [
        "| history | looks | planted | found | missed | records | false | put aside |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in scores.items():
        found, missed = one["found"], len(one["missed"])
        numbers = (
            one["looks"],
            found + missed,
            found,
            missed,
            one["records"],
            len(one["false"]),
            one["aside"],
        )
        rows.append(f"| {name} | " + " | ".join(map(str, numbers)) + " |")
    wrong = [
        f"- {name}, {what}: {'; '.join(one[key])}"
        for name, one in scores.items()
        if not one["held_out"]  # what nobody is to mend its way to
        for key, what in (("missed", "missed"), ("false", "false"), ("quiet", "not called breaking"))
        if one[key]
    ]
    return "\n".join([*rows, "", *wrong])


def _replay(into: Path) -> None:
    from moto import mock_aws

    from tests.fakes.quick_moto import make_quick
    from tests.platform_changes.histories.history import load, names
    from tests.platform_changes.histories.replay import Score, measured

    def numbers(score: Score) -> dict[str, Any]:
        breaking_found, breaking = score.breaking
        return {
            "held_out": score.history.held_out,
            "looks": score.looks,
            "records": score.records,
            "aside": score.aside,
            "split": score.split,
            "found": len(score.found),
            "breaking": breaking,
            "breaking_found": breaking_found,
            "days": sum(planted.effective_on is not None for planted in score.found),
            "touchings": sum(planted.touching is not None for planted in score.found),
            "missed": [planted.what for planted in score.missed],
            "false": [told.finding.title for told in score.false],
            "quiet": [planted.what for planted in score.quiet],
            "wrong_kind": [f"{planted.what}: {kind}" for planted, kind in score.wrong_kind],
            "wrong_day": [f"{planted.what}: {day or 'none'}" for planted, day in score.wrong_day],
            "wrong_touching": [planted.what for planted, _ in score.wrong_touching],
        }

    make_quick()
    with mock_aws():
        scores = {name: numbers(measured(load(name))) for name in names()}
    into.write_text(json.dumps(scores))


if __name__ == "__main__":
    _replay(Path(sys.argv[1]))
