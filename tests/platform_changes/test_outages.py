"""When a platform's work pauses, and when it goes on: by its status page, by hand, and by the clock."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.accounts.outages import Pause, read_pauses
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.core.timetable import Lane
from chalicelib.platform_changes.outages import BY_HAND, IT_IS_OVER, NOT_SEEN, Outage
from tests.fakes.stage import Stage
from tests.platform_changes.outage_desk import OutageDesk, page

DAY = timedelta(hours=24)


@pytest.fixture
def desk(stage: Stage) -> OutageDesk:
    return OutageDesk.open(stage)


def pause(desk: OutageDesk, platform: str = "mastodon") -> Pause | None:
    """What the platform's work waits for now, as whoever sends reads it."""
    return read_pauses(desk.services.kernel.database).on(platform, desk.now)


def stands(desk: OutageDesk) -> Outage:
    outage = desk.standing()
    assert outage is not None
    return outage


def history(desk: OutageDesk, outage: Outage) -> list[str]:
    return [row.what for row in desk.services.history.of(f"outage#{outage.outage_id}")]


@pytest.mark.parametrize(
    ("impact", "pauses"),
    [("critical", True), ("major", True), ("minor", False), ("none", False), ("over", False), ("?", False)],
)
def test_only_a_major_incident_that_stands_pauses_the_platforms_work(
    desk: OutageDesk, impact: str, pauses: bool
) -> None:
    desk.looks(i1=impact)
    assert (pause(desk) is not None) is pauses
    assert pause(desk, "bluesky") is None


@pytest.mark.parametrize("says", [{"i1": "minor"}, {"i1": "over"}, {}])
def test_it_lifts_by_itself_when_the_incident_is_over_not_major_or_not_named_any_more(
    desk: OutageDesk, says: dict[str, str]
) -> None:
    desk.looks(i1="critical")
    outage = stands(desk)
    desk.box.stage.clock.advance(minutes=30)
    desk.looks(**says)
    ended = desk.services.outages.get(outage.outage_id)
    assert (ended.ended_at, ended.ended_why, pause(desk)) == (desk.now, IT_IS_OVER, None)
    assert history(desk, ended) == ["outage began", "outage ended"]


def test_the_same_look_again_and_again_is_one_outage_and_no_history(desk: OutageDesk) -> None:
    for _ in range(5):
        desk.looks(i1="major")
        desk.box.stage.clock.advance(minutes=5)
    assert history(desk, stands(desk)) == ["outage began"]
    assert len(desk.services.outages.page(50)[0]) == 1


def test_incidents_that_overlap_are_one_outage_which_ends_with_the_last(desk: OutageDesk) -> None:
    second = page("other")
    desk.looks(i1="major")
    first = stands(desk)
    desk.looks(i1="major", i2="critical")
    desk.looks(second, x="major")
    assert [p.key for p in stands(desk).open_parts] == ["status#i1", "status#i2", "other#x"]
    desk.looks(i1="over", i2="critical")
    desk.looks()
    assert stands(desk).outage_id == first.outage_id
    assert pause(desk) is not None
    desk.looks(second, x="minor")
    assert (desk.standing(), pause(desk)) == (None, None)
    assert history(desk, first).count("outage began") == history(desk, first).count("outage ended") == 1


def test_an_incident_that_becomes_major_again_is_open_again(desk: OutageDesk) -> None:
    desk.looks(i1="major", i2="major")
    desk.looks(i1="minor", i2="major")
    desk.looks(i1="critical", i2="over")
    assert [p.key for p in stands(desk).open_parts] == ["status#i1"]
    desk.looks()
    desk.looks(i1="major")
    assert len(desk.services.outages.page(50)[0]) == 2


def test_two_platforms_have_outages_of_their_own(desk: OutageDesk) -> None:
    desk.looks(i1="major")
    desk.looks(page("sky", "bluesky"), i1="major")
    desk.looks()
    assert (pause(desk), pause(desk, "bluesky") is not None) == (None, True)


def test_what_is_lifted_by_hand_does_not_begin_again_for_the_same_incident(desk: OutageDesk) -> None:
    outages, lead = desk.services.outages, desk.box.lead
    desk.looks(i1="major")
    lifted = outages.lift(lead, stands(desk).outage_id, "posting works for us")
    assert (lifted.ended_by, lifted.ended_why) == (lead.person_id, "posting works for us")
    for impact in ("critical", "minor", "major"):
        desk.box.stage.clock.advance(minutes=5)
        desk.looks(i1=impact)
        desk.looks(page("other"))
    assert pause(desk) is None
    desk.looks(i1="critical", i2="major")
    assert [part.key for part in stands(desk).parts] == ["status#i2"]
    desk.looks(i1="critical", i2="over")
    desk.looks(i1="critical")
    assert pause(desk) is None
    with pytest.raises(Conflict, match="has ended"):
        outages.lift(lead, lifted.outage_id, "again")
    desk.looks()
    desk.looks(i3="major")
    assert pause(desk) is not None


def test_a_status_page_that_broke_stops_nothing_for_longer_than_a_day(desk: OutageDesk) -> None:
    desk.looks(i1="major")
    outage, clock = stands(desk), desk.box.stage.clock
    clock.advance(hours=20)
    desk.looks(i1="major")
    seen_at = desk.now
    clock.advance(hours=4.1)
    desk.work("end_outage")
    assert pause(desk) is not None
    clock.set(seen_at + DAY - timedelta(seconds=1))
    assert pause(desk) is not None
    clock.set(seen_at + DAY)
    assert pause(desk) is None  # whether or not anything has run
    assert desk.work("end_outage") == ["done"]
    assert desk.services.outages.get(outage.outage_id).ended_why == NOT_SEEN
    desk.looks(i1="major")
    assert stands(desk).outage_id != outage.outage_id


def test_a_page_that_broke_does_not_prolong_what_another_one_says_is_over(desk: OutageDesk) -> None:
    desk.looks(i1="major")
    for _ in range(25):
        desk.looks(page("other"), x="major")
        desk.box.stage.clock.advance(hours=1)
    desk.looks(page("other"))
    assert (desk.standing(), pause(desk)) == (None, None)


def test_a_person_declares_one_for_a_day_and_again_and_lifts_it(desk: OutageDesk) -> None:
    outages, lead = desk.services.outages, desk.box.lead
    declared = outages.declare(lead, "mastodon", "Posting fails for all of us")
    assert (declared.by_id, declared.parts[0].key) == (lead.person_id, BY_HAND)
    desk.looks()  # a page that has not seen it does not end it
    assert pause(desk) is not None
    desk.box.stage.clock.advance(hours=23)
    again = outages.declare(lead, "mastodon", "Still")
    assert (again.outage_id, again.until_at) == (declared.outage_id, desk.now + DAY)
    desk.box.stage.clock.advance(hours=23)
    assert pause(desk) is not None
    outages.lift(lead, declared.outage_id, "it works")
    assert pause(desk) is None
    assert [r.person_id for r in desk.services.history.of(f"outage#{declared.outage_id}")] == (
        [lead.person_id] * 3
    )


def test_what_a_person_declared_ends_with_the_page_once_that_has_seen_it_too(desk: OutageDesk) -> None:
    declared = desk.services.outages.declare(desk.box.lead, "mastodon", "Posting fails")
    desk.looks(i1="major")
    assert stands(desk).outage_id == declared.outage_id
    desk.looks()
    assert (desk.standing(), pause(desk)) == (None, None)


def test_only_whoever_keeps_the_register_declares_and_lifts(desk: OutageDesk) -> None:
    outages, author = desk.services.outages, desk.box.author
    with pytest.raises(NotAllowed):
        outages.declare(author, "mastodon", "x")
    desk.looks(i1="major")
    with pytest.raises(NotAllowed):
        outages.lift(author, stands(desk).outage_id, "x")
    with pytest.raises(InvalidInput, match="platform"):
        outages.declare(desk.box.lead, "friendster", "x")
    with pytest.raises(NotFound):
        outages.lift(desk.box.lead, "outage_x", "x")


def test_a_look_that_meets_another_one_looks_again(desk: OutageDesk) -> None:
    """A second look, of another page, commits between the read and the write of the first."""
    events, left = desk.box.stage.dynamodb.meta.events, ["other"]

    def meanwhile(**_: object) -> None:
        if left:
            desk.looks(page(left.pop()), x="major")

    events.register("before-call.dynamodb.TransactWriteItems", meanwhile)
    try:
        desk.looks(i1="major")
    finally:
        events.unregister("before-call.dynamodb.TransactWriteItems", meanwhile)
    assert [p.key for p in stands(desk).parts] == ["other#x", "status#i1"]
    left.append("other")
    events.register("before-call.dynamodb.TransactWriteItems", meanwhile)
    try:
        desk.looks(i1="major")  # seen again, and nothing new: not a change of the kernel's
    finally:
        events.unregister("before-call.dynamodb.TransactWriteItems", meanwhile)
    assert not left
    assert len(desk.services.outages.page(50)[0]) == 1


def test_a_strangers_words_are_kept_on_one_line_and_its_address_only_if_it_is_one(desk: OutageDesk) -> None:
    (incident,) = desk.incidents({"i1": "major"})
    hostile = replace(incident, title="a\r\nBcc: x\u202e" + "y" * 900, url="javascript:alert(1)")
    desk.services.outages.heard(page(), [hostile])
    outage = stands(desk)
    assert outage.title.startswith("a Bcc: x⟨U+202E⟩y")
    assert (len(outage.title), outage.url) == (200, "https://status.test")
    ahead = replace(incident, key="i2", began_at=desk.now + timedelta(days=9))
    desk.services.outages.heard(page(), [hostile, ahead])
    assert stands(desk).parts[1].began_at == desk.now


def test_a_page_that_names_others_at_each_look_does_not_make_an_outage_without_bounds(
    desk: OutageDesk,
) -> None:
    for look in range(4):
        desk.looks(**{f"i{look}n{n}": "critical" for n in range(100)})
    outage = stands(desk)
    assert len(outage.parts) <= 41
    assert outage.parts[0].key == "status#i0n0"
    desk.looks()
    assert pause(desk) is None


def test_an_outage_is_one_change_of_the_register_and_done_when_it_is_over(desk: OutageDesk) -> None:
    changes, declared = (
        desk.services.changes,
        desk.services.outages.declare(desk.box.lead, "mastodon", "Down"),
    )
    desk.work("note_outage")
    desk.looks(i1="major")
    (found,) = changes.open()
    assert (found.platform, found.kind, found.title, found.status) == ("mastodon", "outage", "Down", "new")
    assert found.sightings[0].source == declared.parts[0].source
    desk.looks()
    desk.work("note_outage")
    assert (changes.open(), changes.get(found.change_id).status) == ([], "done")
    desk.looks(i2="major")
    desk.looks()
    desk.work("note_outage")  # over before it was recorded, and recorded all the same
    assert sorted(c.status for c in changes.since(desk.now - DAY)) == ["done", "done"]


def test_a_change_that_somebody_has_taken_up_is_theirs_to_close(desk: OutageDesk) -> None:
    changes = desk.services.changes
    desk.looks(i1="major")
    desk.work("note_outage")
    (found,) = changes.open()
    changes.correct(desk.box.lead, found.change_id, found.version, {"status": "triaged"})
    desk.looks()
    desk.work("note_outage")
    assert changes.get(found.change_id).status == "triaged"


def test_those_of_a_week_are_those_that_stood_in_it(desk: OutageDesk) -> None:
    outages, clock = desk.services.outages, desk.box.stage.clock
    desk.looks(i1="major")
    desk.looks()
    clock.advance(days=3)
    desk.looks(i2="major")
    clock.advance(hours=10)
    monday = desk.now
    desk.looks()
    clock.advance(hours=1)
    desk.looks(page("sky", "bluesky"), i3="major")
    assert [o.parts[0].key for o in outages.since(monday)] == ["sky#i3"]
    assert [o.parts[0].key for o in outages.since(monday - timedelta(hours=1))] == ["sky#i3", "status#i2"]
    assert len(outages.since(monday - timedelta(days=30))) == 3
    first, after = outages.page(2)
    rest, end = outages.page(2, after or "")
    assert [o.parts[0].key for o in (*first, *rest)] == ["sky#i3", "status#i2", "status#i1"]
    assert end is None


LOOKS = st.lists(
    st.tuples(
        st.sampled_from(["status", "other"]),
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(["major", "critical", "minor", "over"])),
        st.sampled_from([1, 5, 60, 700]),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=LOOKS)
def test_whatever_two_pages_say_the_work_is_paused_exactly_while_one_of_them_has_seen_a_major_one(
    desk: OutageDesk, looks: list[tuple[str, dict[str, str], int]]
) -> None:
    desk.box.stage.clock.advance(days=2)
    desk.looks()
    desk.looks(page("other"))
    seen_at = {"status": desk.now - DAY, "other": desk.now - DAY}
    is_major = {"status": False, "other": False}
    for key, says, minutes in looks:
        desk.looks(page(key), **says)
        seen_at[key], is_major[key] = desk.now, bool({"major", "critical"} & set(says.values()))
        desk.box.stage.clock.advance(minutes=minutes)
        expected = any(is_major[k] and desk.now < seen_at[k] + DAY for k in seen_at)
        assert (pause(desk) is not None) == expected


def test_a_look_at_a_quiet_page_costs_one_read_and_leaves_nothing(desk: OutageDesk) -> None:
    with desk.box.counted() as asked:
        desk.looks(i1="minor")
    assert asked == ["GetItem"]
    assert not list(desk.services.kernel.timetable.due(Lane.CHORES, desk.now + DAY))
