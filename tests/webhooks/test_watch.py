"""The watchdog: each platform's rhythm, renewals, one mail for each problem, silence, back-fills."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.core import log as logs
from chalicelib.core.timetable import Lane
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    OutOfCredit,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.inbound import InboundEvent, InboundKind, Piece, Subscription
from chalicelib.platforms.port import AccountRef
from chalicelib.webhooks.envelope import unwrap
from chalicelib.webhooks.watch import PATIENCE, SETTLES_FOR
from tests.webhooks.conftest import SECRET, Porch
from tests.webhooks.test_ingest import told

URN = "urn:li:organization:7"
LIVE = Subscription("live")


class FakeWatching:
    """A platform's side of a subscription: what it says, and what a renewal makes of it."""

    def __init__(self) -> None:
        self.says = LIVE
        self.renewal: Subscription | Exception = LIVE
        self.error: Exception | None = None
        self.renewed: list[tuple[str, str]] = []
        self.outages: list[tuple[datetime, datetime]] = []
        self.missed_pieces: tuple[Piece, ...] | Exception = ({"n": 1}, {"n": 2})

    def subscription(self, account: AccountRef, callback: str) -> Subscription:
        if self.error is not None:
            raise self.error
        return self.says

    def renew(self, account: AccountRef, callback: str, secret: str) -> Subscription:
        self.renewed.append((callback, secret))
        if isinstance(self.renewal, Exception):
            raise self.renewal
        return self.renewal

    def missed(self, account: AccountRef, since: datetime, until: datetime) -> tuple[Piece, ...]:
        self.outages.append((since, until))
        if isinstance(self.missed_pieces, Exception):
            raise self.missed_pieces
        return self.missed_pieces


@pytest.fixture
def network(porch: Porch) -> FakeWatching:
    fake = FakeWatching()
    porch.box.services.watchdog._watching = lambda name: fake
    porch.box.services.watchdog._back_filling = lambda name: fake
    porch.secret("linkedin")
    return fake


@pytest.fixture
def account(porch: Porch) -> Account:
    made = porch.account("linkedin", URN)
    porch.box.run_due(Lane.CHORES)
    return made


def turn(porch: Porch, account: Account) -> datetime:
    """Move on to the account's next check and run it, with the mails it causes; when it ran."""
    entry = porch.box.services.kernel.timetable.get(f"watch#{account.account_id}")
    porch.stage.clock.set(max(entry.due_at, porch.stage.clock.now()))
    at = porch.stage.clock.now()
    assert porch.box.services.chores_worker.run(entry.entry_id) in ("later", "done")
    porch.box.run_due(Lane.CHORES)
    return at


def subjects(porch: Porch) -> list[str]:
    return [str(m["Subject"]) for m in porch.mails()]


def test_a_live_subscription_is_checked_at_its_rhythm_and_nobody_is_told(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    first = turn(porch, account)
    assert turn(porch, account) - first == timedelta(hours=2)
    assert subjects(porch) == []
    assert network.renewed == []


def test_a_missing_subscription_is_made_again_by_itself(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    network.says = Subscription("missing")
    turn(porch, account)
    assert network.renewed == [("https://signalbox.test/webhooks/linkedin", SECRET)]
    assert subjects(porch) == []


def test_one_that_ends_soon_is_renewed_and_a_failed_renewal_of_a_live_one_tells_nobody_yet(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    network.says = Subscription("live", ends_at=porch.stage.clock.now() + timedelta(days=30))
    turn(porch, account)
    assert network.renewed == []
    network.says = Subscription("live", ends_at=porch.stage.clock.now() + timedelta(days=3))
    network.renewal = Unavailable("it is down")
    turn(porch, account)
    assert len(network.renewed) == 1
    assert subjects(porch) == []


def test_what_cannot_be_mended_is_told_once_with_what_to_do(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    network.says = Subscription("invalid")
    network.renewal = Rejected("Give the app the Community Management product.")
    for _ in range(5):
        turn(porch, account)
    (mail,) = porch.mails()
    assert mail["Subject"] == "Nothing comes in: zorza (linkedin)"
    assert "Give the app the Community Management product." in mail.get_body(("plain",)).get_content()
    network.renewal = Rejected("Another problem.")
    turn(porch, account)
    assert len(porch.mails()) == 2
    history = [r.what for r in porch.stage.history.of(f"account#{account.account_id}")]
    assert history.count("subscription lost") == 2


def test_without_a_secret_it_says_so(porch: Porch, network: FakeWatching, account: Account) -> None:
    porch.secret("linkedin", secret="")
    network.says = Subscription("missing")
    turn(porch, account)
    assert "webhook-secret" in porch.mails()[0].get_body(("plain",)).get_content()


def test_what_an_outage_missed_is_fetched_once_it_is_over(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    good = turn(porch, account)
    network.says, network.renewal = Subscription("invalid"), Rejected("no")
    turn(porch, account)
    turn(porch, account)
    network.says, network.missed_pieces = LIVE, Unavailable("it is busy")
    turn(porch, account)
    assert porch.queued() == [], "tried again at the next turn"
    over = network.outages[-1][1]
    network.missed_pieces = ({"n": 1}, {"n": 2})
    turn(porch, account)
    bodies = [unwrap(b) for b in porch.queued()]
    assert [(b.piece["n"], b.form, b.app) for b in bodies] == [
        (n, "back-fill", account.account_id) for n in (1, 2)
    ]
    assert network.outages[-1] == (good, over + SETTLES_FOR)
    turn(porch, account)
    assert porch.queued() == []


def test_what_came_around_the_end_of_an_outage_is_fetched_by_the_next_check_and_then_no_more(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    good = turn(porch, account)
    network.says, network.renewal = Subscription("invalid"), Rejected("no")
    turn(porch, account)
    network.says = LIVE
    over = turn(porch, account)
    assert network.outages == [(good, over)]
    for _ in range(3):
        turn(porch, account)
    assert network.outages == [(good, over), (over - SETTLES_FOR, over + SETTLES_FOR)]


def test_a_second_outage_before_the_first_was_fetched_to_its_end_loses_none_of_both(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    turn(porch, account)
    network.says, network.renewal = Subscription("invalid"), Rejected("no")
    turn(porch, account)
    network.says = LIVE
    over = turn(porch, account)
    network.says = Subscription("invalid")
    turn(porch, account)
    network.says = LIVE
    again = turn(porch, account)
    assert network.outages[-1] == (over - SETTLES_FOR, again)
    turn(porch, account)
    assert network.outages[-1] == (again - SETTLES_FOR, again + SETTLES_FOR)


def test_after_we_were_away_ourselves_the_time_between_is_fetched(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    last = turn(porch, account)
    porch.stage.clock.advance(days=2)
    turn(porch, account)
    assert network.outages == [(last, porch.stage.clock.now())]
    assert len(porch.queued()) == 2


def test_a_platform_that_cannot_be_asked_changes_nothing(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    network.error = Unavailable("it is down")
    turn(porch, account)
    assert subjects(porch) == []
    network.error, network.says = None, Subscription("unknown", "Give the account an app_id.")
    for _ in range(3):
        turn(porch, account)
    assert len(subjects(porch)) == 1
    network.error = AuthExpired("revoked")
    turn(porch, account)
    assert porch.box.services.accounts.get(account.account_id).status == AccountStatus.CREDENTIALS_REFUSED


@pytest.mark.parametrize("error", [OutOfCredit("buy more"), VersionGone("a newer one is needed")])
def test_a_check_that_stays_impossible_is_told_once_when_patience_ends(
    porch: Porch, network: FakeWatching, account: Account, error: AdapterError
) -> None:
    turn(porch, account)
    network.error = error
    for _ in range(PATIENCE):
        turn(porch, account)
    assert subjects(porch) == []
    for _ in range(3):
        turn(porch, account)
        network.error = Unavailable("another reason")
    (mail,) = porch.mails()
    assert mail["Subject"] == "Not checked: zorza (linkedin)"
    assert error.message in mail.get_body(("plain",)).get_content()
    network.error = None
    turn(porch, account)
    network.error = error
    for _ in range(PATIENCE + 1):
        turn(porch, account)
    assert len(subjects(porch)) == 2, "another time is told anew"


def test_a_short_silence_of_the_platforms_api_is_told_nobody(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    for _ in range(3):
        network.error = Unavailable("it is down")
        for _ in range(PATIENCE):
            turn(porch, account)
        network.error = None
        turn(porch, account)
    assert subjects(porch) == []


def counted(capsys: pytest.CaptureFixture[str], name: str) -> list[float]:
    """The numbers of a metric since the last look."""
    logs.flush()
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return [value for one in said for value in one.get(name, [])]


def test_a_lost_subscription_is_counted_at_every_check_until_it_is_mended(
    porch: Porch, network: FakeWatching, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    counted(capsys, "")
    turn(porch, account)
    assert counted(capsys, "subscriptions_lost") == []
    network.says, network.renewal = Subscription("invalid"), Rejected("no")
    turn(porch, account)
    network.error = Unavailable("it is down")
    turn(porch, account)
    assert counted(capsys, "subscriptions_lost") == [1, 1], "what is lost stays so while nobody can ask"
    network.error, network.says = None, LIVE
    turn(porch, account)
    assert counted(capsys, "subscriptions_lost") == []


@pytest.mark.parametrize(
    ("metric", "rings"),
    [("subscriptions_lost", "GreaterThanThreshold"), ("handshakes_linkedin", "LessThanThreshold")],
)
def test_what_the_watch_counts_rings_an_alarm_and_nothing_counted_rings_none(metric: str, rings: str) -> None:
    template = (Path(__file__).parents[2] / "infra" / "template.yaml").read_text(encoding="utf-8")
    (alarm,) = (
        part for part in template.split("  Type: AWS::CloudWatch::Alarm") if f"MetricName: {metric}\n" in part
    )
    assert f"ComparisonOperator: {rings}" in alarm
    assert "TreatMissingData: notBreaching" in alarm
    assert "AlarmActions: [!Ref OpsTopic]" in alarm


def test_where_the_platform_asks_our_door_its_silence_is_a_number_that_an_alarm_can_see(
    porch: Porch, network: FakeWatching, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    counted(capsys, "")
    turn(porch, account)
    assert counted(capsys, "handshakes_linkedin") == [0]
    assert porch.get("/webhooks/linkedin?challengeCode=7").status_code == 200
    turn(porch, account)
    assert counted(capsys, "handshakes_linkedin") == [1, 0]
    page = porch.account("facebook")
    porch.box.run_due(Lane.CHORES)
    turn(porch, page)
    assert counted(capsys, "handshakes_facebook") == [], "it asks only once, so that silence is no sign"


def lively(porch: Porch, account: Account, hours: float, times: int) -> None:
    for n in range(times):
        porch.stage.clock.advance(hours=hours)
        event = InboundEvent(
            "linkedin", InboundKind.COMMENT, f"k{porch.stage.clock.now()}{n}", URN,
            porch.stage.clock.now(), external_id=f"c{n}",
        )  # fmt: skip
        assert told(porch, event, replace(event, key=event.key + "again")) == ["done", "done"]


def test_silence_that_is_not_the_accounts_habit_is_told_once(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    lively(porch, account, hours=10, times=8)
    porch.stage.clock.advance(hours=30)
    turn(porch, account)
    assert subjects(porch) == [], "less than four usual gaps"
    porch.stage.clock.advance(hours=12)
    for _ in range(4):
        turn(porch, account)
    (subject,) = subjects(porch)
    assert subject.startswith("Silent: ")
    lively(porch, account, hours=10, times=1)
    turn(porch, account)
    porch.stage.clock.advance(days=5)
    turn(porch, account)
    assert len(subjects(porch)) == 2, "a new silence is told anew"


def test_an_account_that_is_always_quiet_is_left_in_peace(
    porch: Porch, network: FakeWatching, account: Account
) -> None:
    lively(porch, account, hours=240, times=7)
    porch.stage.clock.advance(days=20)
    turn(porch, account)
    assert subjects(porch) == []


def test_a_habit_is_written_at_most_once_an_hour(porch: Porch, account: Account) -> None:
    watchdog = porch.box.services.watchdog
    written: list[str] = []
    porch.stage.dynamodb.meta.events.register("before-call", lambda model, **kw: written.append(model.name))
    for _ in range(120):
        watchdog.heard(account.account_id)
        porch.stage.clock.advance(minutes=1)
    assert written.count("PutItem") == 2
    assert len(written) <= 4


def test_a_lease_that_the_hub_did_not_confirm_or_denied_is_told(porch: Porch, network: FakeWatching) -> None:
    channel = porch.account("youtube", "UC" + "a" * 22)
    porch.secret("youtube")
    porch.box.run_due(Lane.CHORES)
    now = porch.stage.clock.now()

    def says(state: str, ends_at: str = "") -> InboundEvent:
        details = {"field": "subscription", "state": state, "topic": "t"}
        details |= {"ends_at": ends_at} if ends_at else {"reason": "not you"}
        return InboundEvent(
            "youtube",
            InboundKind.PROFILE_CHANGED,
            f"{state}{ends_at}",
            channel.external_id,
            now,
            details=details,
        )

    assert told(porch, says("live", "2026-11-25T12:00:00.000Z")) == ["done"]
    turn(porch, channel)
    assert subjects(porch) == []
    porch.stage.clock.advance(days=3)
    turn(porch, channel)
    assert "did not confirm" in porch.mails()[-1].get_body(("plain",)).get_content()
    assert told(porch, says("invalid")) == ["done"]
    turn(porch, channel)
    assert "not you" in porch.mails()[-1].get_body(("plain",)).get_content()
