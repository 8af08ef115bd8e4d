"""The approval page, through what a browser sends and gets."""

from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from chalicelib.approvals.model import ChannelPreview, Preview, Verdict
from chalicelib.approvals.page import Form
from chalicelib.org.model import Language
from tests.approvals.office import Office
from tests.fakes.subject import channel, picture


def test_opening_the_page_a_hundred_times_changes_nothing(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.asked()
    token = office.token(zoe)
    before = office.dump()
    for _ in range(100):
        assert office.get(token).status == 200
    assert office.dump() == before


def test_a_post_without_a_button_changes_nothing(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.asked()
    before = office.dump()
    for body in (
        b"",
        b"verdict=",
        b"verdict=destroy",
        b"\xff\xfe",
        b"List-Unsubscribe=One-Click",
        b"a=1&" * 50,
    ):
        assert office.page.decide(office.token(zoe), body, "en").status == 200
    assert office.dump() == before


def test_approving_grants_and_says_where_it_goes(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    page = office.get(office.token(zoe)).html
    assert (
        "If you approve, this goes to <bdi>3</bdi> channels on <bdi>Tuesday 24 November 2026, 13:00 (Warsaw)"
        in page
    )
    assert "For the author: <bdi>Tuesday 24 November 2026, 12:00 (London)" in page
    reply = office.press(office.token(zoe), "approve")
    assert reply.status == 200
    assert "Approved. Thank you." in reply.html
    assert office.state(request) == "granted"
    assert office.subject.settlements(request) == ["granted"]


def test_a_repeated_post_by_the_same_person_shows_the_outcome(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    token = office.token(zoe)
    fields = {"verdict": "approve", "proof": _proof(office, token)}
    office.post(token, **fields)
    again = office.post(token, **{**fields, "verdict": "reject", "words": "changed my mind"})
    assert again.status == 200
    assert "This is approved" in again.html
    assert "You approved this" in again.html
    assert office.subject.settlements(request) == ["granted"]


def test_a_repeated_post_without_the_pages_form_shows_the_outcome_too(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.asked()
    office.post(office.token(zoe), verdict="approve")
    assert "You approved this" in office.post(office.token(zoe), verdict="approve").html


def test_a_second_person_sees_who_decided(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_))
    request = office.asked()
    office.press(office.token(zoe), "reject", "not in this tone")
    for reply in (office.get(office.token(max_)), office.press(office.token(max_), "approve")):
        assert "<bdi>Zoe</bdi> rejected this" in reply.html
    assert office.subject.settlements(request) == ["rejected"]


def test_dead_links_look_the_same_to_a_stranger(office: Office) -> None:
    used, gone, late = office.person("Ula"), office.person("Geo"), office.person("Lea")
    office.policy(office.stage_of(used, gone, late, quorum="all"))
    office.asked()
    office.press(office.token(used), "approve")
    office.leave(gone)
    other, write = office.stage.links.mint(
        "reset", "x", late.person_id, "rev1", office.stage.clock.now() + timedelta(days=1)
    )
    office.stage.database.transact([write])
    dead = [office.token(used), office.token(gone), other, "A" * 43, "short", "../../etc", "ż" * 43]
    answers = {(r.status, r.html, str(r.headers)) for r in map(office.get, dead)}
    answers |= {
        (r.status, r.html, str(r.headers))
        for t in dead
        for r in [office.post(t, verdict="approve", proof="x")]
    }
    office.stage.clock.advance(days=2)
    expired = office.get(office.token(late))
    answers.add((expired.status, expired.html, str(expired.headers)))
    assert len(answers) == 1
    assert expired.status == 410
    assert "New tram line" not in expired.html


def test_a_stale_link_shows_what_changed_and_cannot_decide(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_))
    first = office.asked(subject="post#x")
    old = office.token(zoe)
    office.void(first)
    office.subject.current = "rev2"
    reply = office.press(old, "approve")
    assert reply.status == 409
    assert "not up for approval yet" in reply.html
    assert "new words" in reply.html
    office.stage.clock.advance(minutes=1)
    second = office.asked(subject="post#x", contributors=(max_,))
    stale_max = office.tokens(max_)[0]
    assert "A new mail with the changed version was sent to you" in office.get(old).html
    assert "Others were asked" in office.get(stale_max).html
    assert office.token(zoe) not in office.get(old).html
    assert office.subject.settlements(first) + office.subject.settlements(second) == []


def test_a_changed_post_cannot_be_approved_even_before_its_request_is_void(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    office.subject.current = "rev2"
    assert office.press(office.token(zoe), "approve").status == 409
    assert office.subject.settlements(request) == []


def test_changes_and_rejections_need_words(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    for verdict in ("ask_changes", "reject"):
        reply = office.press(office.token(zoe), verdict, "   ")
        assert reply.status == 400
        assert "Please write what should change" in reply.html
    too_long = office.press(office.token(zoe), "reject", "x" * 2001)
    assert too_long.status == 400
    assert "x" * 2001 in too_long.html
    assert office.state(request) == "open"


def test_late_approval_says_so_before_and_after_the_click(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe), late_approval=True)
    request = office.asked()
    office.stage.clock.advance(days=2)
    assert "The time of this post has passed" in office.get(office.token(zoe)).html
    assert "nothing goes out by itself" in office.press(office.token(zoe), "approve").html
    assert office.subject.settlements(request) == ["granted"]


def test_the_page_carries_no_script_and_a_strict_policy(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    office.subject.shown = _with(office, channel(media=(picture(),)))
    office.asked()
    reply = office.get(office.token(zoe))
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "img-src 'self' data: https://media.signalbox.test;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in policy
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    tags = _Tags.of(reply.html)
    assert "script" not in tags.names
    assert not tags.inline
    addresses = {u for u in tags.addresses if u != "data:,"}  # the icon that spares a call for one
    assert {u.split("/")[2] for u in addresses} == {"media.signalbox.test"}
    assert office.token(zoe) not in reply.html


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 'se' ~ 'ven' }}{% raw %}",
    "%(who)s %s %",
    "</style><style>*{display:none}</style>",
    "gap\u202egpj.exe",
    "zero\u200bwidth\ufeff",
    "line\r\nBcc: eve@example.org",
    "\x00\x1b[31m",
]


@pytest.mark.parametrize("language", list(Language))
def test_hostile_texts_stay_texts_on_the_page_and_in_the_mail(office: Office, language: Language) -> None:
    zoe = office.person("Zoe", language=language)
    office.policy(office.stage_of(zoe))
    for text in HOSTILE:
        hostile = channel(
            text, text, display_name=text, unit_name=text, note=text, media=(picture(alt=text),)
        )
        office.subject.shown = _with(office, hostile, title=text, asked_by=text)
        request = office.asked()
        mail = office.postbox.to(zoe)[-1]
        page = office.get(office.token(zoe)).html
        typed = office.press(office.token(zoe), "reject", text + "x" * 2000).html
        for html in (page, mail.html, typed):
            tags = _Tags.of(html)
            assert not tags.names & {"script", "iframe", "object", "svg"}
            assert tags.found.count("style") <= 1
            assert not tags.inline & {"onerror", "onmouseover"}
            assert "seven" not in html
        for shown in (page, mail.html, mail.text, mail.subject):
            assert not set(shown) & set("\u202e\u200b\ufeff\x00\x1b")
        assert not set(mail.subject) & set("\r\n")
        assert office.press(office.token(zoe), "reject", text + " no").status == 200
        office.work()
        outcome = office.postbox.to(office.ada)[-1]
        assert "<script" not in outcome.html
        assert not set(outcome.subject) & set("\r\n")
        assert office.subject.settlements(request) == ["rejected"]


def test_an_address_that_is_not_a_web_address_is_not_shown(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    bad = replace(picture(), url="javascript:alert(1)")
    office.subject.shown = _with(office, channel(media=(bad,)))
    office.asked()
    reply = office.get(office.token(zoe))
    assert "javascript:" not in reply.html
    assert "javascript" not in reply.headers["Content-Security-Policy"]


def test_a_persian_reader_gets_a_right_to_left_page_with_persian_digits(office: Office) -> None:
    omid = office.person("Omid", language=Language.PERSIAN)
    office.policy(office.stage_of(omid))
    office.asked()
    html = office.get(office.token(omid)).html
    assert '<html lang="fa" dir="rtl">' in html
    assert "سه‌شنبه ۲۴ نوامبر ۲۰۲۶، ساعت ۱۳:۰۰" in html
    assert '<div class="text" dir="auto" lang="pl">' in html


def test_a_form_is_read_as_browsers_send_it() -> None:
    form = Form.parse(b"verdict=reject&words=Za+g%C5%82o%C5%9Bno%0D%0Apo+8&code=%DB%B1%DB%B2%DB%B3+456")
    assert form == Form(Verdict.REJECT, "Za głośno\npo 8", "۱۲۳456")
    assert form.digits == "123456"
    assert Form.parse(b"code=12x456").digits == "-"
    assert Form.parse(b"verdict=approve&" + b"x" * 50_000) == Form()


def _proof(office: Office, token: str) -> str:
    return office.get(token).html.split('name="proof" value="')[1].split('"')[0]


def _with(office: Office, *channels: ChannelPreview, **more: Any) -> Preview:
    return replace(office.subject.shown, channels=channels, **more)


class _Tags(HTMLParser):
    """The tags of a page, its event handlers and inline styles, and the addresses it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: set[str] = set()
        self.addresses: list[str] = []

    @classmethod
    def of(cls, html: str) -> "_Tags":
        made = cls()
        made.feed(html)
        return made

    @property
    def names(self) -> set[str]:
        return set(self.found)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.inline |= {k for k, _ in attrs if k.startswith("on") or k == "style"}
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action")]
