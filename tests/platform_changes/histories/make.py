"""Writes the histories again, each the same as before: `python -m tests.platform_changes.histories.make`.

The documents are our own, in the forms and with the noise of the real ones; only names of calls, fields and
versions, and the days of what happened in 2026, are the networks'.
"""

import gzip
import json
from dataclasses import asdict
from pathlib import Path

from tests.platform_changes.histories import (
    blog,
    feeds,
    held_out_changelog,
    held_out_page,
    held_out_second_feed,
    held_out_second_page,
    held_out_spec,
    pages,
    pinterest,
    releases,
    server,
    status,
    versions,
    youtube,
)
from tests.platform_changes.histories.history import HERE, History

MADE_BY = (
    blog,
    feeds,
    pages,
    pinterest,
    youtube,
    releases,
    server,
    status,
    versions,
    held_out_changelog,
    held_out_page,
    held_out_second_feed,
    held_out_second_page,
    held_out_spec,
)


def write(history: History, folder: Path) -> None:
    """A history's answers and its truth.json, in its own folder."""
    place = folder / history.name
    place.mkdir(parents=True, exist_ok=True)
    looks = []
    for number, look in enumerate(history.looks, 1):
        file, body = f"{number:02}.{history.ending}", look.body.encode()
        if history.kind == "spec":  # large, and each nearly the one before
            file, body = f"{file}.gz", gzip.compress(body, mtime=0)
        (place / file).write_bytes(body)
        looks.append({"file": file, "at": look.at.isoformat(), "noise": look.noise})
    kept = asdict(history) | {"looks": looks}
    del kept["name"]
    (place / "truth.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")


def make(folder: Path) -> None:
    for module in MADE_BY:
        for history in module.histories():
            write(history, folder)


if __name__ == "__main__":
    make(HERE)
