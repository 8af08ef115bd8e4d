"""What tests of subscriptions and back-fills share: an account, a transport, and what may not be shown."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.core.clock import FixedClock
from chalicelib.core.http import Request
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AdapterError
from chalicelib.platforms.inbound import BackFilling, Watching
from chalicelib.platforms.port import AccountRef
from tests.fakes.sessions import MemorySessions
from tests.fakes.transport import Answer, Answering, FakeTransport, client

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DOOR = "https://signalbox.example/webhooks"
SECRET = "the-secret-of-the-app-0123456789"
TOKEN = "the-token-of-the-account-0123456789"
HTML = b"<html><body>502 Bad Gateway</body></html>"


class Bench:
    """One network's watching and back-filling over a fake transport, with a clock that stands still."""

    def __init__(self, account: AccountRef, answers: Answering | list[Answer]) -> None:
        self.account = account
        self.clock = FixedClock(NOW)
        self.transport = FakeTransport(answers)
        self.callback = f"{DOOR}/{account.platform}"
        http = client(self.clock, self.transport)
        watching = registry.watching(account.platform, http, self.clock, MemorySessions())
        filling = registry.back_filling(account.platform, http, self.clock, MemorySessions())
        assert isinstance(watching, Watching)
        self.watching = watching
        self.filling = filling

    @property
    def back_filling(self) -> BackFilling:
        assert isinstance(self.filling, BackFilling)
        return self.filling

    def state(self) -> str:
        return self.watching.subscription(self.account, self.callback).state

    def renewed(self) -> str:
        return self.watching.renew(self.account, self.callback, SECRET).state

    def calls(self) -> list[str]:
        """Method and path of every request so far."""
        return [f"{request.method} {urlsplit(request.url).path}" for request in self.transport.requests]

    def query(self, index: int = -1) -> dict[str, str]:
        query = parse_qs(urlsplit(self.transport.requests[index].url).query)
        return {name: values[0] for name, values in query.items()}


def raised(action: Callable[[], object]) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        action()
    return caught.value


def check_no_secret_is_shown(
    account: AccountRef, requests: list[Request], log: pytest.LogCaptureFixture, *said: object
) -> None:
    """No credential that is secret is in an address, a log line, an error or a result; the token is sent."""
    shown = [*map(repr, said), *map(str, said), *(repr(vars(record)) for record in log.records)]
    shown += [request.url for request in requests] + [repr(request) for request in requests]
    for secret in (TOKEN, SECRET):
        assert not [text for text in shown if secret in text]
    assert all(request.headers["Authorization"] == f"Bearer {TOKEN}" for request in requests)
    assert TOKEN in account.credentials.values()


def ref(platform: str, server: str, external_id: str, credentials: Mapping[str, str]) -> AccountRef:
    return AccountRef("account_1", platform, "brand", server, external_id, credentials)


def everything_logged(log: pytest.LogCaptureFixture) -> Any:
    return log.at_level(logging.DEBUG)
