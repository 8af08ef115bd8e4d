"""The control surface under /_local: makes accounts, orders failures, reads counts. For this machine only."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from typing import Any

from werkzeug.routing import Rule as Route
from werkzeug.wrappers import Response

from infra.local.platform.accounts import (
    NETWORKS,
    STATES,
    Account,
    Accounts,
    OtherNetworkError,
    Wanted,
)
from infra.local.platform.bluesky.names import is_handle
from infra.local.platform.call import Call
from infra.local.platform.database import Database
from infra.local.platform.misbehave import RuleError, Rules, parse
from infra.local.platform.seeding import PROFILES_MOST, Profile, Seeding, moment
from infra.local.platform.settings import Settings, Stats
from infra.local.serving.answers import ApiError, answer, json_body, timestamp

_USERNAME = re.compile(r"[A-Za-z0-9_]+([A-Za-z0-9_.-]+[A-Za-z0-9_]+)?")
_COUNTS = ("rate_limit", "session_limit")


class Control:
    """The endpoints under /_local."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        seeding: Seeding,
        created: Sequence[Callable[[], dict[str, int]]],
        rules: Rules,
        settings: Settings,
        stats: Stats,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._seeding = seeding
        self._created = created
        self._rules = rules
        self._settings = settings
        self._stats = stats

    def routes(self) -> list[Route]:
        """Every path of the control surface with its endpoint."""
        table = [
            ("POST", "/_local/accounts", self.save_account),
            ("GET", "/_local/accounts", self.accounts),
            ("POST", "/_local/profiles", self.plant),
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
        wanted = _wanted(json_body(call.request))
        try:
            account, new = self._accounts.save(wanted)
        except OtherNetworkError:
            raise ApiError(422, "username belongs to an account of the other network") from None
        except sqlite3.IntegrityError:
            raise ApiError(422, "access_token belongs to another account") from None
        return answer(_shown(account), HTTPStatus.CREATED if new else HTTPStatus.OK)

    def plant(self, call: Call) -> Response:
        """Make or change many accounts, or none: `profiles` are accounts that may have `last_post_at`."""
        listed = json_body(call.request).get("profiles")
        if not isinstance(listed, list) or not 0 < len(listed) <= PROFILES_MOST:
            raise ApiError(422, f"profiles must be a list of 1 to {PROFILES_MOST} accounts")
        profiles = []
        for number, each in enumerate(listed):
            try:
                profiles.append(_profile(each if isinstance(each, dict) else {}))
            except ApiError as wrong:
                raise ApiError(wrong.status, f"profile {number}: {wrong.message}") from None
        try:
            planted = self._seeding.plant(profiles)
        except OtherNetworkError:
            raise ApiError(422, "a username belongs to an account of the other network") from None
        except sqlite3.IntegrityError:
            raise ApiError(422, "an access_token belongs to another account") from None
        return answer([_shown(account) for account in planted], HTTPStatus.CREATED)

    def accounts(self, call: Call) -> Response:
        """All accounts with their tokens."""
        return answer([_shown(account) for account in self._accounts.all()])

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
        """Change `rate_limit`, `session_limit` or `processing_seconds`."""
        body = json_body(call.request)
        for name in (*_COUNTS, "processing_seconds"):
            value = body.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise ApiError(422, f"{name} must be a number of 0 or more")
            setattr(self._settings, name, int(value) if name in _COUNTS else float(value))
        return self.settings(call)

    def settings(self, call: Call) -> Response:
        """The settings in force."""
        return answer(asdict(self._settings))

    def stats(self, call: Call) -> Response:
        """Posts ever made per account (deleted ones too), and what was asked since the start."""
        created = {name: count for counted in self._created for name, count in counted().items()}
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
        self._db.reset()
        self._rules.clear()
        self._stats.reset()
        return answer({})


def _wanted(body: dict[str, Any]) -> Wanted:
    """An account's description. Raises ApiError 422 naming the field that is wrong."""
    network, username = _text(body, "network") or NETWORKS[0], _text(body, "username") or ""
    state, password = _text(body, "state"), _text(body, "password")
    if network not in NETWORKS:
        raise ApiError(422, f"network must be one of: {', '.join(NETWORKS)}")
    if state not in (None, *STATES[network]):
        raise ApiError(422, f"state must be one of: {', '.join(STATES[network])}")
    if network == "bluesky":
        username = username.lower()
        if not is_handle(username):
            raise ApiError(422, "username must be a domain name of two parts or more, such as brand.test")
        if password is not None and not password:
            raise ApiError(422, "password must not be empty")
    elif not _USERNAME.fullmatch(username):
        raise ApiError(422, "username may hold letters of a to z, digits, _ and, inside, . and -")
    token = _text(body, "access_token") if network == "mastodon" else None
    followers, verified = body.get("followers"), body.get("verified")
    if followers is not None and (type(followers) is not int or followers < 0):
        raise ApiError(422, "followers must be a whole number of 0 or more")
    if verified is not None and not isinstance(verified, bool):
        raise ApiError(422, "verified must be true or false")
    about = _text(body, "display_name"), _text(body, "note")
    return Wanted(
        network,
        username,
        *about,
        access_token=token,
        password=password,
        state=state,
        avatar=_text(body, "avatar"),
        website=_text(body, "website"),
        followers=followers,
        verified=verified,
        created_at=_moment(body, "created_at"),
    )


def _profile(body: dict[str, Any]) -> Profile:
    """As `_wanted`, with `last_post_at` and the `post` that was made then."""
    return Profile(_wanted(body), _moment(body, "last_post_at"), _text(body, "post") or "")


def _shown(account: Account) -> dict[str, Any]:
    shown = {
        "id": str(account.id),
        "network": account.network,
        "username": account.username,
        "display_name": account.display_name,
        "note": account.note,
        "avatar": account.avatar,
        "website": account.website,
        "followers": account.followers,
        "created_at": timestamp(account.created_at),
        "state": account.state,
    }
    if account.network == "mastodon":
        return {**shown, "access_token": account.access_token}
    return {**shown, "did": account.did, "password": account.password, "verified": account.verified}


def _moment(body: dict[str, Any], name: str) -> datetime | None:
    try:
        return moment(body.get(name))
    except ValueError:
        raise ApiError(422, f"{name} must be a time with its zone, such as 2026-11-22T14:00:00Z") from None


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ApiError(422, f"{name} must be text")
    return value
