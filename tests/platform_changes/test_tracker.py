"""Looking at sources: each on its own, at its own pace, never silently skipped."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.accounts import store as account_rows
from chalicelib.core.errors import Busy, Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.core.history import BY_JOB
from chalicelib.core.http import MaybeSent, Request
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Worker
from chalicelib.platform_changes.model import Finding, Source, SourceKind
from chalicelib.platform_changes.source_settings import TRACK, Sources
from chalicelib.platform_changes.source_tellings import SourceTellings
from chalicelib.platform_changes.sources.reader import ChangedShape, Snapshot
from chalicelib.platform_changes.sources.status import Incident
from chalicelib.platform_changes.store import OwnSource
from chalicelib.platform_changes.tracker import TELL_SOURCE, Tracker, next_at
from tests.conftest import NOON
from tests.fakes.transport import FakeTransport, client, reply
from tests.platform_changes.conftest import Office

HOUR = timedelta(hours=1)


def source(key: str, kind: SourceKind = SourceKind.FEED, platform: str = "x", **more: Any) -> Source:
    fields = {"every_for": 6 * HOUR, "patience_for": 24 * HOUR, **more}
    return Source(key, platform, kind, f"Source {key}", f"https://docs.example/{key}", **fields)


@dataclass
class LinesReader:
    """A body of lines; each line that was not there before is found. `!` is another shape, `?` breaks it."""

    def read(self, source: Source, body: bytes, content_type: str) -> Snapshot:
        if body.startswith(b"!"):
            raise ChangedShape("A page came where a feed was.")
        if body.startswith(b"?"):
            raise RecursionError
        return {"lines": body.decode().split("\n")}

    def compare(self, source: Source, before: Snapshot | None, after: Snapshot, today: date) -> list[Finding]:
        known = before["lines"] if before else []
        return [Finding(line, line) for line in after["lines"] if line and line not in known]


@dataclass
class Watch:
    """Web sites in memory, by path, and the tracker that looks at them."""

    office: Office
    catalogue: Mapping[str, Source]
    site: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[str, list[str]]] = field(default_factory=list)
    objects: Any = None

    def __post_init__(self) -> None:
        office, kernel = self.office, self.office.kernel
        self.transport = FakeTransport(self.answer)
        self.sources = Sources(kernel, office.org, self.catalogue, self.servers)
        self.tracker = Tracker(
            kernel,
            office.org,
            self.sources,
            office.changes,
            self.objects or office.objects,
            client(office.stage.clock, self.transport),
            lambda kind: LinesReader(),
            lambda source, snapshot: [incident(line) for line in snapshot["lines"]],
            lambda source, incidents: self.heard.append((source.key, [i.title for i in incidents])),
        )
        mailer: Any = office.postbox
        tellings = SourceTellings(kernel, office.org, self.sources, mailer, office.stage.settings)
        office.handlers |= {TRACK: self.tracker.track_source, TELL_SOURCE: tellings.tell_source}

    def servers(self, platform: str) -> list[str]:
        return [a.server for a in self.office.accounts.everyone() if a.platform == platform]

    def answer(self, request: Request) -> Any:
        said = self.site[request.url.rpartition("/")[2]]
        if not isinstance(said, str):
            return said
        tag = f'"{hash(said)}"'
        if request.headers.get("If-None-Match") == tag:
            return reply(304)
        return reply(200, headers={"ETag": tag}, body=said.encode())

    def look(self, key: str = "feed") -> str:
        """Have a source looked at now; how that ended."""
        change = self.office.kernel.change(self.office.operator.by)
        change.chore(TRACK, key, key=key)
        change.record(f"source#{key}", "looked at by hand")
        self.office.kernel.commit(change)
        return Worker(self.office.kernel, Lane.CHORES, self.office.handlers).run(f"{TRACK}#{key}")

    def state(self, key: str = "feed") -> Any:
        return self.sources.get(key).state

    def titles(self) -> set[str]:
        return {change.title for change in self.office.everything()}


def incident(title: str) -> Incident:
    return Incident(title, title, "", NOON, NOON, "major", (), False, "")


@pytest.fixture
def watch(office: Office) -> Watch:
    kinds = {"feed": SourceKind.FEED, "other": SourceKind.FEED, "status": SourceKind.STATUS}
    catalogue = {key: source(key, kind) for key, kind in kinds.items()}
    return Watch(office, catalogue, dict.fromkeys(catalogue, "Gamma is removed"))


def test_a_look_records_what_is_new_and_comes_again(watch: Watch) -> None:
    assert watch.look() == "later"
    assert watch.titles() == {"Gamma is removed"}
    watch.site["feed"] = "Delta is removed\nGamma is removed"
    watch.office.stage.clock.advance(hours=6)
    assert watch.look() == "later"
    assert watch.titles() == {"Gamma is removed", "Delta is removed"}
    due_at = watch.office.entries()[f"{TRACK}#feed"]
    assert watch.office.now < due_at <= watch.office.now + 6 * HOUR
    state = watch.state()
    assert (state.looks, state.failing_since, state.changed_at) == (2, None, watch.office.now)


def test_what_was_read_is_kept_under_its_own_hash(watch: Watch) -> None:
    watch.look()
    state = watch.state()
    kept = gzip.decompress(watch.office.objects.read(state.snapshot))
    assert state.snapshot == f"changes/feed/{state.digest}.json.gz"
    assert json.loads(kept) == {"lines": ["Gamma is removed"]}
    assert hashlib.sha256(kept).hexdigest() == state.digest


def test_an_answer_of_nothing_new_is_asked_for_and_costs_nothing(watch: Watch) -> None:
    watch.look()
    before = watch.state()
    watch.office.stage.clock.advance(hours=6)
    watch.look()
    assert watch.transport.requests[-1].headers["If-None-Match"] == before.etag
    after = watch.state()
    assert (after.digest, after.changed_at, after.looks) == (before.digest, before.changed_at, 2)
    assert watch.office.stage.history.of("source#feed")[-1].what == "looked at by hand"


def test_a_source_that_fails_harms_no_other_and_is_listed_at_once(watch: Watch) -> None:
    for wrong in (reply(500), MaybeSent("It began, and no whole answer came back."), "!", "?"):
        watch.site["feed"] = wrong
        assert watch.look() == "later"
    assert watch.look("other") == "later"
    (failing,) = watch.tracker.failing()
    assert (failing.key, failing.failing_since, failing.told_at) == ("feed", NOON, None)
    assert failing.failing_why == "What Source feed says could not be read (RecursionError)."
    assert watch.office.entries()[f"{TRACK}#feed"] <= NOON + HOUR, "it is tried again soon"
    assert watch.titles() == {"Gamma is removed"}


def test_people_are_told_once_when_patience_has_ended_and_once_when_it_works(watch: Watch) -> None:
    office = watch.office
    watch.look()
    watch.site["feed"] = "!"
    watch.look()
    office.pass_time(hours=23)
    assert office.postbox.sent == []
    office.pass_time(hours=30)
    assert {m.to for m in office.postbox.sent} == {office.lead.email, office.ops.email}
    (mail,) = office.postbox.to(office.ops)
    assert mail.subject == "We hear nothing new of X: Source feed"
    assert "A page came where a feed was." in mail.text
    office.postbox.sent.clear()
    watch.site["feed"] = "Gamma is removed\nDelta is removed"
    office.pass_time(hours=7)
    assert office.postbox.subjects(office.ops) == ["We hear of X again: Source feed"]
    assert "Delta is removed" in watch.titles(), "what was missed meanwhile is found"
    assert watch.tracker.failing() == []
    office.pass_time(days=2)
    assert len(office.postbox.to(office.ops)) == 1


def test_a_failure_that_passes_disturbs_nobody(watch: Watch) -> None:
    watch.site["feed"] = reply(503)
    watch.look()
    watch.site["feed"] = "Gamma is removed"
    watch.office.pass_time(days=2)
    assert watch.office.postbox.sent == []
    rows = [row.what for row in watch.office.stage.history.of("source#feed")]
    assert {"failed", "works again"} < set(rows)


def test_a_crash_before_the_look_is_noted_finds_the_same_and_records_it_once(watch: Watch) -> None:
    office = watch.office
    original = office.changes.record
    calls = []

    class Failing:
        def record(self, *given: Any) -> Any:
            made = original(*given)
            calls.append(given)
            if len(calls) == 1:
                raise Busy("the database is too busy")
            return made

    watch.site["feed"] = "Gamma is removed\nDelta is removed"
    failing: Any = Failing()
    tracker = Tracker(
        office.kernel, office.org, watch.sources, failing, office.objects,
        client(office.stage.clock, watch.transport), lambda kind: LinesReader(), lambda s, n: [],
        lambda s, i: None,
    )  # fmt: skip
    office.handlers[TRACK] = tracker.track_source
    assert watch.look() == "failed"
    assert watch.state().looks == 0
    office.pass_time(minutes=2)
    assert len(calls) == 3
    assert len(office.everything()) == 2
    assert office.entries()[f"{TRACK}#feed"] > office.now


def test_a_lost_snapshot_is_learned_anew_and_nothing_is_recorded_twice(watch: Watch) -> None:
    watch.look()
    kept = watch.state().snapshot
    watch.office.stage.s3.delete_object(Bucket=watch.office.stage.settings.media_bucket, Key=kept)
    for _ in range(2):  # the first look has the whole answer sent
        watch.office.stage.clock.advance(hours=6)
        watch.look()
    assert watch.office.objects.read(watch.state().snapshot)
    assert len(watch.office.everything()) == 1


def test_what_stands_on_a_status_page_is_passed_on_at_each_look(watch: Watch) -> None:
    watch.look("status")
    watch.look("status")
    watch.look()
    assert watch.heard == [("status", ["Gamma is removed"])] * 2, "the second answer was that nothing changed"


def test_every_source_has_its_entry_and_lost_ones_are_put_back(watch: Watch) -> None:
    office = watch.office
    assert watch.tracker.ensure() == {"sources": 3, "put_back": 3}
    assert {e for e in office.entries() if e.startswith(TRACK)} == {f"{TRACK}#{k}" for k in watch.catalogue}
    assert watch.tracker.ensure() == {"sources": 3, "put_back": 0}
    change = office.kernel.change(office.operator.by)
    change.unschedule(f"{TRACK}#other")
    change.record("source#other", "lost")
    office.kernel.commit(change)
    assert watch.tracker.ensure() == {"sources": 3, "put_back": 1}
    office.pass_time(hours=2)
    assert all(watch.state(key).looks for key in watch.catalogue), (
        "a new company knows everything within hours"
    )


def test_the_company_sets_address_rhythm_and_off(watch: Watch) -> None:
    office, ops = watch.office, watch.office.actor(watch.office.ops)
    watch.look()
    watch.site["moved"] = "Other words altogether"
    found = watch.sources.set(ops, "feed", OwnSource("https://docs.example/moved", every_minutes=30))
    assert (found.source.known, found.source.every_for, found.state.digest) == ("company", HOUR / 2, "")
    office.work()
    assert watch.transport.requests[-1].url == "https://docs.example/moved"
    assert office.entries()[f"{TRACK}#feed"] <= office.now + HOUR / 2
    with pytest.raises(Conflict):
        watch.sources.set(ops, "feed", OwnSource())
    watch.sources.set(ops, "feed", OwnSource(is_off=True, version=1))
    assert f"{TRACK}#feed" not in office.entries()
    assert watch.tracker.ensure()["sources"] == 2
    assert f"{TRACK}#feed" not in office.entries()
    assert watch.look() == "done", "one that is off is not looked at"
    watch.sources.set(ops, "feed", OwnSource(version=2))
    assert f"{TRACK}#feed" in office.entries()


def test_an_address_without_https_is_set_only_where_the_stage_may_call_it(watch: Watch) -> None:
    office, ops = watch.office, watch.office.actor(watch.office.ops)
    near = Sources(office.kernel, office.org, watch.catalogue, allowed_hosts=frozenset({"127.0.0.1:4571"}))
    assert near.set(ops, "feed", OwnSource("http://127.0.0.1:4571/feed")).own.version == 1
    for url in ("http://127.0.0.1:4572/feed", "http://docs.example/feed"):
        with pytest.raises(InvalidInput):
            near.set(ops, "feed", OwnSource(url, version=1))


def test_a_source_without_an_address_is_off_until_the_company_sets_one(watch: Watch) -> None:
    office, ops = watch.office, watch.office.actor(watch.office.ops)
    sources = Sources(office.kernel, office.org, {"nowhere": replace(source("nowhere"), url="")})
    assert sources.get("nowhere").own.is_off
    assert not sources.set(ops, "nowhere", OwnSource("https://docs.example/moved")).own.is_off
    assert f"{TRACK}#nowhere" in office.entries()


def test_only_those_who_keep_the_register_set_sources(watch: Watch) -> None:
    with pytest.raises(NotAllowed):
        watch.sources.set(watch.office.actor(watch.office.author), "feed", OwnSource())
    with pytest.raises(NotFound):
        watch.sources.set(watch.office.actor(watch.office.ops), "nothing", OwnSource())


def test_what_is_no_source_any_more_is_forgotten(watch: Watch) -> None:
    assert watch.look("gone") == "done"


@given(st.text(max_size=30), st.integers(60, 10**6), st.integers(1, 10**6))
def test_each_source_keeps_its_own_turn(key: str, seconds: int, at: int) -> None:
    now, every = NOON + timedelta(minutes=at), timedelta(seconds=seconds)
    turn = next_at(key, every, now)
    assert now < turn <= now + every
    assert next_at(key, every, turn) == turn + every


def test_sources_do_not_all_come_at_once() -> None:
    turns = {next_at(f"source{n}", 6 * HOUR, NOON) for n in range(40)}
    assert len(turns) > 30


@pytest.fixture
def servers(office: Office) -> Watch:
    of_all = replace(source("server", SourceKind.SERVER), url="https://{server}/about")
    return Watch(office, {"feed": source("feed"), "server": of_all}, {"about": "One", "feed": "Two"})


def test_each_server_that_our_accounts_live_on_is_a_source(servers: Watch) -> None:
    assert [found.source.key for found in servers.sources.all()] == ["feed"]
    for handle, server in (("a", "one.example"), ("b", "one.example/"), ("c", "two.example:444")):
        servers.office.account(handle=handle, server=f"https://{server}")
    servers.office.account("linkedin", server="https://three.example")
    servers.office.account(handle="d", server="http://[::1]/")
    assert servers.tracker.ensure() == {"sources": 3, "put_back": 3}
    assert set(servers.office.entries()) == {
        f"{TRACK}#{key}" for key in ("feed", "server@one.example", "server@two.example:444")
    }
    assert servers.look("server@one.example") == "later"
    assert servers.transport.requests[-1].url == "https://one.example/about"
    for gone in ("server", "server@", "server@three.example", "feed@one.example", "@one.example"):
        with pytest.raises(NotFound):
            servers.sources.get(gone)


def test_a_server_that_fails_is_listed_alone_and_one_that_is_left_is_looked_at_no_more(
    servers: Watch,
) -> None:
    one = servers.office.account(handle="a", server="https://one.example")
    servers.office.account(handle="b", server="https://two.example")
    servers.site["about"] = "!"
    servers.look("server@one.example")
    servers.site["about"] = "Fine"
    servers.look("server@two.example")
    assert [state.key for state in servers.tracker.failing()] == ["server@one.example"]
    change = servers.office.kernel.change(BY_JOB)
    change.put(account_rows.TABLE, account_rows.account_item(replace(one, platform="linkedin")))
    change.record(f"account#{one.account_id}", "moved")
    servers.office.kernel.commit(change)
    assert servers.look("server@one.example") != "later"
    assert servers.tracker.failing() == []
    assert f"{TRACK}#server@one.example" not in servers.office.entries()


def test_no_more_than_fifty_servers_are_looked_at_and_the_fullest_first(servers: Watch) -> None:
    full = ["https://full.example"] * 3
    of_all = Sources(
        servers.office.kernel, servers.office.org, servers.catalogue,
        lambda platform: [*(f"https://s{n}.example" for n in range(80)), *full],
    ).all()  # fmt: skip
    assert len(of_all) == 51
    assert of_all[1].source.key == "server@full.example"


def test_a_server_can_be_set_off_by_itself(servers: Watch) -> None:
    servers.office.account(server="https://one.example")
    ops = servers.office.actor(servers.office.ops)
    servers.sources.set(ops, "server@one.example", OwnSource(is_off=True))
    assert servers.tracker.ensure()["sources"] == 1


@pytest.mark.parametrize("days", [299, 301])
@pytest.mark.parametrize("says", ["Gamma is removed", reply(500)])
def test_a_snapshot_that_has_grown_old_is_written_again(watch: Watch, days: int, says: Any) -> None:
    watch.look()
    before, objects = watch.state(), Keeping(watch.office.objects)
    later = Watch(watch.office, watch.catalogue, watch.site, objects=objects)
    later.office.stage.clock.advance(days=days)
    later.site["feed"] = says
    for _ in range(2):
        later.look()
    is_old = days > 300
    assert objects.written == ([before.snapshot] if is_old else [])
    assert (later.state().kept_at == later.office.now) is is_old
    assert (later.state().snapshot, later.state().changed_at) == (before.snapshot, before.changed_at)


@dataclass
class Keeping:
    """Notes what is written."""

    objects: Any
    written: list[str] = field(default_factory=list)

    def read(self, key: str) -> bytes:
        return bytes(self.objects.read(key))

    def write(self, key: str, body: bytes, mime: str) -> None:
        self.written.append(key)
        self.objects.write(key, body, mime)
