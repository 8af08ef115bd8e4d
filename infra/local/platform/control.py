"""The control surface under /_local: makes accounts, orders failures, reads counts. For this machine only."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import asdict
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

from werkzeug.routing import Rule as Route
from werkzeug.wrappers import Request, Response

from infra.local.platform.call import ApiError, Call, answer, json_body
from infra.local.platform.misbehave import RuleError, Rules, parse
from infra.local.platform.model import Account
from infra.local.platform.settings import Settings, Stats
from infra.local.platform.store import Store

_USERNAME = re.compile(r"[A-Za-z0-9_]+([A-Za-z0-9_.-]+[A-Za-z0-9_]+)?")
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def refuse_strangers(request: Request) -> None:
    """Let only programs on this machine in, not web pages that post here nor names rebound to loopback.

    Raises ApiError 403.
    """
    host = request.host.rpartition(":")[0] or request.host
    local = ip_address(request.remote_addr or "0.0.0.0").is_loopback  # nosec B104
    if not local or host not in _LOOPBACK_NAMES or "Origin" in request.headers:
        raise ApiError(
            HTTPStatus.FORBIDDEN, "/_local answers only programs on this machine, called by its own name"
        )


class Control:
    """The endpoints under /_local."""

    def __init__(self, store: Store, rules: Rules, settings: Settings, stats: Stats) -> None:
        self._store = store
        self._rules = rules
        self._settings = settings
        self._stats = stats

    def routes(self) -> list[Route]:
        """Every path of the control surface with its endpoint."""
        table = [
            ("POST", "/_local/accounts", self.save_account),
            ("GET", "/_local/accounts", self.accounts),
            ("POST", "/_local/misbehave", self.misbehave),
            ("GET", "/_local/misbehave", self.misbehaviour),
            ("DELETE", "/_local/misbehave", self.behave),
            ("POST", "/_local/settings", self.set),
            ("GET", "/_local/settings", self.settings),
            ("GET", "/_local/stats", self.stats),
            ("POST", "/_local/reset", self.reset),
        ]
        return [Route(path, methods=[method], endpoint=endpoint) for method, path, endpoint in table]

    def save_account(self, call: Call) -> Response:
        """Make an account (201), or bring the one of that name up to date (200)."""
        body = json_body(call.request)
        username = _text(body, "username") or ""
        if not _USERNAME.fullmatch(username):
            raise ApiError(422, "username may hold letters of a to z, digits, _ and, inside, . and -")
        try:
            account, new = self._store.save_account(
                username, _text(body, "display_name"), _text(body, "note"), _text(body, "access_token")
            )
        except sqlite3.IntegrityError:
            raise ApiError(422, "access_token belongs to another account") from None
        return answer(_shown(account), HTTPStatus.CREATED if new else HTTPStatus.OK)

    def accounts(self, call: Call) -> Response:
        """All accounts with their tokens."""
        return answer([_shown(account) for account in self._store.accounts()])

    def misbehave(self, call: Call) -> Response:
        """Put a rule in force."""
        try:
            self._rules.add(parse(json_body(call.request)))
        except RuleError as bad:
            raise ApiError(422, str(bad)) from None
        return self.misbehaviour(call)

    def misbehaviour(self, call: Call) -> Response:
        """All rules, with how often each was used and how often it still will be."""
        return answer([asdict(rule) for rule in self._rules.all()])

    def behave(self, call: Call) -> Response:
        """Drop all rules."""
        self._rules.clear()
        return answer([])

    def set(self, call: Call) -> Response:
        """Change `rate_limit` or `processing_seconds`."""
        body = json_body(call.request)
        for name in ("rate_limit", "processing_seconds"):
            value = body.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise ApiError(422, f"{name} must be a number of 0 or more")
            setattr(self._settings, name, int(value) if name == "rate_limit" else float(value))
        return self.settings(call)

    def settings(self, call: Call) -> Response:
        """The settings in force."""
        return answer(asdict(self._settings))

    def stats(self, call: Call) -> Response:
        """Posts ever made per account (deleted ones too), and what was asked since the start."""
        created = self._store.created_by_username()
        requests, replays = self._stats.read()
        return answer(
            {
                "statuses_created": sum(created.values()),
                "statuses_created_by_account": created,
                "idempotent_replays": replays,
                "requests": requests,
            }
        )

    def reset(self, call: Call) -> Response:
        """Forget accounts, posts, media, rules and counts; settings stay."""
        self._store.reset()
        self._rules.clear()
        self._stats.reset()
        return answer({})


def _shown(account: Account) -> dict[str, str]:
    return {
        "id": str(account.id),
        "username": account.username,
        "display_name": account.display_name,
        "note": account.note,
        "access_token": account.access_token,
    }


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ApiError(422, f"{name} must be text")
    return value
