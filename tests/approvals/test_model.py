"""How decisions add up, tried against every possible seating; no tables, so that it can be tried often."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.approvals.model import (
    Ask,
    Decision,
    OnSilence,
    Request,
    RequestStage,
    State,
    Verdict,
    decided,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PEOPLE, SEATS = ("a", "b", "c", "d"), ("a", "b", "c")
asks = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from([*SEATS, *SEATS, None])),
    min_size=2,
    max_size=5,
    unique=True,
)
stages = st.builds(
    lambda pairs, needed: RequestStage(
        "S", "unit", SEATS, needed, 6, 2, OnSilence.EXPIRE, tuple(Ask(person, seat) for person, seat in pairs)
    ),
    asks,
    st.integers(1, 3),
)
decisions = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from([*[Verdict.APPROVE] * 12, *Verdict])),
    min_size=2,
    max_size=12,
)


@settings(max_examples=800)
@given(st.lists(stages, min_size=1, max_size=2), decisions)
def test_a_request_moves_exactly_when_enough_distinct_people_fill_its_seats(
    given_stages: list[RequestStage], steps: list[tuple[str, Verdict]]
) -> None:
    request = Request("r", "post#1", "rev", "z", frozenset("z"), NOW, NOW, tuple(given_stages))
    approved: set[str] = set()
    for person, verdict in steps:
        if request.state != State.OPEN or person in approved or not request.current.asked(person):
            continue
        after = decided(request, Decision(person, verdict, request.stage, "", NOW))
        assert after.decisions[:-1] == request.decisions
        if verdict != Verdict.APPROVE:
            assert after.state == (State.REJECTED if verdict == Verdict.REJECT else State.CHANGES_ASKED)
        else:
            approved.add(person)
            moves = _seated(request.current, approved)
            last = request.stage + 1 == len(request.stages)
            assert after.state == (State.GRANTED if moves and last else State.OPEN)
            assert after.stage == request.stage + (1 if moves and not last else 0)
        if after.stage != request.stage:
            approved = set()
        request = after


def test_a_decision_of_an_earlier_stage_does_not_answer_the_next_one() -> None:
    stage = RequestStage("S", "unit", ("a",), 1, 6, 2, OnSilence.EXPIRE, (Ask("a", "a"),))
    request = Request("r", "post#1", "rev", "z", frozenset("z"), NOW, NOW, (stage, stage))
    once = decided(request, Decision("a", Verdict.APPROVE, 0, "", NOW))
    assert once.decision_of("a") is None
    twice = decided(once, Decision("a", Verdict.APPROVE, 1, "", NOW))
    assert twice.state == State.GRANTED
    assert replace(twice, decisions=()).decision_of("a") is None


def _seated(stage: RequestStage, approvers: set[str]) -> bool:
    return any(
        all(
            any(a.person_id == p and a.seat in (None, s) for a in stage.asks)
            for p, s in zip(chosen, seats, strict=True)
        )
        for seats in permutations(stage.seats, stage.needed)
        for chosen in permutations(sorted(approvers), stage.needed)
    )
