"""The ways in which the local platform can be told to fail, so that every failure path can be tried at will.

A rule applies to the calls that match its account and route, in the order the rules were given, until its
`times` are used up. On either network `statuses` is the publishing call, `media` the upload, and `reads` a
look at one account's profile or posts, by whomever. `deprecated` answers as ever, and says that the call will
end. Rules live in memory: a restarted platform behaves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from werkzeug.wrappers import Response

from infra.local.platform.settings import Allowance
from infra.local.serving.server import NoAnswerError

ROUTES = ("statuses", "media", "reads", "any")
MODES = (
    "429",
    "500",
    "502_html",
    "200_error_json",
    "200_empty",
    "10mb",
    "slow_drip",
    "redirect",
    "slow",
    "accept_then_drop",
    "drop",
    "token_revoked",
    "suspended",
    "lag",
    "deprecated",
    "none",
)
DEFAULT_SECONDS = {"slow": 5.0, "slow_drip": 30.0, "lag": 30.0}
DEFAULT_RETRY_AFTER = 60
TEN_MEGABYTES = 10 * 1024 * 1024


class RuleError(ValueError):
    """The rule cannot be followed; the message says which field is wrong."""


@dataclass
class Rule:
    """One way to fail; `after` carries the call out first and fails then, `left` is None without an end."""

    account: str | None
    route: str
    mode: str
    left: int | None
    seconds: float
    retry_after: int | None
    after: bool
    used: int = 0

    def matches(self, username: str | None, route: str) -> bool:
        """Whether a call by this account on this route is meant."""
        return (
            self.left != 0
            and self.account in (None, username)
            and (self.route == "any" or self.route == route)
        )


def parse(body: dict[str, Any]) -> Rule:
    """Read a rule as `POST /_local/misbehave` takes it. Raises RuleError."""
    mode, route = body.get("mode"), body.get("route", "any")
    if mode not in MODES:
        raise RuleError(f"mode must be one of: {', '.join(MODES)}")
    if route not in ROUTES:
        raise RuleError(f"route must be one of: {', '.join(ROUTES)}")
    for name, kinds in (("account", str), ("times", int), ("seconds", (int, float)), ("retry_after", int)):
        value = body.get(name)
        wrong = value is not None and (not isinstance(value, kinds) or isinstance(value, bool))
        if wrong or (kinds is not str and value is not None and value < 0):
            raise RuleError(f"{name} is not valid")
    return Rule(
        account=body.get("account"),
        route=route,
        mode=mode,
        left=body.get("times"),
        seconds=float(body.get("seconds") or DEFAULT_SECONDS.get(mode, 0)),
        retry_after=body.get("retry_after"),
        after=bool(body.get("after")) or mode == "accept_then_drop",
    )


class Rules:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        """Put a rule in force; mode `none` instead ends those for the same account and route."""
        with self._lock:
            if rule.mode != "none":
                self._rules.append(rule)
                return
            self._rules = [
                known
                for known in self._rules
                if not (rule.account in (None, known.account) and rule.route in ("any", known.route))
            ]

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._rules.clear()

    def all(self) -> list[Rule]:
        """Every rule given since the last clear, used up ones too."""
        with self._lock:
            return list(self._rules)

    def take(self, username: str | None, route: str) -> Rule | None:
        """The rule that this call must obey, counted as used."""
        return self._take(lambda rule: rule.mode != "lag" and rule.matches(username, route))

    def take_lag(self, username: str) -> timedelta:
        """How long this account's own posts stay out of its timeline."""
        rule = self._take(lambda rule: rule.mode == "lag" and rule.matches(username, rule.route))
        return timedelta(seconds=rule.seconds if rule else 0)

    def _take(self, wanted: Callable[[Rule], bool]) -> Rule | None:
        with self._lock:
            for rule in self._rules:
                if wanted(rule):
                    rule.used += 1
                    if rule.left is not None:
                        rule.left -= 1
                    return rule
        return None


class Exchange(Protocol):
    """One API call in the manners of its network: how it is carried out, and how its failures are worded."""

    username: str | None
    route: str

    def allowance(self) -> Allowance:
        """What is left of the caller's calls, this one counted."""

    def answered(self) -> Response:
        """Carry the call out."""

    def too_many(self, resets_at: datetime, retry_after: int | None = None) -> Response:
        """The network's 429."""

    def broken(self, status: int) -> Response:
        """The network's JSON for an error of its own, with any status."""

    def revoked(self) -> Response:
        """What a call gets whose credentials no longer count."""

    def suspended(self) -> Response:
        """What a call gets whose account was closed by the network."""

    def with_allowance(self, response: Response, allowance: Allowance) -> Response:
        """The answer with the network's rate limit headers; those it has already stay."""


def obey(rule: Rule, exchange: Exchange, now: datetime) -> Response:
    """Fail as the rule says. `slow`, `slow_drip`, `deprecated` and rules with `after` carry the call out.

    Raises NoAnswerError where the rule gives no answer.
    """
    if rule.mode == "slow":
        time.sleep(rule.seconds)
        return exchange.answered()
    if rule.mode == "slow_drip":
        return _dripping(exchange.answered(), rule.seconds)
    if rule.mode == "deprecated":
        return _deprecated(exchange.answered(), now)
    if rule.after:
        exchange.answered()
    if rule.mode in ("drop", "accept_then_drop"):
        raise NoAnswerError
    return _ANSWERS[rule.mode](rule, exchange, now)


def _deprecated(response: Response, now: datetime) -> Response:
    """As it would be, and said to end: https://www.rfc-editor.org/rfc/rfc9745."""
    response.headers["Deprecation"] = f"@{int(now.timestamp())}"
    return response


def _dripping(response: Response, seconds: float) -> Response:
    body = response.get_data()

    def drops() -> Iterator[bytes]:
        for at in range(len(body)):
            time.sleep(seconds / len(body))
            yield body[at : at + 1]

    response.response = drops()
    response.headers["Content-Length"] = str(len(body))
    return response


def _rate_limited(rule: Rule, exchange: Exchange, now: datetime) -> Response:
    wait = DEFAULT_RETRY_AFTER if rule.retry_after is None else rule.retry_after
    return exchange.too_many(now + timedelta(seconds=wait), rule.retry_after)


def _bad_gateway(_rule: Rule, _exchange: Exchange, _now: datetime) -> Response:
    page = (
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>"
    )
    return Response(page + "</center>\r\n</body>\r\n</html>\r\n", status=502, mimetype="text/html")


def _ten_megabytes(_rule: Rule, _exchange: Exchange, _now: datetime) -> Response:
    return Response(b'{"id": "1", "content": "' + b"x" * TEN_MEGABYTES + b'"}', mimetype="application/json")


_ANSWERS: dict[str, Callable[[Rule, Exchange, datetime], Response]] = {
    "429": _rate_limited,
    "500": lambda _rule, exchange, _now: exchange.broken(500),
    "502_html": _bad_gateway,
    "200_error_json": lambda _rule, exchange, _now: exchange.broken(200),
    "200_empty": lambda _rule, _exchange, _now: Response(b"", mimetype="application/json"),
    "10mb": _ten_megabytes,
    "redirect": lambda _rule, _exchange, _now: Response(status=302, headers={"Location": "/"}),
    "token_revoked": lambda _rule, exchange, _now: exchange.revoked(),
    "suspended": lambda _rule, exchange, _now: exchange.suspended(),
}
