"""What happened in 2026, by the clock: who would have been told, and how many days before.

X's changes are in histories/feed_rss, the end of LinkedIn's 202505 in histories/page_html; the mails are the
real ones.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.platform_changes import versions
from chalicelib.platform_changes.model import Kind, PlatformChange, SourceKind
from chalicelib.platform_changes.sources.versions import VersionRow
from chalicelib.platform_changes.version_tellings import VersionTellings
from chalicelib.platform_changes.versions import VersionRegister
from chalicelib.platforms.port import ReadTraits
from chalicelib.platforms.registry import versioned
from tests.fakes.stage import Stage
from tests.platform_changes.conftest import Office
from tests.platform_changes.histories.history import at, load
from tests.platform_changes.histories.replay import Watch, source_of


@pytest.fixture
def office(stage: Stage) -> Office:
    """A company that was there before the histories begin."""
    stage.clock.set(at("2025-11-01"))
    return Office.create(stage)


def _lived(office: Office, until: str) -> dict[date, list[str]]:
    """What happens until a day; the subjects of the mails that lead got, by day."""
    by_day: dict[date, list[str]] = {}
    while office.now < at(until):
        office.postbox.sent.clear()
        tomorrow = office.now.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        day = office.now.date()
        office.pass_time(seconds=(tomorrow - office.now).total_seconds() - 1)
        if subjects := office.postbox.subjects(office.lead):
            by_day[day] = subjects
        office.pass_time(seconds=1)
    return by_day


def _x(office: Office, since: str, until: str) -> tuple[Watch, dict[date, list[str]]]:
    office.stage.clock.set(at(since, hour=0))
    office.account("x")
    watch = Watch(office, [replace(source_of(load("feed_rss")), every_for=timedelta(hours=12))])
    watch.follow(load("feed_rss"))
    watch.tracker.ensure()
    return watch, _lived(office, until)


def _about(watch: Watch, platform: str, word: str) -> PlatformChange:
    (found,) = [change for change in watch.records(platform) if word in change.title]
    return found


def test_x_event_names_are_told_four_days_before_they_change(office: Office) -> None:
    watch, mails = _x(office, "2026-03-13", "2026-03-18")
    change = _about(watch, "x", "Event types")
    told = [day for day, subjects in mails.items() if any("Event types" in subject for subject in subjects)]
    assert change.kind == Kind.BREAKING
    assert change.effective_on == date(2026, 3, 18)
    assert (change.effective_on - told[0]).days >= 4  # announced on the 13th, in the evening
    assert told[-1] == date(2026, 3, 17)  # a day before


def test_x_replay_endpoint_is_told_four_days_before_it_goes(office: Office) -> None:
    watch, mails = _x(office, "2026-03-20", "2026-03-25")
    change = _about(watch, "x", "replay")
    told = [day for day, subjects in mails.items() if any("replay" in subject for subject in subjects)]
    assert change.effective_on == date(2026, 3, 25)
    assert change.touching.accounts == 1
    assert (change.effective_on - told[0]).days >= 4  # announced on the 20th
    assert told[-1] == date(2026, 3, 24)


def test_x_prices_are_known_before_they_count_and_do_not_cry_wolf(office: Office) -> None:
    """They are of calls that we do not make: the briefing has them, and nobody is woken."""
    watch, mails = _x(office, "2026-04-16", "2026-04-19")
    change = _about(watch, "x", "Price")
    assert change.effective_on == date(2026, 4, 20)
    assert change.seen_at.date() <= date(2026, 4, 17)
    assert not any("Price" in subject for subjects in mails.values() for subject in subjects)


def test_x_replies_by_programs_are_known_on_the_day(office: Office) -> None:
    """They counted from the hour in which they were announced: nobody can warn of that."""
    watch, _ = _x(office, "2026-02-23", "2026-02-25")
    change = _about(watch, "x", "Replies by programs")
    assert change.seen_at - at("2026-02-23T21:15") < timedelta(hours=24)


def test_the_end_of_a_linkedin_version_is_told_from_its_own_page(office: Office) -> None:
    """202505 ends on 2026-05-15; the page says so from 2026-02-16 on, 88 days before."""
    history = load("page_html")
    office.stage.clock.set(at("2026-02-01"))
    office.account("linkedin", "zorza", api_version="202505")
    office.account("linkedin", "newer", api_version="202601")
    source = replace(source_of(history), every_for=timedelta(days=7))
    table = replace(source, key="linkedin_versions", kind=SourceKind.VERSIONS)  # of the same page
    watch = Watch(office, [source, table], versions={"linkedin": "202601"})
    watch.follow(history)
    watch.tracker.ensure()
    mails: dict[date, list[str]] = {}
    for since, until in (
        ("2026-02-09", "2026-02-26"),
        ("2026-04-14", "2026-04-16"),
        ("2026-05-07", "2026-05-09"),
        ("2026-05-13", "2026-05-16"),
    ):
        office.stage.clock.set(at(since))
        mails |= _lived(office, until)
    ends = date(2026, 5, 15)
    told = {(ends - day).days for day, subjects in mails.items() if any("202505" in s for s in subjects)}
    assert max(told) >= 80
    assert {30, 7, 1} <= told


def test_the_end_of_a_linkedin_version_is_told_at_every_mark_from_our_own_register(office: Office) -> None:
    """As it was then: our code called 202505, and named 2026-05-15 as its end."""
    office.stage.clock.set(at("2026-02-01"))
    for handle in ("zorza", "other"):
        office.account("linkedin", handle)
    office.account("linkedin", "newer", api_version="202601")
    watch, mails = Watch(office, [], versions={"linkedin": "202505"}), office.postbox
    register = _register(office, watch)
    told: dict[date, list[str]] = {}
    for around in ("2026-02-13", "2026-04-14", "2026-05-07", "2026-05-13"):
        office.stage.clock.set(at(around))
        for _ in range(2):
            mails.sent.clear()
            office.pass_time(days=1)
            if mails.sent:
                told[office.now.date()] = sorted({mail.to for mail in mails.sent})
                assert all("202505" in mail.subject + mail.text for mail in mails.sent)
    people = sorted([office.lead.email, office.ops.email])
    # 90, 30, 7 and 1 days before, and on the day itself
    days = (date(2026, 2, 14), date(2026, 4, 15), date(2026, 5, 8), date(2026, 5, 14), date(2026, 5, 15))
    assert told == dict.fromkeys(days, people)
    assert [(line.version, line.accounts) for line in register.lines()] == [("202505", 2), ("202601", 1)]


def test_a_linkedin_version_that_has_ended_and_is_in_use_is_a_breaking_change(office: Office) -> None:
    office.stage.clock.set(at("2026-05-14"))
    office.account("linkedin")
    watch = Watch(office, [], versions={"linkedin": "202505"})
    _register(office, watch)
    office.pass_time(days=2)
    (ended,) = watch.records("linkedin")
    assert (ended.kind, ended.effective_on) == (Kind.BREAKING, date(2026, 5, 15))
    assert ended.touching.accounts == 1


def _register(office: Office, watch: Watch) -> VersionRegister:
    """The register of versions with LinkedIn's traits of then, and its daily check on the timetable."""
    now = versioned("linkedin")
    assert isinstance(now, ReadTraits)
    then = replace(now, version="202505", version_ends_on=date(2026, 5, 15))
    register = VersionRegister(
        office.kernel,
        office.org,
        office.accounts,
        ["linkedin"],
        {"linkedin": then}.get,
        _no_rows,
        watch.changes.record,
    )
    mails: Any = office.postbox
    tellings = VersionTellings(office.kernel, office.org, register, mails, office.stage.settings)
    office.handlers |= {versions.CHECK: register.check_versions, versions.TELL: tellings.tell_version}
    register.ensure()
    return register


def _no_rows(platform: str) -> list[VersionRow]:
    return []
