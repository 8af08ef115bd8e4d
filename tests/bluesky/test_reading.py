"""What a real server says of our account, read by the deployed daily check and by the reader alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.core.clock import SystemClock, from_text
from chalicelib.core.http import HttpClient
from chalicelib.platforms import registry
from chalicelib.platforms.port import AccountRef
from infra.bluesky.pds import Pds
from infra.local.hurry import hurry, invoke
from infra.local.large import every
from tests.bluesky.office import LEAD_MAIL, POST, WAIT_FOR, Channel, Office, wait
from tests.fakes.sessions import MemorySessions

pytestmark = pytest.mark.bluesky


def posted(channel: Channel, at: datetime) -> datetime:
    """The time of a post that the account's owner made past the app."""
    record = {"$type": POST, "text": "Dzień dobry", "createdAt": at.isoformat()}
    channel.run("com.atproto.repo.createRecord", {"repo": channel.did, "collection": POST, "record": record})
    return at


def daily_check(office: Office, channel: Channel) -> None:
    """The check of a day, with the read of this account brought forward."""
    invoke(office.stack, "check_dormant_accounts")

    def brought_forward() -> int | None:
        """None while the read before is still at work."""
        return hurry(office.stack, "read_account#", True, lambda e: e.ref == channel.account_id) or None

    wait(brought_forward, lambda: "the read of the account", WAIT_FOR)


def recorded(office: Office, channel: Channel, fits: Callable[[Any], bool]) -> Any:
    """The account's record, as soon as it fits."""

    def look() -> Any:
        listed = every(office.lead, "/v1/register", "accounts")
        seen.append(next(a for a in listed if a["account_id"] == channel.account_id))
        return seen[-1] if fits(seen[-1]) else None

    seen: list[Any] = []
    return wait(look, lambda: f"another record than {seen[-1]}", WAIT_FOR)


def test_the_daily_check_sees_an_account_fall_silent_post_again_and_close(office: Office, pds: Pds) -> None:
    channel = office.add(Channel.on(pds, "cisza"))
    now = datetime.now(UTC).replace(microsecond=0)
    long_ago = posted(channel, now - timedelta(days=200))

    daily_check(office, channel)
    dormant = recorded(office, channel, lambda account: account["account_class"] == "dormant")
    assert from_text(dormant["last_post_at"]) == long_ago
    assert (dormant["external_id"], dormant["handle"]) == (channel.did, channel.handle)
    assert dormant["followers"] is None  # this server alone knows none: the network's AppView counts them
    office.mail(LEAD_MAIL, channel.handle, "/d/")

    just_now = posted(channel, now)
    daily_check(office, channel)
    official = recorded(office, channel, lambda account: account["account_class"] == "official")
    assert from_text(official["last_post_at"]) == just_now

    channel.run("com.atproto.server.deactivateAccount")
    daily_check(office, channel)
    closed = recorded(office, channel, lambda account: account["unreadable_since"])
    assert "deactivated" in closed["unreadable_why"]
    assert closed["account_class"] == "official"
    assert from_text(closed["last_post_at"]) == just_now


def test_the_reader_signs_in_for_a_profile_and_needs_no_session_for_the_last_post(
    office: Office, pds: Pds
) -> None:
    channel = Channel.on(pds, "czytelnia")
    at = posted(channel, datetime.now(UTC).replace(microsecond=0) - timedelta(days=3))
    clock, sessions = SystemClock(), MemorySessions()
    http = HttpClient(clock, allowed_hosts=frozenset({urlsplit(office.server).netloc}))
    reader = registry.reading("bluesky", http, clock, sessions)
    credentials = {"password": channel.app_password}
    ref = AccountRef("account_1", "bluesky", channel.handle, office.server, "", credentials)

    profile = reader.profile(ref)

    assert (profile.external_id, profile.handle) == (channel.did, channel.handle)
    assert (profile.status, profile.last_post_at, profile.followers) == ("active", at, None)
    assert sessions.writes == 1
    activity = reader.activity(ref)
    assert (activity.status, activity.last_post_at) == ("active", at)
    assert sessions.writes == 1
