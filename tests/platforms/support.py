"""What the tests of adapters share: recorded answers, one account and one content of each kind."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import Response
from chalicelib.platforms import registry
from chalicelib.platforms.port import AccountRef, Adapter, Content, Media
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, Answering, FakeTransport, client, reply

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BYTES = b"\x89PNG bytes"
DIGEST = "d0b7e8d2"
PHOTO = Media("media_1", DIGEST, "image/png", len(BYTES), 40, 30, "یک عکس 👨‍👩‍👧", lambda: BYTES)
PERSIAN = "سلام @ola.test! روز خوبی است #می‌شود https://example.org/خبر?q=1"
POLISH = "Zażółć gęślą jaźń #łódź 👩🏽‍🍳"

CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "bluesky": {"password": "app-password-1234"},
    "mastodon": {"access_token": "access-token-1234"},
}
EXTERNAL_IDS = {"bluesky": "did:plc:n5wlthd3vs75re5isolkzsax", "mastodon": "23634"}


def recorded(platform: str, name: str, **changes: Any) -> Response:
    """A recorded answer; `changes` replace parts of its JSON."""
    path = Path(__file__).parent / platform / "fixtures" / "answers.json"
    answer = json.loads(path.read_text(encoding="utf-8"))[name]
    return reply(answer["status"], {**answer["body"], **changes}, answer.get("headers"))


def account(platform: str, **changes: Any) -> AccountRef:
    ref = AccountRef(
        account_id="account_1",
        platform=platform,
        handle="brand.test",
        server="https://social.example",
        external_id=EXTERNAL_IDS[platform],
        credentials=CREDENTIALS[platform],
    )
    return replace(ref, **changes)


class Bench:
    """One adapter over a fake transport, with a clock that stands still."""

    def __init__(self, platform: str, answers: Answering | list[Answer]) -> None:
        self.clock = FixedClock(NOW)
        self.sessions = MemorySessions()
        self.transport = FakeTransport(answers)
        self.account = account(platform)
        self.adapter: Adapter = registry.adapter(
            platform, client(self.clock, self.transport), self.clock, self.sessions
        )

    def calls(self) -> list[str]:
        """Method and path of every request so far."""
        return [
            f"{request.method} {request.url.removeprefix(self.account.server).partition('?')[0]}"
            for request in self.transport.requests
        ]

    def sent(self, index: int = -1) -> Any:
        """The JSON of a request."""
        return json.loads(self.transport.requests[index].body)


TEXT = Content(PERSIAN, language="fa")
WITH_PHOTO = Content(POLISH, (PHOTO,), "pl")
