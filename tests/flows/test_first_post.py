"""The main story, in-process: drafted, mailed, opened, approved by the link, and published on its second."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account
from chalicelib.org.model import Language, operator
from tests.fakes.box import Box
from tests.fakes.stage import Stage
from tests.org.api import Api
from tests.publishing.api import FORM, LINK, Desk, html_of, text_of
from tests.publishing.pictures import png

APPROVER = "agnieszka@zorza.test"


@pytest.fixture
def desk(stage: Stage) -> Iterator[Desk]:
    with Desk.open(Box.open(stage)) as opened:
        yield opened


@pytest.fixture
def author(desk: Desk) -> Api:
    return desk.api(desk.box.author)


@pytest.fixture
def toots(desk: Desk) -> Account:
    return desk.box.account("zorza")


@pytest.fixture
def skies(desk: Desk) -> Account:
    return desk.box.account("zorza.test", "bluesky")


def speak(desk: Desk, language: Language) -> None:
    """The first approver reads this language from now on."""
    admin = operator("test", desk.box.now)
    desk.box.services.org.change_person(admin, desk.box.approvers[0].person_id, language=language)


def picture(desk: Desk, author: Api) -> str:
    """A picture uploaded by the form that the API gives, and checked."""
    status, media = author("POST", "/v1/media", {"name": "tramwaj.png", "mime": "image/png"})
    assert (status, media["state"]) == (201, "waiting")
    key = media["upload"]["fields"]["key"]
    bucket = desk.box.stage.settings.media_bucket
    desk.box.stage.s3.put_object(Bucket=bucket, Key=key, Body=png(8, 6))
    status, ready = author("POST", f"/v1/media/{media['media_id']}/check")
    assert (status, ready["state"], ready["width"], ready["height"]) == (200, "ready", 8, 6)
    return str(media["media_id"])


@pytest.mark.parametrize(
    ("language", "text", "subject", "approve", "thanks"),
    [
        (
            Language.ENGLISH,
            "Trams run all night on New Year's Eve. 🎆",
            "Please approve",
            "Approve",
            "Thank you",
        ),
        (
            Language.POLISH,
            "W sylwestra tramwaje jeżdżą całą noc. 🎆",
            "Prosimy o zatwierdzenie",
            "Zatwierdź",
            "Dziękujemy",
        ),
        (Language.PERSIAN, "شب سال نو ترامواها تا صبح کار می‌کنند. 🎆", "تأیید", "تأیید", "سپاس"),
    ],
)
def test_a_post_goes_from_draft_by_an_emailed_link_to_published_on_its_second(
    desk: Desk, author: Api, toots: Account, skies: Account,
    language: Language, text: str, subject: str, approve: str, thanks: str,
) -> None:  # fmt: skip
    box = desk.box
    speak(desk, language)
    media = [{"media_id": picture(desk, author), "alt": "Tramwaj w nocy"}]
    body = desk.body([toots, skies], text=text, media=media, language=str(language), title="Sylwester")
    status, post = author("POST", "/v1/posts", body)
    assert (status, post["state"], post["problems"]) == (201, "draft", [])
    path = f"/v1/posts/{post['post_id']}"
    box.stage.clock.advance(minutes=1)
    assert author("POST", f"{path}/submit")[1]["state"] == "in_review"

    box.stage.clock.advance(seconds=1)
    desk.work()
    assert sorted(str(m["To"]) for m in desk.mails()) == [APPROVER, "shirin@zorza.test"]
    (mail,) = desk.mails(APPROVER)
    token = desk.link(APPROVER)
    assert subject in str(mail["Subject"])
    assert "Sylwester" in str(mail["Subject"])
    assert token not in str(mail["Subject"])
    for part in (text_of(mail), html_of(mail)):
        assert text.replace("'", "&#39;") in part or text in part
        assert token in part
    direction = "rtl" if language == Language.PERSIAN else "ltr"
    assert f'lang="{language}" dir="{direction}"' in html_of(mail)
    assert any(p.get_content_type() == "image/png" for p in mail.walk())

    before = box.dump()
    for method in ("GET", "HEAD", "GET"):
        reply = desk.client.http.request(method, f"/a/{token}")
        assert reply.status_code == 200
    assert box.dump() == before, "looking changes nothing"
    page = desk.page(token)[1]
    assert approve in page
    assert text.replace("'", "&#39;") in page
    assert "<script" not in page

    status, page = desk.press(token, "approve")
    assert status == 200
    assert thanks in page
    shown = author("GET", path)[1]
    assert (shown["state"], shown["summary"]) == ("approved", {"scheduled": 2})
    assert desk.page(token)[0] == 410, "a used link shows nothing to whoever finds it"

    box.stage.clock.set(box.services.posts.get(post["post_id"]).publish_at - timedelta(seconds=2))
    assert box.run_due() == []
    box.stage.clock.advance(seconds=2)
    assert box.run_due() == ["done", "done"]
    shown = author("GET", path)[1]
    assert shown["summary"] == {"published": 2}
    assert {v["published_at"] for v in shown["variants"]} == {shown["publish_at"]}
    assert [(t.text, t.media) for t in box.networks.toots if t.account == "zorza"] == [(text, 1)]
    assert [t.text for t in box.networks.toots if t.account == "zorza.test"] == [text]

    history = author("GET", f"{path}/history")[1]
    whats = [r["what"] for r in history["history"]]
    assert whats[:2] == ["drafted", "submitted"]
    assert set(whats) == {
        "drafted", "submitted", "approval asked for", "approved", "publishing begun", "published",
    }  # fmt: skip
    ways = {r["what"]: r["way"] for r in history["history"]}
    assert (ways["drafted"], ways["approved"], ways["published"]) == ("api", "link", "job")
    assert [a["state"] for a in history["approvals"]] == ["granted"]


def test_an_edit_while_in_review_voids_the_request_and_the_old_link_shows_what_changed(
    desk: Desk, author: Api, toots: Account
) -> None:
    status, post = author("POST", "/v1/posts", desk.body([toots], text="Stara treść"))
    path = f"/v1/posts/{post['post_id']}"
    author("POST", f"{path}/submit")
    desk.work()
    old = desk.link(APPROVER)
    status, changed = author("PATCH", path, {"text": "Nowa treść"})
    assert (status, changed["state"], changed["request_id"]) == (200, "draft", None)
    status, page = desk.page(old)
    assert status == 409
    assert "Stara treść" in page
    assert "Nowa treść" in page
    assert desk.press(old, "approve")[0] == 409
    assert author("GET", path)[1]["state"] == "draft"

    desk.box.stage.clock.advance(minutes=1)
    author("POST", f"{path}/submit")
    desk.work()
    new = desk.link(APPROVER)
    assert new != old
    mail = desk.mails(APPROVER)[-1]
    assert "Stara treść" in text_of(mail), "the mail says what changed since the last one"
    assert "Nowa treść" in text_of(mail)
    assert desk.press(old, "approve")[0] == 409
    assert desk.press(new, "approve")[0] == 200
    desk.box.run_until_quiet(hours=2)
    assert [t.text for t in desk.box.networks.toots] == ["Nowa treść"]
    states = [a["state"] for a in author("GET", f"{path}/history")[1]["approvals"]]
    assert states == ["void", "granted"]


def test_a_new_title_while_in_review_keeps_the_request(desk: Desk, author: Api, toots: Account) -> None:
    _, post = author("POST", "/v1/posts", desk.body([toots]))
    path = f"/v1/posts/{post['post_id']}"
    author("POST", f"{path}/submit")
    desk.work()
    assert author("PATCH", path, {"title": "Lepszy", "tags": ["zima"]})[1]["state"] == "in_review"
    assert desk.press(desk.link(APPROVER), "approve")[0] == 200
    assert author("GET", path)[1]["state"] == "approved"


@pytest.mark.parametrize(("verdict", "words"), [("ask_changes", "Proszę krócej"), ("reject", "Nie teraz")])
def test_what_an_approver_declines_comes_back_with_their_words(
    desk: Desk, author: Api, toots: Account, verdict: str, words: str
) -> None:
    _, post = author("POST", "/v1/posts", desk.body([toots]))
    path = f"/v1/posts/{post['post_id']}"
    author("POST", f"{path}/submit")
    desk.work()
    first, second = desk.link(APPROVER), desk.link("shirin@zorza.test")
    assert desk.press(first, verdict)[0] == 400, "words are asked for"
    assert desk.press(first, verdict, words)[0] == 200
    desk.work()
    shown = author("GET", path)[1]
    assert (shown["state"], shown["returned_with"]) == ("draft", f"Agnieszka Kowalczyk: {words}")
    assert words in text_of(desk.mails("zofia@")[-1])
    assert desk.press(second, "approve")[0] == 200
    assert author("GET", path)[1]["state"] == "draft", "settled is settled"
    desk.box.run_until_quiet(hours=2)
    assert desk.box.networks.toots == []


def test_nobody_approves_what_they_worked_on(desk: Desk, author: Api, toots: Account) -> None:
    from chalicelib.org.roles import Role

    both = desk.person("Oboje", Role.AUTHOR, Role.APPROVER)
    _, post = author("POST", "/v1/posts", desk.body([toots]))
    path = f"/v1/posts/{post['post_id']}"
    assert desk.api(both)("PATCH", path, {"text": "z poprawką"})[0] == 200
    author("POST", f"{path}/submit")
    desk.work()
    assert sorted(str(m["To"]) for m in desk.mails()) == [APPROVER, "shirin@zorza.test"]
    assert author("GET", path)[1]["contributors"] == [desk.box.author.person_id, both.person_id]


def test_a_link_posted_twice_by_a_nervous_finger_approves_once(
    desk: Desk, author: Api, toots: Account
) -> None:
    _, post = author("POST", "/v1/posts", desk.body([toots]))
    author("POST", f"/v1/posts/{post['post_id']}/submit")
    desk.work()
    token = desk.link(APPROVER)
    hidden = dict(re.findall(r'name="(proof)" value="([^"]*)"', desk.page(token)[1]))
    form = f"verdict=approve&proof={hidden['proof']}".encode()
    replies: list[Any] = [desk.client.http.post(f"/a/{token}", headers=FORM, body=form) for _ in range(3)]
    assert [r.status_code for r in replies] == [200, 200, 200]
    rows = desk.box.services.history.of(f"post#{post['post_id']}")
    assert [r.what for r in rows].count("approved") == 1
    assert all(len(LINK.findall(text_of(m))) == 1 for m in desk.mails())
