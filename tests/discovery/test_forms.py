"""What the API takes and shows about finding accounts."""

from typing import Any

import pytest

from chalicelib.core.endpoint import parse_body
from chalicelib.core.errors import InvalidInput
from chalicelib.discovery import forms, views
from chalicelib.discovery.candidates import Hit
from chalicelib.discovery.duplicates import duplicate_pairs
from chalicelib.discovery.gallery import gallery_of
from chalicelib.discovery.model import Source, State
from chalicelib.discovery.triage import Verdict
from tests.discovery.conftest import MASTODON, Office, profile
from tests.discovery.test_duplicates import account


@pytest.mark.parametrize(
    ("model", "raw", "field"),
    [
        (forms.NewSettings, '{"sites": ["http://zorza.pl"]}', "sites.0"),
        (forms.NewSettings, '{"sites": ["https://user@zorza.pl/"]}', "sites.0"),
        (forms.NewSettings, '{"sites": ["https://zorza.pl/ą"]}', "sites.0"),
        (forms.NewSettings, '{"brands": ["Z\\u202e"]}', "brands.0"),
        (forms.NewSettings, '{"brands": ["Zo"]}', "brands.0"),
        (forms.NewSettings, '{"servers": {"mastodon": ["pol.social"]}}', "servers.mastodon.0"),
        (forms.NewVerdict, '{"verdict": "nice"}', "verdict"),
        (forms.NewVerdict, '{"verdict": "fan", "same_as": "account_1"}', "body"),
        (forms.NewVerdict, '{"verdict": "impostor", "owner_id": "person_1"}', "body"),
        (forms.NewReports, '{"source": "search", "csv": "x"}', "source"),
        (forms.NewReports, '{"source": "report", "csv": ""}', "csv"),
    ],
)
def test_what_cannot_be_is_refused_under_its_field(model: Any, raw: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_body(model, raw.encode())
    assert [problem.field for problem in refused.value.problems] == [field]


def test_settings_are_kept_once_each_and_their_hosts_are_ours() -> None:
    raw = b'{"brands": ["Zorza", "Zorza"], "sites": ["https://www.zorza.pl/kontakt"], "version": 3}'
    given = parse_body(forms.NewSettings, raw).settings()
    assert (given.brands, given.hosts, given.version) == (("Zorza",), {"zorza.pl"}, 3)


def test_a_verdict_says_no_more_than_was_sent() -> None:
    assert parse_body(forms.NewVerdict, b'{"verdict": "fan", "why": " "}').ruling() == Verdict(State.FAN)


def test_a_candidate_is_shown_with_its_reasons_in_words(office: Office) -> None:
    office.account("zorza", "Zorza")
    gallery = gallery_of(list(office.accounts.everyone()), office.settings.now())
    office.candidates.take(
        Hit("mastodon", MASTODON, profile("z0rza", "Zorza"), Source.SEARCH), gallery, lambda url: ()
    )
    shown = views.CandidateView.of(office.found()[0]).model_dump(mode="json")
    assert shown["state"] == "new"
    assert "Its name is the same as ours: Zorza" in [reason["says"] for reason in shown["reasons"]]


def test_a_pair_is_shown_with_what_each_would_lose() -> None:
    pair = duplicate_pairs([account(1, handle="zorza"), account(2, handle="zorza_official", followers=900)])[
        0
    ]
    shown = views.DuplicateView.of(pair).model_dump(mode="json")
    assert (shown["keep"], shown["because"]) == ("zorza_official", ["same_handle"])
    assert (shown["keep_loses"]["followers"], shown["other_loses"]["followers"]) == (900, 10)
