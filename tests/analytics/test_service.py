"""The ranking of a company's accounts, from what was counted week by week."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account, AccountClass, AccountStatus
from chalicelib.analytics.audience import Trouble, Verdict
from chalicelib.analytics.effort import DEFAULTS, Own
from chalicelib.analytics.service import Audience
from chalicelib.core.database import Database
from chalicelib.core.errors import Conflict, NotAllowed, NotFound
from chalicelib.core.kernel import Kernel
from chalicelib.org.roles import Role
from tests.analytics.conftest import Office

USUAL = 10  # messages a week


@pytest.fixture
def lively(office: Office) -> Office:
    """Five weeks of seven accounts: four in Tehran, of Warsaw's one is loud, one usual and one silent."""
    company = office.company
    made = {name: (office.account(name, company.tehran), USUAL) for name in ("t1", "t2", "t3", "t4")}
    made |= {
        "usual": (office.account("usual"), USUAL),
        "loud": (office.account("loud"), 5 * USUAL),
        "silent": (office.account("silent"), 0),
    }
    office.live(5, **made)
    return office


def by_handle(found: list[Any]) -> dict[str, Any]:
    return {one.facts.handle: one for one in found}


def account_of(office: Office, handle: str) -> Account:
    found = {account.handle: account for account in office.accounts.everyone()}
    return found[handle]


def test_the_loudest_account_is_first_and_takes_the_hours_of_the_silent_one(lively: Office) -> None:
    found = lively.ranking()
    assert (found[0].facts.handle, found[-1].facts.handle) == ("loud", "silent")
    assert [one.rank for one in found] == [1, 2, 2, 2, 2, 2, 7]
    silent, loud = found[-1], found[0]
    assert (silent.verdict, silent.better_id) == (Verdict.NEITHER, loud.facts.account_id)
    minutes = 5 * DEFAULTS["post_minutes"] + 5 * DEFAULTS["upkeep_minutes"]
    assert (loud.facts.hours, loud.facts.posts, loud.facts.response) == (minutes / 60, 5, 5 * 5 * USUAL)
    assert loud.facts.growth == 0


def test_a_unit_is_compared_with_the_whole_company_and_ranked_by_itself(lively: Office) -> None:
    found = lively.ranking(lively.company.warsaw.unit_id)
    assert [(one.facts.handle, one.rank) for one in found] == [("loud", 1), ("usual", 2), ("silent", 3)]
    assert {one.usual.peers for one in found if one.usual} == {7}
    assert by_handle(found)["usual"].score == 50
    assert lively.ranking(platform="bluesky") == []


def test_an_hour_that_costs_more_is_worth_less(lively: Office) -> None:
    warsaw = lively.company.warsaw.unit_id
    before = by_handle(lively.ranking())["usual"]
    lively.audience.set_effort(lively.company.operator, warsaw, Own(post_minutes=450))
    after = by_handle(lively.ranking())["usual"]
    assert after.facts.hours > 5 * before.facts.hours
    assert after.score < before.score


def test_pages_together_are_the_ranking(lively: Office) -> None:
    seen, start = [], ""
    for _ in range(4):
        page, following = lively.audience.page(lively.company.operator, 2, start)
        seen += page
        start = following or ""
    assert seen == lively.ranking()
    assert start == ""


def test_one_account_is_ranked_in_its_unit(lively: Office) -> None:
    silent = account_of(lively, "silent")
    one = lively.audience.of(lively.company.operator, silent.account_id, 8)
    assert (one.rank, one.verdict) == (3, Verdict.NEITHER)
    assert one.better_id == account_of(lively, "loud").account_id


def test_only_so_many_weeks_count_as_are_asked_for(lively: Office) -> None:
    silent = account_of(lively, "silent")
    for _ in range(4):
        lively.publish(silent, f"post_more_{lively.now}")
        lively.hear(silent, volume=99, shares=99)
        lively.pass_week()
    ask = lively.audience.of
    assert ask(lively.company.operator, silent.account_id, 4).facts.response == 4 * 99
    assert ask(lively.company.operator, silent.account_id, 4).facts.weeks == 4
    assert ask(lively.company.operator, silent.account_id, 52).facts.weeks == 9


def test_an_account_that_was_not_heard_for_two_weeks_starts_anew(lively: Office) -> None:
    loud = account_of(lively, "loud")
    lively.save(replace(loud, status=AccountStatus.CREDENTIALS_REFUSED))
    lively.pass_week()
    refused = by_handle(lively.ranking())["loud"]
    assert (refused.verdict, refused.facts.trouble) == (Verdict.UNREADABLE, Trouble.CANNOT_BE_READ)
    assert refused.facts.weeks == 5  # what was counted still is a measure for the others
    lively.pass_week()
    lively.save(loud)
    again = by_handle(lively.ranking())["loud"]
    assert (again.verdict, again.facts.weeks) == (Verdict.TOO_EARLY, 0)


def test_what_the_register_says_of_an_account_goes_before_old_numbers(lively: Office) -> None:
    loud = account_of(lively, "loud")
    lively.save(replace(loud, unreadable_since=lively.now))
    found = by_handle(lively.ranking())
    assert found["loud"].verdict == Verdict.UNREADABLE
    assert found["silent"].better_id == account_of(lively, "usual").account_id
    lively.save(replace(loud, account_class=AccountClass.RETIRED, status=AccountStatus.RETIRED))
    assert "loud" not in by_handle(lively.ranking())
    with pytest.raises(Conflict, match="retired"):
        lively.audience.of(lively.company.operator, loud.account_id, 8)


def test_an_account_that_is_only_listed_is_not_called_silent(office: Office) -> None:
    office.account("kiosk", status=AccountStatus.LISTED)
    (one,) = office.ranking()
    assert (one.verdict, one.facts.trouble) == (Verdict.UNREADABLE, Trouble.NOT_CONNECTED)


def test_posts_that_did_not_go_out_from_here_are_noticed(office: Office) -> None:
    account = office.account("dziko")
    for _ in range(4):
        office.pass_week()
    assert "posts: 0" in _english(office.ranking()[0])
    office.save(replace(account, last_post_at=office.now - timedelta(days=10)))
    assert "by another way" in _english(office.ranking()[0])
    office.save(replace(account, last_post_at=office.now - timedelta(days=100)))
    assert "posts: 0" in _english(office.ranking()[0])


def _english(one: Any) -> str:
    from chalicelib.analytics.wording import sentence_of
    from chalicelib.core.words import Words

    return sentence_of(one, Words("en"))


def test_everybody_sees_what_they_may_read(lively: Office) -> None:
    company = lively.company
    manager = company.actor(company.person("Marzena", (Role.DISTRICT_MANAGER, company.warsaw)))
    author = company.actor(company.person("Aldona", (Role.AUTHOR, company.warsaw)))
    assert len(lively.audience.ranking(manager, None, None, 8)) == 3
    assert len(lively.audience.ranking(manager, company.warsaw.unit_id, None, 8)) == 3
    assert lively.audience.ranking(author, None, None, 8) == []
    for actor, unit in ((manager, company.tehran), (manager, company.region), (author, company.warsaw)):
        with pytest.raises(NotAllowed):
            lively.audience.ranking(actor, unit.unit_id, None, 8)
    with pytest.raises(NotAllowed):
        lively.audience.of(manager, account_of(lively, "t1").account_id, 8)
    with pytest.raises(NotFound):
        lively.audience.ranking(manager, "unit_nowhere", None, 8)
    with pytest.raises(NotFound):
        lively.audience.of(manager, "account_nowhere", 8)


def test_a_report_reads_weeks_and_no_history(lively: Office) -> None:
    """However much was posted and heard, it is a query for each week and nothing for an account's own."""

    calls: Counter[str] = Counter()

    class Counting(Database):
        def _call(self, call: Any, request: dict[str, Any]) -> Any:
            calls[request.get("TableName", "batch").rpartition("-")[2]] += 1
            return super()._call(call, request)

    stage = lively.stage
    counting = Counting(stage.dynamodb, stage.settings)
    kernel = Kernel(counting, stage.queues, stage.clock, stage.subscriptions)
    audience = Audience(kernel, lively.company.org, lively.accounts)
    assert len(audience.ranking(lively.company.operator, None, None, 8)) == 7
    assert calls == {"analytics": 8, "batch": 1}
