"""What the tests of readers share: recorded replies, an account of each network, and a fake transport."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import Response
from chalicelib.platforms import registry
from chalicelib.platforms.port import AccountRef, Activity, Profile
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, Answering, FakeTransport, client, reply
from tests.platforms.subscriptions import NOW, TOKEN

FIXTURES = Path(__file__).parents[1] / "fixtures" / "reading"


def recorded(platform: str, name: str, **changes: Any) -> Response:
    """A reply as the vendor documents it (the page is named in the file); `changes` replace parts of it."""
    said = json.loads((FIXTURES / platform / f"{name}.json").read_text(encoding="utf-8"))
    return reply(said.get("status", 200), {**said["body"], **changes}, said.get("headers"))


def ref(platform: str, handle: str, external_id: str, **credentials: str) -> AccountRef:
    server = registry.read_traits(platform).default_server
    return AccountRef("account_1", platform, handle, server, external_id, credentials)


class Bench:
    """One network's reader over a fake transport, with a clock that stands still."""

    def __init__(self, account: AccountRef, answers: Answering | Sequence[Answer], **changes: Any) -> None:
        self.account = replace(account, **changes)
        self.transport = FakeTransport(answers)
        clock = FixedClock(NOW)
        self.reader = registry.reading(
            account.platform, client(clock, self.transport), clock, MemorySessions()
        )

    def profile(self) -> Profile:
        return self.reader.profile(self.account)

    def activity(self) -> Activity:
        return self.reader.activity(self.account)

    def calls(self) -> list[str]:
        """Method, path and query of every request so far, as a person would write them."""
        sent = [(request.method, urlsplit(request.url)) for request in self.transport.requests]
        return [unquote(f"{method} {url.path}{'?' if url.query else ''}{url.query}") for method, url in sent]

    def check_token(self) -> None:
        """The access went into the header of every request and into no address."""
        for request in self.transport.requests:
            assert TOKEN in request.headers["Authorization"]
            assert TOKEN not in request.url
