"""What was measured, on what, beside what was wanted: a table to read, `results.md` and `results.json`."""

import importlib.metadata
import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.package import ROOT

VERSIONS = ("chalice", "boto3", "pydantic", "aws-lambda-powertools", "ministack")


@dataclass(frozen=True)
class Line:
    """One number; `met` is None where nothing was wanted of it, and `why` explains what was not met."""

    what: str
    found: str
    want: str = ""
    met: bool | None = None
    why: str = ""

    @property
    def verdict(self) -> str:
        return {True: "met", False: "NOT MET", None: ""}[self.met]


@dataclass
class Section:
    """One measurement: its lines, how it was done, and the raw numbers."""

    title: str
    how: str
    lines: list[Line] = field(default_factory=list)
    details: list[str] = field(default_factory=list)  # markdown, under the table
    data: dict[str, Any] = field(default_factory=dict)


def machine() -> dict[str, str]:
    """The machine, the versions, the day and the commit that numbers belong to."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}",
        "load": f"{load} before the start (1, 5 and 15 minutes)",
        "versions": f"Python {platform.python_version()}, {versions}",
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
    }


def write(about: dict[str, str], sections: list[Section], folder: Path) -> None:
    """`results.md` and `results.json` in `folder`."""
    kept = {"about": about, "sections": [asdict(section) for section in sections]}
    (folder / "results.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    (folder / "results.md").write_text(_markdown(about, sections))


def show(section: Section) -> None:
    """The section as a table on the screen."""
    print(f"\n{section.title}")
    rows = [(line.what, line.found, line.want, line.verdict) for line in section.lines]
    rows.insert(0, ("", "found", "want", ""))
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    for row in rows:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    for line in section.lines:
        if line.why:
            print(f"  {line.what}: {line.why}")


def _markdown(about: dict[str, str], sections: list[Section]) -> str:
    parts = ["# What was measured", "", "Made by `make bench`; each number is of this one run.", ""]
    parts += [f"- {name}: {value}" for name, value in about.items()]
    wanted = [line for section in sections for line in section.lines if line.met is not None]
    missed = [line.what for line in wanted if not line.met]
    parts += ["", f"{len(wanted) - len(missed)} of {len(wanted)} wants are met."]
    parts += [f"Not met: {'; '.join(missed)}."] if missed else []
    for section in sections:
        parts += ["", f"## {section.title}", "", section.how, ""]
        parts += ["| | found | want | |", "|---|---|---|---|"]
        parts += [f"| {one.what} | {one.found} | {one.want} | {one.verdict} |" for one in section.lines]
        whys = [f"- {one.what}: {one.why}" for one in section.lines if one.why]
        parts += ["", *whys] if whys else []
        for detail in section.details:
            parts += ["", detail]
    return "\n".join(parts) + "\n"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _commit() -> str:
    def git(*arguments: str) -> str | None:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "--short=12", "HEAD")
    if commit is None:
        return "not in a repository"
    changed = git("status", "--porcelain", "--", ".", ":!bench/results.md", ":!bench/results.json")
    return f"{commit}, with changes that are not committed" if changed else commit
