"""The local mailbox: mail in by SMTP, out as pages and JSON."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from infra.local.mailbox.app import Mailbox
from infra.local.mailbox.mails import Mails
from infra.local.mailbox.smtp import Intake, listen
from infra.local.serving.server import Server


@dataclass
class Post:
    """A running mailbox."""

    smtp_port: int
    http: Any
    clock: Any

    def send(self, mail: EmailMessage, *more_recipients: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as smtp:
            smtp.send_message(mail, to_addrs=[mail["To"], *more_recipients])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def post(tmp_path: Path, clock: Any, client: Any) -> Iterator[Post]:
    mails = Mails(tmp_path, clock.now)
    intake = Intake(mails)
    smtp_port = free_port()
    smtp = listen(intake, smtp_port)
    server = Server(0, Mailbox(mails, intake).wsgi)
    server.start()
    yield Post(smtp_port, client(server.port), clock)
    smtp.stop()
    server.stop()
    mails.close()


def mail(subject: str, to: str = "anna@example.org", text: str = "Hello", html: str = "") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = subject, "Signalbox <signalbox@example.org>", to
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    return made


def test_a_mail_is_read_back_with_its_parts_headers_and_links(post: Post) -> None:
    html = '<p>سلام</p><a href="https://example.org/a/secret?x=1&amp;y=2">بررسی</a>'
    post.send(mail("تأیید پست", text="Open https://example.org/t.", html=html), "blind@example.org")
    found = post.http.get("/api/mails").json[0]
    assert found["subject"] == "تأیید پست"
    assert found["from"] == "Signalbox <signalbox@example.org>"
    assert found["to"] == ["anna@example.org", "blind@example.org"]
    assert found["at"] == "2026-11-22T14:00:00.000Z"
    assert found["text"] == "Open https://example.org/t.\n"
    assert found["headers"]["Auto-Submitted"] == "auto-generated"
    assert found["links"] == ["https://example.org/a/secret?x=1&y=2", "https://example.org/t"]
    assert post.http.get(f"/api/mails/{found['id']}").json == found
    assert b"Auto-Submitted: auto-generated\r\n" in post.http.get(f"/api/mails/{found['id']}/raw").body


def test_mails_are_newest_first_and_can_be_narrowed(post: Post) -> None:
    for number, to in enumerate(["anna@example.org", "maryam@example.org", "anna@example.org"], start=1):
        post.send(mail(f"Mail {number}", to))
    assert [item["id"] for item in post.http.get("/api/mails").json] == [3, 2, 1]
    assert [item["id"] for item in post.http.get("/api/mails?to=ANNA@example.org&since_id=1").json] == [3]
    assert [item["id"] for item in post.http.get("/api/mails?limit=1").json] == [3]
    assert post.http.get("/api/mails?since_id=x").status == 422
    page = post.http.get("/").text
    assert page.index("Mail 3") < page.index("Mail 1")


def test_ids_are_not_used_again_after_a_clear(post: Post) -> None:
    post.send(mail("One"))
    assert post.http.call("DELETE", "/api/mails").status == 200
    assert post.http.get("/api/mails").json == []
    post.send(mail("Two"))
    assert post.http.get("/api/mails").json[0]["id"] == 2


def test_a_picture_inside_the_mail_is_shown(post: Post, png: Any) -> None:
    sent = mail(
        "Picture", html='<html><head></head><body><img src="cid:pic%401"><img src="cid:none"></body></html>'
    )
    sent.get_payload()[1].add_related(png(4, 4), "image", "png", cid="<pic@1>")  # type: ignore[union-attr, index]
    post.send(sent)
    framed = post.http.get("/mails/1/html")
    assert '<head><base target="_blank"></head>' in framed.text
    assert '<img src="cid:none">' in framed.text
    address = framed.text.partition('<img src="')[2].partition('"')[0]
    picture = post.http.get(address)
    assert (picture.headers["Content-Type"], picture.body) == ("image/png", png(4, 4))


def test_a_hostile_mail_runs_nothing_and_reaches_nothing(post: Post) -> None:
    post.send(mail("<script>alert(1)</script>", text="<script>t</script>", html="<script>alert(1)</script>"))
    for path in ("/", "/mails/1"):
        page = post.http.get(path)
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in post.http.get("/mails/1").text
    policy = post.http.get("/mails/1/html").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "; sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "script-src" not in policy


def test_an_attachment_can_only_be_saved(post: Post) -> None:
    sent = mail("File")
    sent.add_attachment(b"<script>", maintype="text", subtype="html", filename="raport ł.html")
    post.send(sent)
    assert "raport ł.html" in post.http.get("/mails/1").text
    saved = post.http.get("/mails/1/parts/0")
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["Content-Disposition"] == "attachment; filename*=UTF-8''raport%20%C5%82.html"


def test_mail_is_refused_when_told_to_reject(post: Post) -> None:
    assert post.http.post("/_local/misbehave", {"mode": "reject"}).status == 200
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        post.send(mail("No"))
    assert refused.value.recipients["anna@example.org"][0] == 550
    assert post.http.get("/_local/misbehave").json == {"mode": "reject", "rejected": 1}
    post.http.post("/_local/misbehave", {"mode": "none"})
    post.send(mail("Yes"))
    assert [item["subject"] for item in post.http.get("/api/mails").json] == ["Yes"]
    assert post.http.post("/_local/misbehave", {"mode": "sulk"}).status == 422


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no headers at all",
        b"Content-Type: text/html; charset=nonsense\r\n\r\n<p>\xff</p>",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nbroken",
        b"Subject: =?utf-8?b?broken\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    ],
)
def test_a_broken_mail_is_still_shown(post: Post, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", post.smtp_port) as smtp:
        smtp.sendmail("a@example.org", ["b@example.org"], raw)
    for path in ("/", "/mails/1", "/mails/1/html", "/api/mails", "/api/mails/1/raw"):
        assert post.http.get(path).status == 200


def test_a_mail_that_is_not_there_is_not_found(post: Post) -> None:
    for path in ("/mails/9", "/mails/99999999999999999999/html", "/api/mails/9", "/mails/9/parts/0"):
        assert post.http.get(path).status == 404
