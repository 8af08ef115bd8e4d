"""The two commands themselves: they start, keep what they were given over a restart, and stop when told."""

from __future__ import annotations

import http.client
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@contextmanager
def running(module: str, *options: str) -> Iterator[int]:
    """The command's HTTP port, read from its one ready line."""
    command = [sys.executable, "-m", module, "--port", "0", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        yield int(ready.partition("http://127.0.0.1:")[2].partition(",")[0])
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stdout.read() == ""
    finally:
        process.kill()
        process.wait()


def test_the_platform_keeps_posts_keys_and_accounts_over_a_restart(
    tmp_path: Path, client: Any, png: Any
) -> None:
    with running("infra.local.platform", "--state", str(tmp_path)) as port:
        token = (
            client(port)
            .post("/_local/accounts", {"username": "anna", "display_name": "Anna"})
            .json["access_token"]
        )
        anna = client(port, token)
        media = anna.upload(png(2, 2)).json["id"]
        made = anna.publish("Hello", key="k", media_ids=[media]).json["id"]
    with running("infra.local.platform", "--state", str(tmp_path), "--log", str(tmp_path / "log")) as port:
        anna = client(port, token)
        assert anna.publish("Hello", key="k").json["id"] == made
        assert anna.publish("Next").json["id"] > made
        assert anna.get(f"/media/{media}").body == png(2, 2)
        again = client(port).post("/_local/accounts", {"username": "anna", "display_name": "Anna K"})
        assert (again.status, again.json["access_token"]) == (200, token)
    assert "POST /api/v1/statuses 200" in (tmp_path / "log").read_text()
    assert token not in (tmp_path / "log").read_text()


def test_one_connection_serves_many_calls(tmp_path: Path) -> None:
    with running("infra.local.platform", "--state", str(tmp_path)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/api/v1/statuses", b"x" * 100_000)
        first = connection.getresponse()
        assert (first.status, first.read()) == (401, b'{"error": "The access token is invalid"}')
        kept = connection.sock
        connection.request("GET", "/api/v2/instance")
        assert connection.getresponse().status == 200
        assert connection.sock is kept
        connection.close()


def test_the_mailbox_keeps_mails_over_a_restart(tmp_path: Path, client: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        smtp_port = probe.getsockname()[1]
    options = ("--smtp-port", str(smtp_port), "--state", str(tmp_path))
    with running("infra.local.mailbox", *options), smtplib.SMTP("127.0.0.1", smtp_port) as smtp:
        smtp.sendmail("a@example.org", ["b@example.org"], b"Subject: Kept\r\n\r\nHello")
    with running("infra.local.mailbox", *options) as port:
        assert [mail["subject"] for mail in client(port).get("/api/mails").json] == ["Kept"]
