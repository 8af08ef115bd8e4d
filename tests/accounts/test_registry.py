"""The public list: only what is public, cheap however many look, and no word about anybody else's."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.accounts.model import REVIEW_GRACE_FOR, AccountClass, AccountStatus, RogueKind
from chalicelib.accounts.public import Listed, Public, PublicRegister, Real
from chalicelib.accounts.registry_page import RegistryPage
from tests.accounts.conftest import Desk
from tests.fakes.networks import MASTODON

PAGE_URL = "https://www.example.test/Zorza"


def public(**more: Any) -> Public:
    said = {
        "platform": "x", "network": "X", "handle": "zorza", "server": "", "display_name": "Zorza",
        "url": PAGE_URL, "verified": False, "languages": ("pl",), "unit": "Warszawa",
    }  # fmt: skip
    return Public(**{**said, **more})


LISTED = Listed(
    (
        public(),
        public(platform="facebook", network="Facebook", handle="p7", url="https://f.test/profile.php?id=7"),
        public(platform="mastodon", network="Mastodon", server="social.test", url=f"{MASTODON}/@zorza"),
    ),
    (public(handle="stara", url="https://www.example.test/stara"),),
)


def register(desk: Desk) -> PublicRegister:
    return PublicRegister(desk.service, desk.company.org, desk.stage.clock)


def page(desk: Desk) -> RegistryPage:
    return RegistryPage(register(desk), desk.stage.settings)


def said(desk: Desk, question: str = "") -> Any:
    return json.loads(page(desk).answer("json", question, "", "").html)


def test_only_what_we_stand_by_is_on_the_list(desk: Desk) -> None:
    ours, quiet, gone = desk.listed("ours"), desk.listed("quiet"), desk.listed("gone")
    forgotten, fresh = desk.listed("forgotten"), desk.listed("fresh")
    desk.listed("found", AccountClass.CANDIDATE, owner_id="")
    desk.listed("rogue", AccountClass.ROGUE, rogue_kind=RogueKind.IMPOSTOR, owner_id="")
    desk.listed("twin", AccountClass.DUPLICATE, same_as=ours.account_id)
    desk.amend(quiet, account_class=AccountClass.DORMANT)
    desk.amend(gone, status=AccountStatus.RETIRED)
    desk.amend(forgotten, under_review_at=desk.now - REVIEW_GRACE_FOR)
    desk.amend(fresh, under_review_at=desk.now)
    assert [a["handle"] for a in said(desk)["accounts"]] == ["fresh", "ours", "quiet"]
    for handle in ("found", "rogue", "twin", "forgotten", "nobody"):
        for question in (handle, f"{MASTODON}/@{handle}"):
            answer = {**said(desk, question), "question": ""}
            assert answer == {"question": "", "real": "unknown", "accounts": []}
    assert said(desk, "gone")["real"] == "no"
    assert said(desk, "@ours")["real"] == "yes"


def test_nothing_is_shown_but_what_is_public(desk: Desk) -> None:
    desk.listed("zorza", purpose="tajny cel", contact="tajne@zorza.test", recovery_by="Ola", audience="tajna")
    (account,) = said(desk)["accounts"]
    assert set(account) == {
        "platform", "network", "handle", "server", "display_name", "url", "verified", "languages", "unit",
    }  # fmt: skip
    html = page(desk).answer("html", "", "", "en").html
    for secret in ("tajny", "tajne", "Ola", desk.owner.person_id, desk.owner.name):
        assert secret not in html


@pytest.mark.parametrize(
    ("question", "real"),
    [
        (PAGE_URL, Real.YES),
        ("http://example.test/zorza/", Real.YES),
        ("m.example.test/ZORZA?utm_source=mail#x", Real.YES),
        ("@Zorza", Real.YES),
        ("zorza@social.test", Real.YES),
        ("@zorza@social.test", Real.YES),
        ("https://f.test/profile.php?id=7&ref=mail", Real.YES),
        ("https://www.example.test/stara", Real.NO),
        ("https://f.test/profile.php?id=8", Real.UNKNOWN),
        ("https://f.test/profile.php", Real.UNKNOWN),
        ("zorza@evil.test", Real.UNKNOWN),
        ("https://evil.test/zorza", Real.UNKNOWN),
        ("https://example.test@evil.test/zorza", Real.UNKNOWN),
        ("https://evil.test\\@example.test/zorza", Real.UNKNOWN),
        ("https://example.test/evil%2f..%2fzorza", Real.UNKNOWN),
        ("https://example.test:8443/zorza", Real.UNKNOWN),
        ("javascript://example.test/zorza", Real.UNKNOWN),
        ("https://example.test/evil#/zorza", Real.UNKNOWN),
        ("https://ехample.test/zorza", Real.UNKNOWN),
        ("zоrza", Real.UNKNOWN),
        ("https://example.test.evil.test/zorza", Real.UNKNOWN),
        ("https://[::1/zorza", Real.UNKNOWN),
        ("/", Real.UNKNOWN),
        ("", Real.UNKNOWN),
        ("z" * 5000, Real.UNKNOWN),
    ],
)
def test_an_account_is_real_by_its_address_or_name_and_not_by_what_looks_like_it(
    question: str, real: Real
) -> None:
    assert LISTED.is_real(question).real == real


@given(st.text(max_size=60))
def test_no_question_breaks_the_answer(question: str) -> None:
    LISTED.is_real(question)
    LISTED.matching(question)
    LISTED.is_real(f"https://example.test/{question}")


def test_the_page_is_escaped_and_has_no_script(desk: Desk) -> None:
    desk.listed("zorza", display_name="<script>alert(1)</script>", url="javascript:alert(1)")
    for question in ("", "<script>alert(2)</script>", '"><img src=x>'):
        answer = page(desk).answer("html", question, "", "en")
        assert answer.status == 200
        assert "<script" not in answer.html
        assert "<img" not in answer.html
        assert "javascript:" not in answer.html
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_an_answer_may_be_kept_and_is_not_sent_twice(desk: Desk) -> None:
    desk.listed("zorza")
    for form in ("html", "json"):
        first = page(desk).answer(form, "", "", "en")
        assert first.headers["Cache-Control"] == "public, max-age=300"
        tag = first.headers["ETag"]
        again = page(desk).answer(form, "", f'"other", W/{tag}', "en")
        assert (again.status, again.html) == (304, "")
        assert page(desk).answer(form, "zorza", tag, "en").status == 200
    desk.listed("inna")
    assert page(desk).answer("html", "", tag, "en").status == 200


def test_whoever_looks_meanwhile_costs_no_read_for_a_minute(desk: Desk) -> None:
    desk.listed("zorza")
    asked: list[str] = []

    def count(model: Any, **_: Any) -> None:
        asked.append(model.name)

    kept = register(desk)
    events = desk.stage.dynamodb.meta.events
    events.register("before-call.dynamodb", count)
    try:
        first = kept.listed()
        reads = len(asked)
        for _ in range(50):
            assert kept.listed() is first
        assert len(asked) == reads
        desk.stage.clock.advance(seconds=61)
        desk.listed("inna")
        assert len(kept.listed().accounts) == 2
    finally:
        events.unregister("before-call.dynamodb", count)
    assert reads == 4  # the units, the accounts: each a listing, and a hundred at a time
