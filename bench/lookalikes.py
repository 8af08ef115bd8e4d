"""Finding look-alikes: precision and recall on planted profiles, and what a comparison costs."""

import time
from collections import Counter
from dataclasses import dataclass

from bench.report import Line, Section
from chalicelib.discovery.duplicates import duplicate_pairs
from chalicelib.discovery.scoring import CANDIDATE, Face, score
from tests.discovery import kits
from tests.discovery.planted import NOW, Planted, Town, towns
from tests.discovery.test_duplicates import account

SEEDS = (11, 12, 13)
WANTED = 0.95
CHANNELS = 320  # of the sample company
HITS = 40  # of one search
OURS = 5_000


@dataclass(frozen=True)
class Found:
    """One planted profile and what it scored."""

    planted: Planted
    value: float

    @property
    def is_taken(self) -> bool:
        return self.value >= CANDIDATE


def measure() -> Section:
    """Precision and recall with names that were tuned with and names that were not, and the time it takes."""
    section = Section(
        "Look-alikes",
        "Companies with their channels are made up, with copies of them (other characters, misspelled, words "
        "added, logo or description taken), channels of their own that nobody listed, and fans, namesakes, "
        "other trades and passers-by (`tests/discovery/planted.py`). A profile counts as found from "
        f"{CANDIDATE:.2f}. The held-out names, trades and some languages occur nowhere in what the weights "
        "were chosen with; both are made by the same hands, so the world will be harder.",
    )
    for name, kit in (("held out", kits.HELD_OUT), ("tuned with", kits.TUNING)):
        found = [one for seed in SEEDS for town in towns(kit, seed) for one in _scored(town)]
        right = sum(one.is_taken and one.planted.is_wanted for one in found)
        taken = sum(one.is_taken for one in found)
        wanted = sum(one.planted.is_wanted for one in found)
        numbers = {"precision": right / taken, "recall": right / wanted}
        for what, value in numbers.items():
            want, met = (f"{WANTED}", value >= WANTED) if name == "held out" else ("", None)
            section.lines.append(Line(f"{what}, names {name}", f"{value:.3f}", want, met))
        wrong = Counter(one.planted.what for one in found if one.is_taken != one.planted.is_wanted)
        section.details.append(
            f"Names {name}: {len(found)} profiles, {wanted} of them wanted; wrong: "
            + (", ".join(f"{what} {n}" for what, n in wrong.most_common()) or "none")
            + "."
        )
        section.data[name] = {**numbers, "profiles": len(found), "wanted": wanted, "wrong": dict(wrong)}
    compared_for = _search_for(list(towns(kits.TUNING, 1)))
    what = f"one search's {HITS} profiles against {CHANNELS} channels"
    section.lines.append(Line(what, f"{compared_for:.2f} s", "2 s", compared_for <= 2))
    paired_for = _duplicates_for()
    what = f"duplicates among {OURS:,} accounts of one network"
    section.lines.append(Line(what, f"{paired_for:.2f} s", "10 s", paired_for <= 10))
    section.data["seconds"] = {"search": compared_for, "duplicates": paired_for}
    return section


def _scored(town: Town) -> list[Found]:
    sites = (town.firm.site,)
    return [
        Found(one, max(score(one.face, ours, sites, NOW).value for ours in town.ours)) for one in town.found
    ]


def _search_for(made: list[Town]) -> float:
    ours = [face for town in made for face in town.ours]
    channels = [
        Face(f"{o.handle}{n}", f"{o.name} {n}", o.description, o.avatars, (), o.followers, o.opened_at)
        for n in range(-(-CHANNELS // len(ours)))
        for o in ours
    ][:CHANNELS]
    hits = [one.face for town in made for one in town.found][:HITS]
    started = time.perf_counter()
    for hit in hits:
        for channel in channels:
            score(hit, channel, ("zorza.pl",), NOW)
    return time.perf_counter() - started


def _duplicates_for() -> float:
    text = "The same description of every channel in the whole country"
    many = [
        account(n, display_name=f"Zorza {n % 900}", purpose="news", audience="all", description=text)
        for n in range(OURS)
    ]
    started = time.perf_counter()
    duplicate_pairs(many)
    return time.perf_counter() - started
