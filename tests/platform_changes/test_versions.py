"""Versions that we call: when each ends, who is told before, and what happens when it has ended."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.history import BY_JOB
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Worker
from chalicelib.platform_changes.model import Kind, PlatformChange, Source, SourceKind, SourceState
from chalicelib.platform_changes.source_settings import Looked
from chalicelib.platform_changes.sources.versions import VersionRow
from chalicelib.platform_changes.store import OwnSource
from chalicelib.platform_changes.version_tables import VersionTables
from chalicelib.platform_changes.version_tellings import VersionTellings
from chalicelib.platform_changes.version_views import VersionsView
from chalicelib.platform_changes.versions import CHECK, TELL, State, VersionRegister, merged
from chalicelib.platforms import registry
from chalicelib.platforms.port import ReadTraits
from tests.platform_changes.conftest import Office

TODAY = date(2026, 11, 23)
SET_IN = "VERSION in configuration.py"
SOON, OVER = "Version 202511 of LinkedIn ends soon", "Ended: version 202511 of LinkedIn"


def traits(platform: str, version: str | None, ends_on: date | None = None) -> ReadTraits:
    return ReadTraits(platform, platform, "", True, (), (), version, ends_on, SET_IN)


@dataclass
class Desk:
    """Traits and tables of platforms as values; `rows` by platform."""

    office: Office
    known: dict[str, ReadTraits] = field(default_factory=dict)
    rows: dict[str, list[VersionRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        office = self.office
        self.record: Callable[..., PlatformChange | None] = office.changes.record
        self.register = VersionRegister(
            office.kernel, office.org, office.accounts, ("linkedin", "x", "facebook"),
            self.known.get, lambda name: self.rows.get(name, []), self.recorded,
        )  # fmt: skip
        mailer: Any = office.postbox
        tellings = VersionTellings(office.kernel, office.org, self.register, mailer, office.stage.settings)
        office.handlers |= {CHECK: self.register.check_versions, TELL: tellings.tell_version}

    def recorded(self, *found: Any) -> PlatformChange | None:
        return self.record(*found)

    def ends(self, ends_on: date | None, platform: str = "linkedin", version: str = "202511") -> None:
        self.known[platform] = traits(platform, version, ends_on)

    def days(self, count: int = 1) -> None:
        """Let days pass, with the job that puts the check on the timetable each morning."""
        for _ in range(count):
            self.register.ensure()
            self.office.pass_time(days=1)

    def subjects(self) -> list[str]:
        found = self.office.postbox.subjects(self.office.ops)
        self.office.postbox.sent.clear()
        return [subject for subject in found if "ersion" in subject]


@pytest.fixture
def desk(office: Office) -> Desk:
    assert office.now.date() == TODAY
    return Desk(office)


def test_a_line_says_who_is_on_a_version_and_where_it_is_set(desk: Desk) -> None:
    desk.ends(TODAY + timedelta(days=200))
    desk.rows["linkedin"] = [
        VersionRow("202610", date(2026, 10, 15), None),
        VersionRow("202511", date(2025, 11, 15), TODAY + timedelta(days=200)),
    ]
    one = desk.office.account("linkedin", "one")
    desk.office.account("linkedin", "two", unit_id=desk.office.root.unit_id)
    desk.office.account("x", "elsewhere")
    (line,) = desk.register.lines()
    assert (line.platform, line.version, line.newest, line.set_in) == ("linkedin", "202511", "202610", SET_IN)
    assert (line.accounts, line.units, line.is_own, line.disagree) == (2, 2, False, False)
    assert (line.days_left, line.state) == (200, State.CURRENT)
    assert (one.account_id, "one") in line.named


def test_accounts_that_ask_for_another_version_are_a_line_of_their_own(desk: Desk) -> None:
    desk.ends(date(2027, 9, 15), version="202609")
    desk.rows["linkedin"] = [
        VersionRow("202609", None, date(2027, 9, 15)),
        VersionRow("202512", None, date(2026, 12, 1)),
    ]
    desk.office.account("linkedin", "same", api_version="202609")
    own = desk.office.account("linkedin", "own", api_version="202512")
    first, second = desk.register.lines()
    assert (first.version, first.is_own, first.days_left, first.accounts) == ("202512", True, 8, 1)
    assert first.named == ((own.account_id, "own"),)
    assert first.set_in == "PUT /v1/accounts/{account_id}/credentials: api_version"
    assert (second.version, second.accounts) == ("202609", 1)


def test_when_code_and_table_name_different_days_the_earlier_counts_and_it_is_said(desk: Desk) -> None:
    desk.ends(TODAY + timedelta(days=300), "facebook", "v25.0")
    desk.rows["facebook"] = [VersionRow("25.0", None, TODAY + timedelta(days=20))]
    (line,) = desk.register.lines()
    assert line.disagree
    assert (line.ends_on, line.ends_on_here) == (line.ends_on_there, TODAY + timedelta(days=300))
    assert line.state == State.ENDING
    desk.days()
    (mail,) = desk.office.postbox.to(desk.office.ops)
    assert "Our code and the platform name different days" in mail.text


@pytest.mark.parametrize(
    ("listed", "state"),
    [
        (["202511"], State.CURRENT),
        (["202505"], State.CURRENT),  # a table that lists only what is about to end
        (["202610", "202512"], State.UNLISTED),
        ([], State.CURRENT),
    ],
)
def test_a_version_that_newer_ones_have_pushed_off_the_table_is_seen(
    desk: Desk, listed: list[str], state: State
) -> None:
    desk.ends(None)
    desk.rows["linkedin"] = [VersionRow(version, None, None) for version in listed]
    (line,) = desk.register.lines()
    assert line.state == state


@pytest.mark.parametrize(
    ("ends_in", "on"),
    [(400, []), (93, [90]), (33, [32, 30]), (10, [9, 7]), (4, [3, 1, 0]), (0, [-1])],
)
def test_people_are_told_at_each_mark_and_on_the_end_and_never_twice(
    desk: Desk, ends_in: int, on: list[int]
) -> None:
    """Whoever is late for a mark hears of it at the first check."""
    desk.ends(TODAY + timedelta(days=ends_in))
    told = {}
    for passed in range(1, 6):
        desk.days()
        if subjects := desk.subjects():
            told[ends_in - passed] = subjects
    assert told == {left: [OVER if left <= 0 else SOON] for left in on}


def test_after_days_without_a_check_only_the_most_urgent_mark_is_told(desk: Desk) -> None:
    desk.ends(TODAY + timedelta(days=5))
    desk.days(3)
    assert desk.subjects() == [SOON]


def test_a_day_that_is_put_off_is_counted_down_to_anew(desk: Desk) -> None:
    desk.ends(TODAY + timedelta(days=20))
    desk.days(2)
    assert len(desk.subjects()) == 1
    desk.ends(TODAY + timedelta(days=80))
    desk.days(2)
    assert len(desk.subjects()) == 1


def test_a_version_that_is_called_no_more_is_told_of_no_more(desk: Desk) -> None:
    desk.ends(TODAY + timedelta(days=5))
    desk.register.ensure()
    desk.office.stage.clock.advance(hours=1)
    entry = f"{CHECK}#versions"
    Worker(desk.office.kernel, Lane.CHORES, desk.office.handlers).run(entry)
    desk.ends(date(2028, 1, 1), version="202610")
    desk.office.work()
    assert desk.subjects() == []


def test_the_mail_names_the_setting_the_newest_version_and_the_accounts(desk: Desk) -> None:
    desk.ends(TODAY + timedelta(days=6))
    desk.rows["linkedin"] = [VersionRow("202610", None, None), VersionRow("202511", None, None)]
    for number in range(23):
        desk.office.account("linkedin", f"page{number}")
    desk.days()
    (mail,) = desk.office.postbox.to(desk.office.lead)
    for said in (
        SET_IN,
        "202610",
        "202511",
        "There are 6 days left",
        "23 accounts stop",
        "and 3 more",
        "page1",
    ):
        assert said in mail.text
    assert desk.office.postbox.to(desk.office.ops)
    assert not desk.office.postbox.to(desk.office.author)


def test_a_version_that_has_ended_becomes_one_breaking_change_though_every_call_still_answers(
    desk: Desk,
) -> None:
    desk.ends(TODAY + timedelta(days=1), "facebook", "v21.0")
    desk.office.account("facebook")
    desk.days(4)
    found = desk.office.store.of_platform("facebook", desk.office.now - timedelta(days=30))
    (change,) = found
    assert (change.kind, change.versions, change.effective_on) == (
        Kind.BREAKING, ("v21.0",), TODAY + timedelta(days=1),
    )  # fmt: skip
    assert SET_IN in change.text


@pytest.mark.parametrize("was_known", [False, True])
def test_the_day_on_which_a_version_ends_brings_one_mail_with_its_setting_and_accounts(
    desk: Desk, was_known: bool
) -> None:
    """That of the record, also where a table has told of the end long before."""
    ends_on = TODAY + timedelta(days=2)
    desk.ends(ends_on)
    desk.office.account("linkedin", "zorza")
    if was_known:
        found: dict[str, Any] = {"versions": ("202511",), "effective_on": ends_on, "hint": Kind.DEPRECATION}
        desk.office.found("202511 ends", platform="linkedin", source="table", **found)
    desk.days(1)
    desk.office.postbox.sent.clear()
    desk.days(4)
    (mail,) = desk.office.postbox.to(desk.office.ops)
    title = "202511 ends" if was_known else "202511 has ended, and we still call it"
    assert mail.subject == f"Has taken effect at LinkedIn: {title}"
    for said in (SET_IN, "zorza", "Its last day was before 2026-11-25"):
        assert said in mail.text


def test_an_end_whose_record_somebody_has_closed_is_told_all_the_same(desk: Desk) -> None:
    ends_on = TODAY + timedelta(days=2)
    desk.ends(ends_on)
    desk.office.account("linkedin", "zorza")
    found: dict[str, Any] = {"versions": ("202511",), "effective_on": ends_on, "hint": Kind.DEPRECATION}
    made = desk.office.found("202511 ends", platform="linkedin", **found)
    assert made is not None
    office = desk.office
    office.changes.correct(office.actor(office.ops), made.change_id, made.version, {"status": "done"})
    desk.days(1)
    office.postbox.sent.clear()
    desk.days(3)
    assert desk.subjects() == [OVER]


@pytest.mark.parametrize(("platform", "versions", "days", "counts"), [
    ("linkedin", ("202511",), 40, True),
    ("linkedin", ("2025-11",), 41, True),
    ("linkedin", ("202511",), 50, False),
    ("linkedin", ("202511", "202601"), 40, False),
    ("linkedin", (), 40, False),
    ("facebook", ("202511",), 40, False),
])  # fmt: skip
def test_the_register_knows_which_ends_it_counts_down_to(
    desk: Desk, platform: str, versions: tuple[str, ...], days: int, counts: bool
) -> None:
    desk.ends(TODAY + timedelta(days=40))
    on = TODAY + timedelta(days=days)
    assert desk.register.counts_down(platform, versions, on) is counts


def test_a_check_that_crashed_in_between_tells_each_person_once(desk: Desk) -> None:
    desk.ends(TODAY + timedelta(days=6))
    desk.ends(TODAY + timedelta(days=5), "facebook", "v21.0")
    desk.ends(TODAY - timedelta(days=1), "x", "2")
    record = desk.record

    def fails_once(*found: Any) -> PlatformChange | None:
        desk.record = record
        raise RuntimeError

    desk.record = fails_once
    desk.days()
    assert desk.record is record
    assert sorted(desk.subjects()) == [
        "Ended: version 2 of X",
        SOON,
        "Version v21.0 of Facebook ends soon",
    ]


def test_the_check_is_put_back_when_it_is_lost_and_not_while_it_is_there(desk: Desk) -> None:
    assert desk.register.ensure() == {"version_checks_put_back": 1}
    assert desk.register.ensure() == {"version_checks_put_back": 0}
    desk.office.work()
    assert desk.register.ensure() == {"version_checks_put_back": 0}
    change = desk.office.kernel.change(BY_JOB)
    change.unschedule(f"{CHECK}#versions")
    change.record("versions", "lost")
    desk.office.kernel.commit(change)
    assert desk.register.ensure() == {"version_checks_put_back": 1}


def test_the_answer_of_the_api_has_every_line(desk: Desk) -> None:
    desk.ends(TODAY + timedelta(days=6))
    account = desk.office.account("linkedin", "zorza")
    (shown,) = VersionsView.of(desk.register.lines()).model_dump(mode="json")["versions"]
    assert shown["ends_on"] == "2026-11-29"
    assert (shown["state"], shown["days_left"], shown["disagree"]) == ("ending", 6, False)
    assert shown["named"] == [{"account_id": account.account_id, "handle": "zorza"}]


# Tables


def looked(key: str, platform: str, snapshot: str, kind: SourceKind = SourceKind.VERSIONS) -> Looked:
    hours = timedelta(hours=6)
    source = Source(key, platform, kind, key, "https://docs.example/", hours, hours)
    return Looked(source, OwnSource(), replace(SourceState(key), snapshot=snapshot))


def test_tables_of_a_platform_are_read_together_and_what_is_lost_is_none(office: Office) -> None:
    def keep(key: str, **rows: str) -> None:
        table = {
            v.replace("v_", ""): {"released_on": "", "ends_on": day, "is_row": True}
            for v, day in rows.items()
        }
        office.objects.write(key, gzip.compress(json.dumps({"rows": table}).encode()), "application/gzip")

    keep("a.json.gz", v_202511="2026-12-01", v_202610="")
    keep("b.json.gz", v_202511="2026-11-30")
    office.objects.write("broken.json.gz", b"nothing", "application/gzip")
    found = [
        looked("a", "linkedin", "a.json.gz"),
        looked("b", "linkedin", "b.json.gz"),
        looked("c", "facebook", "a.json.gz"),
        looked("d", "x", "broken.json.gz"),
        looked("e", "youtube", ""),
        looked("f", "linkedin", "b.json.gz", SourceKind.PAGE),
    ]
    tables = VersionTables(office.objects, lambda: found, registry.version_family)
    assert [(row.version, row.ends_on) for row in tables.rows("linkedin")] == [
        ("202610", None), ("202511", date(2026, 11, 30)),
    ]  # fmt: skip
    assert [row.version for row in tables.rows("whatsapp")] == ["202610", "202511"], "Facebook's are its own"
    assert tables.rows("x") == tables.rows("youtube") == tables.rows("tiktok") == []


DAYS = st.none() | st.dates(date(2024, 1, 1), date(2030, 1, 1))
ROWS = st.lists(st.builds(VersionRow, st.sampled_from(["v20.0", "21.0", "v21.0", "v9.0"]), DAYS, DAYS))


@given(st.lists(ROWS))
def test_merged_tables_have_each_version_once_with_its_earliest_end(tables: list[list[VersionRow]]) -> None:
    found = merged(tables)
    names = [row.version.removeprefix("v") for row in found]
    assert len(set(names)) == len(names)
    assert names == sorted(names, key=float, reverse=True)
    for row, name in zip(found, names, strict=True):
        ends = [r.ends_on for t in tables for r in t if r.version.removeprefix("v") == name and r.ends_on]
        assert row.ends_on == min(ends, default=None)


# What is really called


@pytest.mark.parametrize("name", registry.all_names())
def test_every_network_with_a_version_says_where_it_is_set(name: str) -> None:
    found = registry.versioned(name)
    assert (found is None) == (name in ("bluesky", "mastodon"))
    assert found is None or found.version_set_in


def test_whatsapp_and_instagram_are_called_by_the_version_of_graph() -> None:
    facebook = registry.versioned("facebook")
    for name in ("whatsapp", "instagram"):
        found = registry.versioned(name)
        assert found is not None
        assert facebook is not None
        assert (found.version, found.version_ends_on) == (facebook.version, facebook.version_ends_on)
        assert registry.version_family(name) == "facebook"
    assert registry.version_family("linkedin") == "linkedin"
