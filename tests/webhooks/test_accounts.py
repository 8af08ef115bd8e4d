"""Accounts on platforms that we hear from and cannot publish to yet."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import AccountStatus
from chalicelib.core.errors import Conflict, InvalidInput
from chalicelib.platforms import registry
from tests.org.api import Api
from tests.webhooks.conftest import PAGE, Porch

HEARD = [n for n in registry.receiving_names() if n not in registry.names()]


@pytest.mark.parametrize("platform", HEARD)
def test_one_is_added_with_the_id_that_its_platform_gives_it(porch: Porch, platform: str) -> None:
    account = porch.account(platform, "urn:li:organization:7")
    accounts = porch.box.services.accounts
    assert account.server.startswith("https://")
    assert accounts.of_external(platform, "urn:li:organization:7") == account
    assert accounts.of_external(platform, "urn:li:organization:8") is None
    assert accounts.of_external("mastodon", "urn:li:organization:7") is None
    for nonsense in ("", "x" * 5000):
        assert accounts.of_external(platform, nonsense) is None


def test_its_profile_is_one_accounts_alone(porch: Porch) -> None:
    porch.account(handle="zorza")
    with pytest.raises(Conflict, match="this profile of facebook is among the accounts already"):
        porch.account(handle="zorza-again")


def test_a_post_for_one_is_refused_in_plain_words(porch: Porch) -> None:
    account = porch.account("linkedin", "urn:li:organization:7")
    with pytest.raises(InvalidInput, match="Signalbox cannot publish to LinkedIn yet; leave zorza out"):
        porch.box.draft([account, porch.box.account("inna")])


def test_the_id_is_asked_for_where_it_is_needed_and_nowhere_else(porch: Porch) -> None:
    lead = Api(porch.client, issue(porch))
    fields: dict[str, Any] = {
        "platform": "linkedin",
        "handle": "zorza",
        "unit_id": porch.box.unit_id,
        "owner_id": porch.box.lead.person_id,
    }
    status, body = lead("POST", "/v1/accounts", fields)
    assert (status, [p["field"] for p in body["problems"]]) == (400, ["external_id"])
    assert lead("POST", "/v1/accounts", {**fields, "external_id": PAGE})[0] == 201
    status, body = lead("POST", "/v1/accounts", {**fields, "platform": "mastodon"})
    assert (status, [p["field"] for p in body["problems"]]) == (400, ["credentials"])
    known = {**fields, "platform": "mastodon", "credentials": {"access_token": "t"}, "external_id": "1"}
    status, body = lead("POST", "/v1/accounts", known)
    assert (status, [p["field"] for p in body["problems"]]) == (400, ["external_id"])


def test_a_restricted_account_is_active_again_when_somebody_says_so_and_others_are_not(porch: Porch) -> None:
    account, accounts = porch.account(), porch.box.services.accounts
    change = porch.box.services.kernel.change(porch.box.lead.by)
    accounts.stop(change, account, AccountStatus.RESTRICTED, "spam")
    porch.box.services.kernel.commit(change)
    active = {"status": AccountStatus.ACTIVE}
    assert accounts.change(porch.box.lead, account.account_id, active).status == AccountStatus.ACTIVE
    accounts.credentials_refused(porch.box.lead.by, account.account_id, "revoked")
    with pytest.raises(InvalidInput, match="send new ones"):
        accounts.change(porch.box.lead, account.account_id, active)
    accounts.change(porch.box.lead, account.account_id, {"status": AccountStatus.RETIRED})
    with pytest.raises(InvalidInput, match="with new credentials"):
        accounts.change(porch.box.lead, account.account_id, active)


def issue(porch: Porch) -> str:
    org = porch.box.services.org
    lead = porch.box.lead
    text, _ = org.issue_token(lead, lead.person_id, "test", timedelta(days=1))
    return str(text)
