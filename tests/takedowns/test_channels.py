"""Every platform has a way for every kind, with its source; forms come filled in, and say what is missing."""

from dataclasses import replace

import pytest

from chalicelib.core.errors import Conflict, NotAllowed
from chalicelib.platforms import registry
from chalicelib.takedowns.channels import (
    Asked,
    Company,
    How,
    Known,
    Trademark,
    channel_of,
    overridden,
    platforms,
)
from chalicelib.takedowns.forms import FACTS
from chalicelib.takedowns.model import Case, Kind
from chalicelib.takedowns.store import Whole
from tests.takedowns.desk import Desk

WAYS = [(platform, kind) for platform in platforms() for kind in Kind]
COMPANY = Company(
    legal_name="Zorza S.A.",
    website="https://zorza.example",
    contact_email="prawo@zorza.example",
    relationship="employee",
    trademarks=(Trademark("ZORZA", "R.123456", "Poland"), Trademark("Świt", "R.9")),
)


def test_every_network_that_we_read_has_its_ways() -> None:
    assert set(platforms()) == set(registry.reading_names())


@pytest.mark.parametrize(("platform", "kind"), WAYS)
def test_every_way_says_where_it_is_known_from(platform: str, kind: Kind) -> None:
    channel = channel_of(platform, kind)
    assert channel.known is not None
    assert set(channel.known) == {"url", "fields", "answer_days"}
    assert all(where in set(Known) for where in channel.known.values())
    assert channel.checked_on is not None
    assert channel.source.startswith("https://") or set(channel.known.values()) == {"memory"}
    assert channel.url.startswith(("https://", "{profile_url}", "{server}"))
    assert {asked.fact for asked in channel.fields} <= set(FACTS)
    assert 1 <= channel.answer_days <= 30
    assert channel.how != How.IN_APP or channel.path
    assert channel.unconfirmed == tuple(sorted(n for n, w in channel.known.items() if w == "memory"))


def filled(desk: Desk, case: Case) -> tuple[str, dict[str, str], tuple[str, ...]]:
    form = desk.takedowns.form(desk.takedowns.store.whole(case.case_id))
    return form.text, dict(form.filled), form.missing


def test_every_form_names_the_account_and_what_it_does(desk: Desk) -> None:
    case = desk.open()
    for platform, kind in WAYS:
        about = replace(case, platform=platform, kind=kind)
        form = desk.takedowns.form(Whole(about, (), ()))
        assert case.url in form.text
        assert "It asks our customers for their card numbers." in form.text
        assert "{" not in form.url


def test_a_form_is_filled_with_what_the_company_has_said(desk: Desk) -> None:
    desk.own.set_company(desk.actor(desk.lead), COMPANY)
    original = desk.official()
    case = desk.open(
        desk.account("zorza_x", "youtube"),
        kind="trademark",
        mark_name="Świt",
        original_id=original.account_id,
    )
    text, fields, missing = filled(desk, case)
    assert fields["Registration number"] == "R.9"
    assert fields["Trademark owner"] == "Zorza S.A."
    assert fields["Full legal name"] == "Olga Ość"
    assert f"Our own account is {original.url}." in fields["How you believe the trademark is being infringed"]
    assert missing == ("Address", "Phone number", "Jurisdiction of the trademark registration")
    assert "Phone number:\n[please fill in]" in text
    evidence = desk.takedowns.store.whole(case.case_id).evidence
    assert evidence[0].sha256 in text


def test_a_report_of_great_harm_says_that_it_is_urgent(desk: Desk) -> None:
    urgent = "Please treat this as urgent."
    assert urgent in filled(desk, desk.open(desk.account("a"), harm="critical"))[0]
    assert urgent not in filled(desk, desk.open(desk.account("b"), harm="low"))[0]


def test_a_form_is_written_in_a_language_that_is_read_there(desk: Desk) -> None:
    english = channel_of("x", Kind.FRAUD)
    assert english.language("pl") == "en"
    assert replace(english, languages=("pl", "fa")).language("fa") == "fa"
    assert replace(english, languages=("pl", "fa")).language("en") == "pl"


def test_what_the_company_knows_better_holds(desk: Desk) -> None:
    lead = desk.actor(desk.lead)
    changes = {
        "url": "https://trusted.example/brand",
        "answer_days": 1,
        "fields": (Asked("Link", "profile_url"),),
    }
    kept = desk.own.set_channel(lead, "x", Kind.TRADEMARK, changes, 0)
    assert (kept.url, kept.answer_days, kept.fields) == (
        "https://trusted.example/brand", 1, (Asked("Link", "profile_url"),)
    )  # fmt: skip
    assert kept.known == {"url": "company", "fields": "company", "answer_days": "company"}
    assert kept.unconfirmed == ()
    case = desk.open(desk.account("zorza_x", "x"), kind="trademark")
    assert filled(desk, case)[0] == f"Link:\n{case.url}"
    assert desk.own.channel("x", Kind.FRAUD) == channel_of("x", Kind.FRAUD)
    with pytest.raises(Conflict):
        desk.own.set_channel(lead, "x", Kind.TRADEMARK, {}, 0)
    assert desk.own.set_channel(lead, "x", Kind.TRADEMARK, {}, 1) == channel_of("x", Kind.TRADEMARK)


def test_the_way_itself_can_be_replaced(desk: Desk) -> None:
    changes = {"how": How.MAIL, "address": "legal@platform.example", "languages": ("pl",)}
    kept = desk.own.set_channel(desk.actor(desk.lead), "bluesky", Kind.TRADEMARK, changes, 0)
    assert (kept.how, kept.languages) == (How.MAIL, ("pl",))
    assert overridden(channel_of("bluesky", Kind.TRADEMARK), changes) == kept


def test_only_who_may_act_for_the_whole_company_sets_who_reports(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        desk.own.set_company(desk.actor(desk.manager), COMPANY)
    with pytest.raises(NotAllowed):
        desk.own.set_channel(desk.actor(desk.manager), "x", Kind.FRAUD, {}, 0)
    desk.own.set_company(desk.actor(desk.lead), COMPANY)
    with pytest.raises(Conflict):
        desk.own.set_company(desk.actor(desk.lead), COMPANY)
    assert desk.own.company() == replace(COMPANY, version=1)
