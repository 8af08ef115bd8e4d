"""What becomes of what is found: asked about once, and again only if it has changed."""

from chalicelib.accounts.model import AccountClass, AccountStatus
from chalicelib.discovery.candidates import Hit
from chalicelib.discovery.gallery import gallery_of
from chalicelib.discovery.model import Source, State
from chalicelib.discovery.reasons import Why
from chalicelib.discovery.triage import Verdict
from tests.discovery.conftest import MASTODON, Office, profile

IMPOSTOR = profile("zorza_support", "Zorza Support", description="Claim your prize on Telegram")


def take(office: Office, hit: Hit) -> str:
    gallery = gallery_of(list(office.accounts.everyone()), office.settings.now())
    return office.candidates.take(hit, gallery, lambda url: ())


def hit(found: object = IMPOSTOR, source: Source = Source.SEARCH, word: Why | None = None) -> Hit:
    assert hasattr(found, "handle")
    return Hit("mastodon", MASTODON, found, source, word)  # type: ignore[arg-type]


def test_a_look_alike_becomes_a_candidate_with_its_reasons_and_a_row_in_the_register(office: Office) -> None:
    ours = office.account("zorza", "Zorza")
    assert take(office, hit()) == "new"
    (found,) = office.found()
    assert found.like_id == ours.account_id
    assert found.unit_id == office.company.warsaw.unit_id
    assert found.score >= 55
    assert {Why.HANDLE_ADDED, Why.NAME_ADDED, Why.LURE} <= {reason.why for reason in found.reasons}
    row = office.accounts.get(found.account_id)
    assert (row.account_class, row.status) == (AccountClass.CANDIDATE, AccountStatus.LISTED)
    assert row.unit_id == office.company.root.unit_id
    assert office.history(f"candidate#{found.candidate_id}") == ["found"]


def test_what_is_not_like_us_leaves_nothing(office: Office) -> None:
    office.account("zorza", "Zorza")
    before = office.company.everything_stored()
    assert take(office, hit(profile("gardening", "Anna's garden"))) == "unlike"
    assert office.company.everything_stored() == before


def test_our_own_account_is_no_candidate_by_its_address_or_its_id(office: Office) -> None:
    office.account("zorza", "Zorza", external_id="109")
    assert take(office, hit(profile("ZORZA", "Zorza"))) == "ours"
    assert take(office, hit(profile("zorza_renamed", "Zorza", external_id="109"))) == "ours"


def test_no_picture_of_our_own_is_fetched_as_if_it_were_somebodys(office: Office) -> None:
    office.account("zorza", "Zorza")
    gallery = gallery_of(list(office.accounts.everyone()), office.settings.now())
    asked: list[str] = []
    seen = hit(profile("zorza", "Zorza", avatar_url="https://cdn.test/a.png"))
    office.candidates.take(seen, gallery, lambda url: asked.append(url) or ())  # type: ignore[func-returns-value]
    assert asked == []


def test_seen_before_is_not_asked_again_whoever_finds_it(office: Office) -> None:
    office.account("zorza", "Zorza")
    take(office, hit())
    office.stage.clock.advance(days=7)
    assert take(office, hit()) == "known"
    assert take(office, hit(source=Source.EXPORT)) == "known"
    (found,) = office.found()
    assert found.sources == {Source.SEARCH, Source.EXPORT}
    assert found.last_seen_at == office.stage.clock.now()


def test_a_profile_that_changed_its_handle_is_the_same_candidate(office: Office) -> None:
    office.account("zorza", "Zorza")
    take(office, hit())
    moved = profile("zorza_help", "Zorza Help", external_id=IMPOSTOR.external_id)
    assert take(office, hit(moved)) == "known"
    (found,) = office.found()
    assert found.handle == "zorza_help"
    assert take(office, hit(moved)) == "known"
    assert office.accounts.get(found.account_id).handle == "zorza_help"


def test_an_unrelated_one_is_asked_about_again_only_when_it_has_changed(office: Office) -> None:
    office.account("zorza", "Zorza")
    take(office, hit())
    (found,) = office.found()
    office.triage.decide(office.lead, found.candidate_id, Verdict(State.UNRELATED))
    assert office.accounts.at_address("mastodon", MASTODON, "zorza_support") is None
    assert take(office, hit()) == "known"
    assert office.found() == []
    assert take(office, hit(profile("zorza_support", "Zorza Bank"))) == "again"
    (again,) = office.found()
    assert (again.candidate_id, again.asked_again) == (found.candidate_id, 1)
    assert office.accounts.get(again.account_id).account_class == AccountClass.CANDIDATE


def test_an_impostor_is_never_asked_about_again(office: Office) -> None:
    office.account("zorza", "Zorza")
    take(office, hit())
    (found,) = office.found()
    office.triage.decide(office.lead, found.candidate_id, Verdict(State.IMPOSTOR))
    assert take(office, hit(profile("zorza_support", "Zorza Bank"))) == "known"


def test_a_fan_who_dresses_up_as_us_is_a_candidate_again(office: Office) -> None:
    office.account("zorza", "Zorza")
    take(office, hit(profile("zorza_help", "Zorza")))
    (found,) = office.found()
    office.triage.decide(office.lead, found.candidate_id, Verdict(State.FAN))
    assert take(office, hit(profile("zorza_help", "Zorza Official"))) == "again"
    assert office.accounts.get(found.account_id).account_class == AccountClass.CANDIDATE


def test_what_somebody_reports_is_asked_about_however_little_it_looks_like_us(office: Office) -> None:
    office.account("zorza", "Zorza")
    assert take(office, hit(profile("kasyno", "Kasyno"), Source.REPORT, Why.REPORTED)) == "new"
    take(office, hit(profile("kasyno", "Kasyno"), Source.SEARCH))
    (found,) = office.found()
    assert Why.REPORTED in {reason.why for reason in found.reasons}


def test_one_that_the_register_has_judged_before_is_not_asked_about(office: Office) -> None:
    office.account("zorza", "Zorza")
    office.account(
        "zorza_support", "Zorza Support", account_class=AccountClass.ROGUE, rogue_kind="impostor", owner_id=""
    )
    assert take(office, hit()) == "known"


def test_hostile_values_of_a_profile_are_kept_short(office: Office) -> None:
    office.account("zorza", "Zorza")
    loud = profile(
        "zorza_vip", "Zorza " + "🙃" * 5000, description="x" * 90_000, links=("https://a.test",) * 500
    )
    take(office, hit(loud, Source.REPORT, Why.REPORTED))
    (found,) = office.found()
    assert (len(found.profile.name), len(found.profile.description), len(found.profile.links)) == (
        300,
        1000,
        10,
    )


def test_a_handle_that_somebody_else_has_taken_over_is_asked_about_again(office: Office) -> None:
    office.account("zorza", "Zorza")
    take(office, hit())
    (found,) = office.found()
    office.triage.decide(office.lead, found.candidate_id, Verdict(State.FAN))
    assert take(office, hit(profile("zorza_support", "Zorza Support", external_id="another"))) == "again"
