"""Where endpoints get their gatekeeper from; apart from endpoint.py so that wiring stays light."""

from collections.abc import Callable
from typing import Any, Protocol


class Asker(Protocol):
    """Who is asking: org's Actor."""

    @property
    def person_id(self) -> str: ...

    def require(self, right: Any) -> None:
        """Raise NotAllowed unless they hold the right somewhere."""
        ...


class Gatekeeper(Protocol):
    """What an endpoint needs from the services; wiring gives it, lazily."""

    def identify(self, token: str) -> Asker: ...

    def once(self, key: str, fingerprint: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The stored answer for this key, or `make()`'s, stored. Raises Conflict if the body differs."""
        ...


_keeper: Callable[[], Gatekeeper] | None = None


def guard_with(keeper: Callable[[], Gatekeeper]) -> None:
    """Say, once, where endpoints get their gatekeeper from; wiring calls this."""
    global _keeper  # noqa: PLW0603 - wiring sets it once, at import
    _keeper = keeper


def gatekeeper() -> Gatekeeper:
    """Raises RuntimeError if wiring has not been imported."""
    if _keeper is None:
        raise RuntimeError("wiring has not been imported")
    return _keeper()
