"""The register: found once, joined, corrected, planned, done, and remembered."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.core.history import BY_JOB
from chalicelib.platform_changes.changes import Changes, Wanted
from chalicelib.platform_changes.model import Finding, Kind, PlatformChange, Status
from chalicelib.platform_changes.recording import LONGEST_TEXT, LONGEST_TITLE
from tests.platform_changes.conftest import SURFACES, VERSIONS, Office

TWEETS = ("POST /2/tweets",)


def test_a_finding_begins_one_record_and_is_never_found_again(office: Office) -> None:
    office.account()
    made = office.breaking()
    assert (made.kind, made.status, made.classified_by) == (Kind.BREAKING, Status.NEW, "rule:stops")
    assert (made.touching.surfaces, made.touching.accounts, made.touching.units) == (
        ("publish a post",),
        1,
        1,
    )
    assert made.sightings[0].url == "https://docs.example/changelog"
    assert office.found("POST /2/tweets requires a new scope", operations=TWEETS) is None
    assert office.everything() == [made]
    assert office.history(made) == ["found"]


def test_the_same_from_another_source_is_a_sighting_more(office: Office) -> None:
    office.account()
    first = office.found("Scopes", "Publishing is deprecated without it.", operations=TWEETS)
    assert first is not None
    day = date(2027, 3, 1)
    again = office.found(
        "A parameter goes",
        "x is removed.",
        source="x_spec",
        operations=TWEETS,
        fields=("x",),
        effective_on=day,
    )
    assert again is not None
    assert again.change_id == first.change_id
    assert [seen.source for seen in again.sightings] == ["x_changelog", "x_spec"]
    assert (again.kind, again.title, again.effective_on, again.fields) == (
        Kind.BREAKING,
        "Scopes",
        day,
        ("x",),
    )
    assert sorted(office.history(first)) == ["found", "seen again"]


def test_two_platforms_have_nothing_in_common(office: Office) -> None:
    one = office.found("Versions end", operations=TWEETS)
    other = office.found("Versions end", platform="linkedin", operations=TWEETS)
    assert one is not None
    assert other is not None
    assert one.change_id != other.change_id


def test_what_a_rule_puts_aside_is_kept_and_opened_when_it_breaks_a_call_of_ours(office: Office) -> None:
    office.account()
    made = office.found("Marketing API: publishing posts from ad accounts loses a parameter")
    assert made is not None
    assert (made.status, office.changes.open()) == (Status.NOT_OURS, [])
    again = office.found(
        "Publishing posts from ad accounts loses a parameter", "It is removed. POST /2/tweets refuses it.",
        source="x_spec",
    )  # fmt: skip
    assert again is not None
    assert (again.change_id != made.change_id, again.status) == (True, Status.NOT_OURS), "kinds differ"
    named = office.found("Marketing API shares POST /2/tweets", "It will be removed.", operations=TWEETS)
    assert named is not None
    assert named.status == Status.NEW, "a call of ours is named: no rule puts that aside"


def test_what_was_thought_not_to_be_ours_is_opened_by_a_sighting_that_breaks_us(office: Office) -> None:
    office.account()
    made = office.found("Ad accounts: value everyone removed from reply settings")
    assert made is not None
    assert made.status == Status.NOT_OURS
    again = office.found(
        "Value everyone removed from reply settings ad accounts", source="x_spec", operations=TWEETS
    )
    assert again is not None
    assert (again.change_id, again.status) == (made.change_id, Status.TRIAGED)
    assert office.changes.open() == [again]


def test_whatever_a_source_says_can_be_kept(office: Office) -> None:
    made = office.found(
        "\ud800 t\x00i " * 500, "x" * 100_000, key="k" * 5000 + "\ud800", url="javascript:alert(1)",
        effective_on=date.max, operations=("o" * 900,) * 5 + tuple(map(str, range(500))), versions=("", " "),
    )  # fmt: skip
    assert made is not None
    kept = office.get(made)
    assert (len(kept.title), len(kept.text), kept.effective_on, kept.versions) == (
        LONGEST_TITLE, LONGEST_TEXT, None, (),
    )  # fmt: skip
    assert len(kept.operations) == 60
    assert kept.sightings[0].url == "https://docs.example/changelog"
    assert office.found("", key="empty") is not None


def test_lists_are_the_latest_first_and_filtered(office: Office) -> None:
    office.account()
    made = []
    for n in range(5):
        office.stage.clock.advance(hours=1)
        made.append(office.found(f"Thing {n} was removed", key=str(n), operations=(f"GET /2/things{n}",)))
    other = office.found("New polls", platform="linkedin")
    ids = [c.change_id for c in reversed(made) if c]
    assert other is not None
    first, more = office.changes.page(Wanted(platform="x"), 3)
    rest, end = office.changes.page(Wanted(platform="x"), 3, more or "")
    assert ([c.change_id for c in [*first, *rest]], end) == (ids, None)
    assert [c.change_id for c in office.changes.page(Wanted(kind="new"), 9)[0]] == [other.change_id]
    assert office.changes.page(Wanted(status="planned"), 9)[0] == []
    assert office.changes.page(Wanted(touching=True), 9)[0] == []
    assert len(office.changes.page(Wanted(touching=False), 9)[0]) == 6
    since = office.now - timedelta(hours=1, minutes=30)
    assert {c.title for c in office.changes.since(since)} == {
        "Thing 4 was removed",
        "Thing 3 was removed",
        "New polls",
    }
    assert len(office.changes.open()) == 6


def test_a_person_corrects_what_the_rules_said_and_it_stays(office: Office) -> None:
    office.account()
    made = office.breaking()
    ops = office.actor(office.ops)
    after = office.changes.correct(
        ops, made.change_id, made.version, {"kind": "limit", "touching": ["webhook"]}
    )
    assert (after.kind, after.classified_by, after.touching.surfaces) == (
        Kind.LIMIT, office.ops.person_id, ("webhook",),
    )  # fmt: skip
    again = office.found("Limit", "Rate limits were lowered.", source="x_docs", operations=TWEETS)
    assert again is not None
    assert (again.change_id, again.kind, again.touching.surfaces) == (
        made.change_id,
        Kind.LIMIT,
        ("webhook",),
    )


def test_moves_follow_the_table_and_a_plan_has_somebody_and_a_day(office: Office) -> None:
    made = office.breaking()
    lead = office.actor(office.lead)
    day = office.now.date() + timedelta(days=20)
    with pytest.raises(InvalidInput):
        office.changes.correct(lead, made.change_id, made.version, {"status": "planned", "due_on": day})
    plan = {"status": "planned", "due_on": day, "owner_id": office.author.person_id}
    planned = office.changes.correct(lead, made.change_id, made.version, plan)
    assert (planned.status, planned.owner_id, planned.due_on) == (
        Status.PLANNED,
        office.author.person_id,
        day,
    )
    later = office.changes.correct(lead, made.change_id, planned.version, {"due_on": day + timedelta(days=1)})
    with pytest.raises(Conflict):
        office.changes.correct(lead, made.change_id, made.version, {"status": "done"})
    done = office.changes.correct(lead, made.change_id, later.version, {"status": "done"})
    with pytest.raises(Conflict):
        office.changes.correct(lead, made.change_id, done.version, {"status": "planned", **plan})
    assert office.changes.page(Wanted(is_open=False), 9)[0] == [done]
    assert sorted(office.history(made)) == ["became done", "became planned", "corrected", "found"]


def test_everything_that_is_wrong_is_said_at_once_and_nothing_changes(office: Office) -> None:
    made = office.breaking()
    wrong = {"owner_id": "person_nobody", "due_on": date(2020, 1, 1), "touching": ["flying"]}
    with pytest.raises(InvalidInput) as refused:
        office.changes.correct(office.actor(office.ops), made.change_id, made.version, wrong)
    assert {p.field for p in refused.value.problems} == {"owner_id", "due_on", "touching"}
    assert "publish a post" in refused.value.message
    assert office.get(made) == made


def test_only_those_who_keep_the_register_change_it(office: Office) -> None:
    made, author = office.breaking(), office.actor(office.author)
    with pytest.raises(NotAllowed):
        office.changes.correct(author, made.change_id, made.version, {"kind": "new"})
    with pytest.raises(NotAllowed):
        office.changes.note(author, made.change_id, "x")
    with pytest.raises(NotAllowed):
        office.changes.add(author, "x", Finding("k", "x"), {})
    with pytest.raises(NotAllowed):
        office.rulebook.add(author, {})
    with pytest.raises(NotFound):
        office.changes.note(office.actor(office.ops), "change_none", "x")


def test_notes_are_kept_in_order(office: Office) -> None:
    made = office.breaking()
    for text in ("Zapytałem.", "Odpisali."):
        office.changes.note(office.actor(office.ops), made.change_id, text)
    assert [(n.by_id, n.text) for n in office.get(made).notes] == [
        (office.ops.person_id, "Zapytałem."), (office.ops.person_id, "Odpisali."),
    ]  # fmt: skip


def test_what_somebody_adds_joins_what_is_known(office: Office) -> None:
    made, ops = office.breaking(), office.actor(office.ops)
    again = office.changes.add(
        ops, "x", Finding("f1", "They told me of scopes", "It is required now.", operations=TWEETS), {}
    )
    assert again.change_id == made.change_id
    other = office.changes.add(
        ops, "x", Finding("f2", "Gossip"), {"kind": Kind.POLICY, "touching": ["webhook"]}
    )
    assert (other.kind, other.classified_by, other.touching.surfaces) == (
        Kind.POLICY, office.ops.person_id, ("webhook",),
    )  # fmt: skip


def test_a_correction_is_remembered_and_decides_from_then_on(office: Office) -> None:
    made = office.found("Collections lose their cover picture", "It is removed.")
    assert made is not None
    assert made.kind == Kind.BREAKING
    ops = office.actor(office.ops)
    correction = {"kind": Kind.NEW, "status": Status.NOT_OURS}
    rule = office.rulebook.of_correction(ops, made, correction, ["collection*"], "", "We have none.")
    office.changes.correct(ops, made.change_id, made.version, correction, rule)
    assert office.rulebook.rules()[0] == rule
    following = office.found("Collections can no longer be sorted", source="x_docs")
    assert following is not None
    assert (following.kind, following.status, following.classified_by) == (
        Kind.NEW, Status.NOT_OURS, f"rule:{rule.rule_id}",
    )  # fmt: skip
    elsewhere = office.found("Collections can no longer be sorted", platform="linkedin")
    assert elsewhere is not None
    assert (elsewhere.kind, elsewhere.status) == (Kind.BREAKING, Status.NEW)
    office.rulebook.remove(ops, rule.rule_id)
    last = office.found("Collections can no longer be shared at all", source="x_other")
    assert last is not None
    assert last.kind == Kind.BREAKING
    with pytest.raises(NotFound):
        office.rulebook.remove(ops, rule.rule_id)
    with pytest.raises(NotFound):
        office.rulebook.remove(ops, "stops")


@pytest.mark.parametrize(("corrections", "words", "operation", "fields"), [
    ({"owner_id": ""}, [], "", {"remember", "words"}),
    ({"kind": Kind.NEW}, [], "", {"words"}),
    ({"kind": Kind.NEW}, ["*", "... a"], "", {"words.0", "words.1"}),
    ({"kind": Kind.NEW}, ["nothing of it"], "", {"words"}),
    ({"kind": Kind.NEW}, [], "GET /2/spaces", {"operation"}),
])  # fmt: skip
def test_a_rule_that_would_not_have_found_it_is_refused(
    office: Office, corrections: dict[str, object], words: list[str], operation: str, fields: set[str]
) -> None:
    made = office.breaking()
    with pytest.raises(InvalidInput) as refused:
        office.rulebook.of_correction(office.actor(office.ops), made, corrections, words, operation, "")
    assert {p.field for p in refused.value.problems} == fields


def test_a_record_that_changes_while_it_is_joined_loses_nothing(office: Office) -> None:
    """Between our look and our commit somebody corrects it: we look again."""
    made = office.breaking()
    ops, commit, steps = office.actor(office.ops), office.kernel.commit, list[PlatformChange]()

    def commit_late(change: object) -> None:
        if not steps:
            steps.append(office.changes.store.get(made.change_id))
            commit_now = office.kernel.change(ops.by)
            office.changes.correct_in(commit_now, steps[0], steps[0].version, {"title": "Scopes, corrected"})
            commit(commit_now)
        commit(change)  # type: ignore[arg-type]

    kernel: Any = Interfering(office.kernel, commit_late)
    changes = Changes(kernel, office.org, office.accounts, lambda name: SURFACES[name], VERSIONS.get)
    joined = changes.record("x", Finding("k2", "y", "is removed", operations=TWEETS), "x_spec", "", BY_JOB)
    assert joined is not None
    assert (joined.title, len(joined.sightings)) == ("Scopes, corrected", 2)
    assert len(office.everything()) == 1


class Interfering:
    """A kernel that lets something happen before a commit."""

    def __init__(self, kernel: object, commit: object) -> None:
        self._kernel = kernel
        self.commit = commit

    def __getattr__(self, name: str) -> object:
        return getattr(self._kernel, name)


def test_what_somebody_adds_with_their_word_on_it_is_one_change(office: Office) -> None:
    office.account()
    finding = Finding("k", "A scope will be removed, they said", operations=TWEETS)
    plan = {
        "kind": Kind.BREAKING, "status": Status.PLANNED, "owner_id": office.author.person_id,
        "due_on": date(2026, 12, 1),
    }  # fmt: skip
    made = office.changes.add(office.actor(office.ops), "x", finding, plan)
    assert (made.version, made.kind, made.status) == (1, Kind.BREAKING, Status.PLANNED)
    assert (made.classified_by, made.owner_id) == (office.ops.person_id, office.author.person_id)
    assert sorted(office.history(made)) == ["became planned", "found"]
    joined = office.changes.add(
        office.actor(office.ops), "x", replace(finding, key="k2"), {"title": "Scopes"}
    )
    assert (joined.change_id, joined.version, joined.title) == (made.change_id, 2, "Scopes")
    assert len(joined.sightings) == 2


def test_what_somebody_adds_with_a_word_that_cannot_be_is_not_added(office: Office) -> None:
    finding = Finding("k", "They said it at the meeting", operations=TWEETS)
    with pytest.raises(InvalidInput):
        office.changes.add(office.actor(office.ops), "x", finding, {"status": Status.PLANNED})
    office.org.mark_left(office.operator, office.author.person_id)
    with pytest.raises(InvalidInput):
        office.changes.add(office.actor(office.ops), "x", finding, {"owner_id": office.author.person_id})
    assert office.everything() == []


def test_what_one_server_says_concerns_the_accounts_there(office: Office) -> None:
    for server in ("https://one.example", "https://one.example/", "https://two.example"):
        office.account(server=server, handle=server[-6:])
    one = office.found("One has limits", source="servers@one.example", fields=("commentary", "text"))
    every = office.found("All have limits", source="servers", operations=TWEETS)
    assert one is not None
    assert every is not None
    assert (one.touching.accounts, every.touching.accounts) == (2, 3)
