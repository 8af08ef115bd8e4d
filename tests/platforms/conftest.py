"""Every request that a test of a network makes must be one that the network's surfaces declare."""

from collections.abc import Iterator

import pytest

from chalicelib.core.http import Request
from chalicelib.platforms import registry
from tests.fakes.transport import FakeTransport
from tests.platforms.sent import FOLDERS, undeclared

# Feeds and hubs are at addresses that strangers name; test_surfaces.py has those that YouTube documents.
_ANY_ADDRESS = {"test_websub.py"}


@pytest.fixture(autouse=True)
def _every_call_is_declared(request: pytest.FixtureRequest) -> Iterator[None]:
    folder, wrong = request.path.parent.name, set[str]()
    if folder not in {*FOLDERS, *registry.all_names()} or request.path.name in _ANY_ADDRESS:
        yield
        return

    def listen(sent: Request) -> None:
        wrong.add(undeclared(folder, sent))

    FakeTransport.listeners.append(listen)
    yield
    FakeTransport.listeners.remove(listen)
    assert wrong <= {""}
