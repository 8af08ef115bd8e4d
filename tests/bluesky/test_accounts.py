"""Accounts that Bluesky does not let in: said in words, to the people concerned, and nothing is lost."""

import pytest

from infra.bluesky.pds import Pds
from infra.local.api import ApiError
from tests.bluesky.office import AUTHOR_MAIL, LEAD_MAIL, Channel, Office

pytestmark = pytest.mark.bluesky


def test_a_wrong_app_password_is_refused_with_words_and_nothing_is_kept(office: Office, pds: Pds) -> None:
    channel = Channel.on(pds, "pomylka")

    with pytest.raises(ApiError) as refused:
        office.add(channel, "abcd-efgh-ijkl-mnop")

    assert refused.value.status == 400
    said = str(refused.value)
    assert "Bluesky does not take them for pomylka.test" in said
    assert "connect the account with a new app password" in said
    assert "abcd-efgh" not in said
    handles = [account["handle"] for account in office.lead.get("/v1/accounts?limit=100")["accounts"]]
    assert channel.handle not in handles
    assert office.add(channel).account_id


def test_a_post_to_a_deactivated_account_is_held_and_goes_out_when_it_is_back(
    office: Office, pds: Pds
) -> None:
    channel = office.add(Channel.on(pds, "urlop"))
    post = office.draft(channel, "Wracamy po urlopie 🏖️")
    post_id = office.sign(post)
    channel.run("com.atproto.server.deactivateAccount")

    held = office.variant(post_id, "held")

    assert "The account is deactivated; activate it in Bluesky." in held["reason"]
    account = office.lead.get(f"/v1/accounts/{channel.account_id}")
    assert account["status"] == "credentials_refused"
    office.mail(LEAD_MAIL, channel.handle, account["account_id"])
    office.mail(AUTHOR_MAIL, post["title"], "The account is deactivated; activate it in Bluesky.")

    channel.run("com.atproto.server.activateAccount")
    assert channel.records() == []
    renewed = {"credentials": {"password": channel.app_password}}
    assert office.lead.put(f"/v1/accounts/{channel.account_id}/credentials", renewed)["status"] == "active"
    decided = {"action": "publish", "why": "The account is back."}
    office.lead.post(f"/v1/variants/{held['variant_id']}/release", decided)

    published = office.variant(post_id, "published")
    assert [record["uri"] for record in channel.records()] == [published["external_id"]]
