"""The page behind a mailed link: GET changes nothing, one press is one move, dead links look the same."""

import re
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.timetable import Lane
from chalicelib.org.model import Language
from chalicelib.platform_changes.model import Kind, PlatformChange, Status
from chalicelib.platform_changes.page import Form
from tests.platform_changes.conftest import Office


@pytest.fixture
def made(office: Office) -> PlatformChange:
    office.account()
    return office.breaking()


def test_a_link_shows_the_change_and_opening_it_changes_nothing(office: Office, made: PlatformChange) -> None:
    token = office.token(office.ops)
    before = office.dump()
    for _ in range(3):
        page = office.page.show(token, "pl")
    assert office.dump() == before
    assert page.status == 200
    for shown in (
        made.title, made.text, "publish a post", "1 account", "22 May 2027", 'href="https://docs.example/changelog"',
        'value="planned"', 'value="not_ours"', 'value="done"', 'name="viewport"',
    ):  # fmt: skip
        assert shown in page.html, shown


def test_the_page_has_no_script_and_keeps_to_itself(office: Office, made: PlatformChange) -> None:
    page = office.page.show(office.token(office.ops), "en")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "<script" not in page.html


def test_one_press_takes_it_with_a_day(office: Office, made: PlatformChange) -> None:
    day = office.now.date() + timedelta(days=30)
    page = office.press(office.token(office.ops), move="planned", due_on=day.isoformat())
    after = office.get(made)
    assert (page.status, after.status, after.owner_id, after.due_on) == (
        200,
        Status.PLANNED,
        office.ops.person_id,
        day,
    )
    assert 'role="status"' in page.html
    (row,) = [
        r for r in office.stage.history.of(f"platform_change#{made.change_id}") if r.what == "became planned"
    ]
    assert (row.person_id, row.way) == (office.ops.person_id, "link")


@pytest.mark.parametrize("move", ["done", "not_ours", "triaged"])
def test_every_other_button_makes_its_move(office: Office, made: PlatformChange, move: str) -> None:
    page = office.press(office.token(office.ops), move=move)
    assert (page.status, office.get(made).status) == (200, Status(move))


def test_a_change_that_was_put_aside_can_be_opened_again(office: Office, made: PlatformChange) -> None:
    token = office.token(office.ops)
    office.press(token, move="not_ours")
    assert 'value="planned"' not in office.page.show(token, "en").html
    office.press(token, move="triaged")
    assert office.get(made).status == Status.TRIAGED


def test_the_kind_is_corrected(office: Office, made: PlatformChange) -> None:
    page = office.press(office.token(office.ops), move="kind", kind="limit")
    after = office.get(made)
    assert (page.status, after.kind, after.classified_by) == (200, Kind.LIMIT, office.ops.person_id)


@pytest.mark.parametrize("fields", [
    {"move": "planned"}, {"move": "planned", "due_on": "soon"}, {"move": "planned", "due_on": "2020-01-01"},
    {"move": "kind"}, {"move": "kind", "kind": "nice"},
])  # fmt: skip
def test_what_is_missing_or_past_is_said(
    office: Office, made: PlatformChange, fields: dict[str, str]
) -> None:
    page = office.press(office.token(office.ops), **fields)
    assert (page.status, office.get(made)) == (400, made)
    assert 'role="alert"' in page.html


def test_of_two_who_press_at_once_the_second_sees_what_the_first_did(
    office: Office, made: PlatformChange
) -> None:
    tokens = [office.token(office.ops), office.token(office.lead)]
    seen = re.findall(r'name="seen" value="(\d+)"', office.page.show(tokens[0], "en").html)[0]
    body = urlencode({"seen": seen, "move": "done"}).encode()
    assert [office.page.act(token, body, "en").status for token in tokens] == [200, 409]
    assert office.history(made).count("became done") == 1


def test_links_that_lead_nowhere_look_the_same(office: Office, made: PlatformChange) -> None:
    token = office.token(office.ops)
    change = office.kernel.change(office.operator.by)
    ends_at = change.now + timedelta(days=1)
    others = [
        office.stage.links.mint(purpose, subject, person.person_id, "", ends_at)
        for purpose, subject, person in (
            ("case", made.change_id, office.ops),
            ("platform_change", "change_none", office.ops),
            ("platform_change", made.change_id, office.author),
        )
    ]
    for _, write in others:
        change.add(write)
    change.record(f"platform_change#{made.change_id}", "links sent")
    office.kernel.commit(change)
    dead = [office.page.show(t, "en") for t in ("x", "A" * 43, "ż" * 43, *(t for t, _ in others))]
    dead.append(office.page.act(others[2][0], b"move=done&seen=1", "en"))
    office.stage.clock.advance(days=121)
    dead.append(office.page.show(token, "en"))
    office.stage.clock.advance(days=-121)
    office.org.mark_left(office.operator, office.ops.person_id)
    dead.append(office.page.show(token, "en"))
    assert {page.status for page in dead} == {410}
    assert len({page.html for page in dead}) == 1
    assert office.get(made).status == Status.NEW


def test_whoever_has_it_may_say_that_it_is_done(office: Office) -> None:
    made = office.breaking(effective_on=None)
    plan = {
        "status": "planned",
        "owner_id": office.author.person_id,
        "due_on": office.now.date() + timedelta(days=1),
    }
    office.changes.correct(office.actor(office.lead), made.change_id, made.version, plan)
    office.pass_time(days=2)
    assert office.press(office.token(office.author), move="done").status == 200
    assert office.get(made).status == Status.DONE
    assert office.entries() == {}
    assert [
        lane for lane in Lane if list(office.kernel.timetable.due(lane, office.now + timedelta(days=900)))
    ] == []


def test_what_a_platform_says_is_shown_and_not_followed(office: Office) -> None:
    office.account()
    hostile = "<img src=x onerror=alert(1)>\u202e is removed"
    office.breaking(title="<script>x\u202e", text=hostile, url="javascript:alert(1)")
    page = office.page.show(office.token(office.ops), "en")
    assert "javascript:" not in page.html
    assert "<script" not in page.html
    assert "<img" not in page.html
    assert "\u202e" not in page.html


@pytest.mark.parametrize("language", [Language.POLISH, Language.PERSIAN])
def test_the_page_speaks_the_language_of_its_holder(
    office: Office, made: PlatformChange, language: Language
) -> None:
    office.org.change_person(office.operator, office.ops.person_id, language=language)
    assert f'<html lang="{language}"' in office.page.show(office.token(office.ops), "en").html


bodies = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["move", "seen", "due_on", "kind", "x"]),
        st.one_of(
            st.text(max_size=30),
            st.dates(date(1, 1, 1), date(9999, 12, 31)).map(str),
            st.sampled_from(["planned", "done", "kind", "limit", "1", "2", "-1", "٣", "triaged"]),
        ),
    ).map(lambda d: urlencode(d, errors="replace").encode()),
)


@given(bodies)
def test_no_body_makes_the_form_fail(raw: bytes) -> None:
    form = Form.parse(raw)
    assert form.seen >= 0
    assert len(form.move) <= 20


@given(bodies)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_makes_the_page_fail(office: Office, raw: bytes) -> None:
    if not hasattr(office, "hostile"):
        office.account()
        office.breaking()
        office.hostile = office.token(office.ops)  # type: ignore[attr-defined]
    page = office.page.act(office.hostile, raw, "en")  # type: ignore[attr-defined]
    assert page.status in (200, 400, 409)
