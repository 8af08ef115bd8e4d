"""The page behind a mailed link: GET changes nothing, a button makes one step, dead links look the same."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.org.model import Language
from chalicelib.takedowns.model import State
from chalicelib.takedowns.page import Form
from tests.takedowns.desk import Desk


def test_a_link_shows_the_case_and_opening_it_changes_nothing(desk: Desk) -> None:
    case = desk.open()
    token = desk.token(desk.owner)
    before = desk.dump()
    for _ in range(3):
        page = desk.page.show(token, "pl")
    assert desk.dump() == before
    assert page.status == 200
    for shown in ("zorza_pomoc", case.url, "card numbers", "SHA-256", "Olga Ość", 'value="submitted"'):
        assert shown in page.html
    (evidence,) = desk.takedowns.store.whole(case.case_id).evidence
    assert evidence.sha256 in page.html


def test_the_page_has_no_script_and_keeps_to_itself(desk: Desk) -> None:
    desk.open()
    page = desk.page.show(desk.token(desk.owner), "en")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "<script" not in page.html
    assert 'name="viewport"' in page.html


def test_a_report_is_noted_with_its_number(desk: Desk) -> None:
    case = desk.open()
    token = desk.token(desk.owner)
    page = desk.press(token, move="submitted", reference=" R-77\u202e ", words="")
    assert page.status == 200
    after = desk.case(case)
    assert (after.state, after.reference) == (State.SUBMITTED, "R-77⟨U+202E⟩")
    row = [r for r in desk.stage.history.of(f"case#{case.case_id}") if r.what == "submitted"]
    assert [(r.person_id, r.way) for r in row] == [(desk.owner.person_id, "link")]


@pytest.mark.parametrize("move", ["answered", "removed", "refused", "withdrawn"])
def test_every_button_makes_its_step(desk: Desk, move: str) -> None:
    case = desk.submitted()
    page = desk.press(desk.token(desk.owner), move=move, words="They wrote.")
    assert page.status == 200
    assert desk.case(case).state == State(move)
    assert 'role="status"' in page.html


def test_a_note_is_kept_as_evidence(desk: Desk) -> None:
    case = desk.open()
    page = desk.press(desk.token(desk.owner), move="note", words="Klientka <b>Ewa</b> zadzwoniła.")
    whole = desk.takedowns.store.whole(case.case_id)
    assert whole.evidence[-1].text == "Klientka <b>Ewa</b> zadzwoniła."
    assert whole.evidence[-1].captured_by == desk.owner.person_id
    assert "&lt;b&gt;Ewa&lt;/b&gt;" in page.html
    assert whole.case.state == State.OPENED


def test_of_two_who_press_at_once_the_second_sees_what_the_first_did(desk: Desk) -> None:
    case = desk.open()
    token = desk.token(desk.owner)
    seen = re.findall(r'name="seen" value="(\d+)"', desk.page.show(token, "en").html)[0]
    desk.step(case, "withdrawn")
    page = desk.page.act(
        token, urlencode({"seen": seen, "move": "submitted", "reference": "R"}).encode(), "en"
    )
    assert page.status == 409
    assert "has changed since you opened this page" in page.html
    assert desk.case(case).state == State.WITHDRAWN


def test_the_same_post_twice_makes_one_step(desk: Desk) -> None:
    case = desk.open()
    token = desk.token(desk.owner)
    seen = re.findall(r'name="seen" value="(\d+)"', desk.page.show(token, "en").html)[0]
    body = urlencode({"seen": seen, "move": "submitted", "reference": "R"}).encode()
    assert [desk.page.act(token, body, "en").status for _ in range(2)] == [200, 409]
    assert desk.case(case).steps == 2


@pytest.mark.parametrize("fields", [
    {"move": "submitted"}, {"move": "withdrawn"}, {"move": "note", "words": "  "},
    {"move": "note", "words": "x" * 2001}, {"move": "submitted", "reference": "x" * 201},
])  # fmt: skip
def test_what_is_missing_or_too_long_is_said_and_kept_in_the_form(desk: Desk, fields: dict[str, str]) -> None:
    case = desk.open()
    token = desk.token(desk.owner)
    version = desk.case(case).version
    page = desk.press(token, **fields)
    assert page.status == 400
    assert 'role="alert"' in page.html
    assert desk.case(case).version == version


def test_a_step_that_cannot_follow_is_refused(desk: Desk) -> None:
    case = desk.open()
    assert desk.press(desk.token(desk.owner), move="closed", words="why").status == 409
    assert desk.case(case).state == State.OPENED


def test_links_that_lead_nowhere_look_the_same(desk: Desk) -> None:
    case = desk.open()
    token = desk.token(desk.owner)
    foreign = desk.token_of_case(case, desk.person("Ada Obca"))
    change = desk.kernel.change(desk.operator.by)
    other_purpose, write = desk.stage.links.mint(
        "approval", case.case_id, desk.owner.person_id, "", change.now + timedelta(days=1)
    )
    change.add(write)
    change.record(f"case#{case.case_id}", "link sent")
    desk.kernel.commit(change)
    dead = [desk.page.show(t, "en") for t in ("x", "A" * 43, "ż" * 43, foreign, other_purpose)]
    desk.stage.clock.advance(days=91)
    dead.append(desk.page.show(token, "en"))
    desk.stage.clock.advance(days=-91)
    posted = desk.page.act(
        foreign, urlencode({"move": "withdrawn", "seen": "1", "words": "w"}).encode(), "en"
    )
    desk.org.mark_left(desk.operator, desk.owner.person_id)
    dead += [posted, desk.page.show(token, "en")]
    assert {page.status for page in dead} == {410}
    assert len({page.html for page in dead}) == 1
    assert desk.case(case).state == State.OPENED


def test_a_link_dies_with_the_right_of_its_holder(desk: Desk) -> None:
    case = desk.open()
    token = desk.token_of_case(case, desk.manager)
    assert desk.page.show(token, "en").status == 200
    (grant,) = desk.org.grants_of(desk.manager.person_id)
    desk.org.revoke_grant(desk.operator, desk.manager.person_id, grant.grant_id)
    assert desk.page.show(token, "en").status == 410


def test_a_foreign_address_is_shown_and_not_followed(desk: Desk) -> None:
    account = desk.account("zły\u202e<script>", url="javascript:alert(1)")
    desk.open(account, why="<img src=x onerror=alert(1)>\u202e")
    page = desk.page.show(desk.token(desk.owner), "en")
    assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', page.html))
    assert "<script" not in page.html
    assert "<img src=x" not in page.html
    assert "\u202e" not in page.html


def test_what_was_tampered_with_is_said_on_the_page(desk: Desk) -> None:
    case = desk.open()
    token = desk.token(desk.owner)
    assert "the hashes do not agree" not in desk.page.show(token, "en").html
    desk.stage.dynamodb.update_item(
        TableName=desk.stage.settings.table("takedowns"),
        Key={"pk": {"S": f"case#{case.case_id}"}, "sk": {"S": "evidence#00001"}},
        UpdateExpression="SET #t = :t",
        ExpressionAttributeNames={"#t": "text"},
        ExpressionAttributeValues={":t": {"S": "{}"}},
    )
    assert "the hashes do not agree" in desk.page.show(token, "en").html


@pytest.mark.parametrize("language", [Language.POLISH, Language.PERSIAN])
def test_the_page_speaks_the_language_of_its_holder(desk: Desk, language: Language) -> None:
    desk.org.change_person(desk.operator, desk.owner.person_id, language=language)
    desk.open()
    page = desk.page.show(desk.token(desk.owner), "en")
    assert f'<html lang="{language}"' in page.html
    assert 'lang="en">' in page.html, "the form is in the platform's language"


bodies = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["move", "seen", "reference", "words", "x"]),
        st.one_of(
            st.text(max_size=30), st.sampled_from(["submitted", "note", "withdrawn", "1", "2", "-1", "٣"])
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
def test_no_body_makes_the_page_fail(desk: Desk, raw: bytes) -> None:
    if not hasattr(desk, "hostile"):
        case = desk.open()
        desk.hostile = desk.token_of_case(case, desk.owner)  # type: ignore[attr-defined]
    page = desk.page.act(desk.hostile, raw, "en")  # type: ignore[attr-defined]
    assert page.status in (200, 400, 409)
