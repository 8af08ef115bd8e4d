"""A register lived through at random: findings in any order, twice, from two sources, corrected and moved.

Whatever happens, no finding has two records, no sighting is lost, what a person said stays, and every change
that has to be counted down has exactly one entry on the timetable.
"""

import uuid
from datetime import date, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.core.clock import FixedClock
from chalicelib.core.errors import SignalboxError
from chalicelib.core.history import BY_JOB
from chalicelib.platform_changes import countdown
from chalicelib.platform_changes.changes import WARN
from chalicelib.platform_changes.model import MOVES, Finding, Kind, PlatformChange, Status
from chalicelib.platform_changes.recording import by_person
from chalicelib.platform_changes.rules import judged, more_urgent
from tests.conftest import NOON, TEMPLATE
from tests.fakes.stage import Stage
from tests.platform_changes.conftest import SURFACES, Office, few

SOURCES = ("x_changelog", "x_spec", "signal")
PLATFORMS = tuple(SURFACES)
TITLES = (
    "POST /2/tweets loses reply settings", "Reply settings are removed from POST /2/tweets",
    "Version v21.0 ends", "v21.0 is deprecated", "Weekly update of our developers' changelog pages",
    "Marketing API: new ad accounts", "",
)  # fmt: skip
OPERATIONS = ((), ("POST /2/tweets",), ("POST /tweets", "GET /2/spaces"), ("POST /rest/posts",))
# So that about every second finding is of something that is known already.
findings = st.builds(
    Finding,
    key=st.sampled_from([*"abcdefgh", "i" * 2000]),
    title=st.sampled_from(TITLES),
    text=st.sampled_from(["It is removed.", "It is deprecated.", "Rate limits were lowered."]),
    effective_on=st.sampled_from([None, None, date(2026, 12, 1), date(2027, 6, 1)]),
    hint=st.sampled_from([None, None, None, Kind.BREAKING, Kind.NEW, Kind.OUTAGE]),
    operations=st.sampled_from(OPERATIONS),
    fields=st.sampled_from([(), (), ("text",), ("card_uri",)]),
    versions=st.sampled_from([(), (), ("v21.0",), ("202511",)]),
)


@cache
def _office() -> Office:
    """One stage for all lives, each with platforms emptied before: making tables is the slow part."""
    office = Office.create(Stage.create("m" + uuid.uuid4().hex[:9], TEMPLATE, FixedClock(NOON)), few)
    office.account("x", "zorza")
    office.account("linkedin", "zorza")
    return office


class RegisterLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.office = _office()
        empty(self.office)
        self.actor = self.office.actor(self.office.ops)
        self.seen: dict[tuple[str, str, str], Finding] = {}
        self.said: dict[str, Kind] = {}
        self.walked: dict[str, list[Status]] = {}

    def everything(self) -> dict[str, PlatformChange]:
        return {change.change_id: change for change in self.office.everything()}

    @rule(
        looks=st.lists(
            st.tuples(st.sampled_from(("x", *PLATFORMS)), st.sampled_from(SOURCES), findings),
            min_size=2,
            max_size=6,
        )
    )
    def look(self, looks: list[tuple[str, str, Finding]]) -> None:
        for platform, source, finding in looks:
            self.find(platform, source, finding)

    def find(self, platform: str, source: str, finding: Finding) -> None:
        before = self.everything()
        made = self.office.changes.record(platform, finding, source, "https://docs.example/", BY_JOB)
        place = (platform, source, finding.key)
        if place in self.seen:
            assert made is None, "a finding is recorded once, whatever it says the next time"
            assert self.everything() == before
            return
        assert made is not None
        self.seen[place] = finding
        after = self.everything()
        assert len(after) - len(before) == (made.change_id not in before)
        assert {i: c for i, c in after.items() if i != made.change_id} == {
            i: c for i, c in before.items() if i != made.change_id
        }, "one record changes, and no other"
        self.walked.setdefault(made.change_id, []).append(made.status)
        if made.change_id in before and made.change_id not in self.said:
            verdict = judged(finding, platform, ())
            assert made.kind == more_urgent(before[made.change_id].kind, verdict.kind)

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def find_again(self, data: st.DataObject) -> None:
        platform, source, key = data.draw(st.sampled_from(sorted(self.seen)))
        finding = self.seen[platform, source, key]
        assert self.office.changes.record(platform, finding, source, "", BY_JOB) is None

    @precondition(lambda self: self.walked)
    @rule(data=st.data(), kind=st.sampled_from(Kind))
    def correct_the_kind(self, data: st.DataObject, kind: Kind) -> None:
        about = self.draw(data)
        after = self.office.changes.correct(self.actor, about.change_id, about.version, {"kind": kind})
        assert by_person(after.classified_by)
        self.said[about.change_id] = kind

    @precondition(lambda self: self.walked)
    @rule(data=st.data(), to=st.sampled_from(Status), days=st.integers(0, 60))
    def move(self, data: st.DataObject, to: Status, days: int) -> None:
        about = self.draw(data)
        plan = {"owner_id": self.actor.person_id, "due_on": self.office.now.date() + timedelta(days=days)}
        fields = {"status": to, **(plan if to == Status.PLANNED else {})}
        try:
            after = self.office.changes.correct(self.actor, about.change_id, about.version, fields)
        except SignalboxError:
            assert to not in MOVES[about.status]
            return
        assert to in MOVES[about.status] or to == about.status
        self.walked[about.change_id].append(after.status)

    @precondition(lambda self: self.walked)
    @rule(data=st.data())
    def correct_what_was_seen_before(self, data: st.DataObject) -> None:
        about = self.draw(data)
        with pytest.raises(SignalboxError):
            self.office.changes.correct(self.actor, about.change_id, about.version + 1, {"title": "Other"})
        assert self.office.get(about) == about

    @rule(days=st.sampled_from([0.3, 40]))
    def time_passes(self, days: float) -> None:
        self.office.pass_time(days=days)

    def draw(self, data: st.DataObject) -> PlatformChange:
        return self.office.changes.get(data.draw(st.sampled_from(sorted(self.walked))))

    @invariant()
    def every_finding_has_one_record_and_no_sighting_is_lost(self) -> None:
        sightings = [
            (change.platform, seen.source, seen.finding)
            for change in self.everything().values()
            for seen in change.sightings
        ]
        wanted = [(platform, source, key[:200]) for platform, source, key in self.seen]
        assert sorted(sightings) == sorted(wanted)

    @invariant()
    def what_a_person_said_stays(self) -> None:
        everything = self.everything()
        for change_id, kind in self.said.items():
            assert everything[change_id].kind == kind

    @invariant()
    def statuses_follow_the_table(self) -> None:
        for change_id, walked in self.walked.items():
            for before, after in pairwise(walked):
                assert before == after or after in MOVES[before]
            assert self.office.changes.get(change_id).status == walked[-1]

    @invariant()
    def each_change_has_the_entry_that_it_needs(self) -> None:
        today = self.office.now.date()
        wanted = {
            f"{WARN}#{change.change_id}"
            for change in self.everything().values()
            if countdown.next_mark(change, today) is not None
        }
        assert {e for e in self.office.entries() if e.startswith(WARN)} == wanted

    @invariant()
    def lists_have_each_change_once(self) -> None:
        listed = [place.change_id for ours in (True, False) for _, place in self.office.store.places(ours)]
        assert sorted(listed) == sorted(self.everything())


def empty(office: Office) -> None:
    """Take every row of the register, and every chore, away."""
    client, name = office.stage.dynamodb, office.stage.settings.table("platform_changes")
    for item in client.scan(TableName=name)["Items"]:
        client.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    name = office.stage.settings.table("timetable")
    for item in client.scan(TableName=name)["Items"]:
        client.delete_item(TableName=name, Key={"entry_id": item["entry_id"]})
    office.postbox.sent.clear()


RegisterLife.TestCase.settings = settings(
    max_examples=4,
    stateful_step_count=12,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
TestRegisterLife = pytest.mark.usefixtures("moto_cloud")(RegisterLife.TestCase)
