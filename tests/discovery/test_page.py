"""The triage page and the public form, as browsers, scanners and robots use them."""

from functools import partial
from urllib.parse import urlencode

from chalicelib.accounts.model import AccountClass, RogueKind
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed
from chalicelib.discovery.candidates import Hit
from chalicelib.discovery.gallery import gallery_of
from chalicelib.discovery.model import Candidate, Source, State
from chalicelib.discovery.report_page import A_DAY_FROM_ONE, ReportPage
from chalicelib.discovery.service import Discovery
from chalicelib.discovery.triage import Verdict
from chalicelib.org.roles import Role
from tests.discovery.conftest import MASTODON, Office, profile
from tests.org.company import outcome


def find(office: Office, *handles: str, name: str = "Zorza") -> list[Candidate]:
    if not list(office.accounts.everyone()):
        office.account("zorza", "Zorza")
    gallery = gallery_of(list(office.accounts.everyone()), office.settings.now())
    for handle in handles:
        hit = Hit("mastodon", MASTODON, profile(handle, name), Source.SEARCH)
        assert office.candidates.take(hit, gallery, lambda url: ()) == "new"
    return office.found()


def mailed(office: Office) -> str:
    """The token of the latest mail's link."""
    office.plan.begin()
    office.run_for(25)
    return office.mails[-1].text.split("/q/")[1].split()[0]


def post(office: Office, token: str, candidate: Candidate, verdict: str) -> tuple[int, str]:
    body = urlencode({"candidate": candidate.candidate_id, "verdict": verdict}).encode()
    page = office.page.decide(token, body, "en")
    return page.status, page.html


def test_the_manager_of_the_unit_is_mailed_once_with_the_number_and_the_reasons(office: Office) -> None:
    manager = office.manager()
    find(office, "z0rza", "zorza_help")
    mailed(office)
    (mail,) = office.mails
    person = office.company.org.person(manager.person_id)
    assert mail.to == person.email
    assert "z0rza" in mail.text


def test_nobody_is_mailed_when_nothing_is_new(office: Office) -> None:
    office.manager()
    (found,) = find(office, "z0rza")
    office.triage.decide(office.lead, found.candidate_id, Verdict(State.FAN))
    office.plan.begin()
    office.run_for(25)
    assert office.mails == []


def test_a_unit_without_a_manager_asks_the_lead(office: Office) -> None:
    find(office, "z0rza")
    mailed(office)
    assert office.mails[0].to == office.company.lead.email


def test_the_page_shows_both_sides_and_reasons_and_no_foreign_picture_or_script(office: Office) -> None:
    find(office, "z0rza")
    shown = office.page.show(mailed(office), "en")
    assert shown.status == 200
    assert "Ours, which it resembles" in shown.html
    assert "written with characters that look like our" in shown.html
    assert "<img" not in shown.html
    assert "<script" not in shown.html
    assert "img-src 'self' data:;" in shown.headers["Content-Security-Policy"]


def test_hostile_names_are_escaped_and_shown_for_what_they_are(office: Office) -> None:
    find(office, "zorza_help", name="Zorza <script>alert(1)</script>\u202e")
    shown = office.page.show(mailed(office), "en")
    assert "<script>alert" not in shown.html
    assert "⟨U+202E⟩" in shown.html


def test_opening_the_page_however_often_changes_nothing(office: Office) -> None:
    (found,) = find(office, "z0rza")
    token = mailed(office)
    before = office.company.everything_stored()
    for body in (
        b"",
        b"verdict=fan",
        b"candidate=candidate_1",
        b"verdict=new&candidate=" + found.candidate_id.encode(),
    ):
        office.page.show(token, "pl")
        office.page.decide(token, body, "pl")
    assert office.company.everything_stored() == before


def test_each_button_moves_the_account_in_the_register_in_the_same_change(office: Office) -> None:
    manager = office.manager()
    found = find(office, "z0rza", "zorza_help", "zorrza", "zorza_hq", "zorza_24")
    ours = found[0].like_id
    token = mailed(office)
    verdicts = ["official", "duplicate", "fan", "impostor", "unrelated"]
    for candidate, verdict in zip(found, verdicts, strict=True):
        assert post(office, token, candidate, verdict)[0] == 200
    rows = [office.accounts.find(c.account_id) for c in found]
    assert [r.account_class if r else None for r in rows] == [
        AccountClass.OFFICIAL, AccountClass.DUPLICATE, AccountClass.ROGUE, AccountClass.ROGUE, None,
    ]  # fmt: skip
    assert rows[0] is not None
    assert (rows[0].owner_id, rows[0].unit_id) == (manager.person_id, office.company.warsaw.unit_id)
    assert rows[1] is not None
    assert rows[1].same_as == ours
    assert [r.rogue_kind for r in rows[2:4] if r] == [RogueKind.FAN, RogueKind.IMPOSTOR]
    assert "Nothing is left to decide" in office.page.show(token, "en").html
    for candidate, verdict in zip(found, verdicts, strict=True):
        assert f"decided: {verdict}" in office.history(f"candidate#{candidate.candidate_id}")


def test_the_same_answer_again_changes_nothing_and_another_one_says_who_was_first(office: Office) -> None:
    (found,) = find(office, "z0rza")
    token = mailed(office)
    office.triage.decide(office.manager(), found.candidate_id, Verdict(State.IMPOSTOR))
    before = office.company.everything_stored()
    status, html = post(office, token, found, "impostor")
    assert status == 200
    status, html = post(office, token, found, "fan")
    assert status == 409
    assert "Kierowniczka" in html
    assert "impostor" in html
    assert office.company.everything_stored() == before


def test_a_link_that_does_not_work_looks_the_same_whatever_the_cause(office: Office) -> None:
    (found,) = find(office, "z0rza")
    token = mailed(office)
    unknown = office.page.show("x" * 43, "en")
    office.stage.clock.advance(days=15)
    assert office.page.show(token, "en") == unknown
    assert post(office, token, found, "fan") == (410, unknown.html)


def test_somebody_who_left_or_lost_the_role_decides_nothing(office: Office) -> None:
    manager = office.manager()
    (found,) = find(office, "z0rza")
    token = mailed(office)
    org = office.company.org
    org.revoke_grant(office.admin, manager.person_id, manager.grants[0].grant_id)
    assert post(office, token, found, "fan")[0] == 403
    org.mark_left(office.admin, manager.person_id)
    assert post(office, token, found, "fan")[0] == 410
    assert office.found() == [found]


def test_rights_decide_through_the_api_too(office: Office) -> None:
    (found,) = find(office, "z0rza")
    analyst = office.company.actor(office.company.person("Analityk", (Role.ANALYST, office.company.root)))
    stranger = office.company.actor(
        office.company.person("Ktoś", (Role.DISTRICT_MANAGER, office.company.tehran))
    )
    assert office.triage.read(analyst, found.candidate_id) == found
    for actor in (analyst, stranger):
        assert (
            outcome(partial(office.triage.decide, actor, found.candidate_id, Verdict(State.FAN)))
            == "not_allowed"
        )
    assert office.triage.page(stranger, 50, "", State.NEW) == ([], None)


def test_a_verdict_can_be_taken_back_unless_the_account_is_ours_by_now(office: Office) -> None:
    fan, ours = find(office, "z0rza", "zorza_help")
    for candidate, state in ((fan, State.FAN), (ours, State.OFFICIAL)):
        office.triage.decide(office.lead, candidate.candidate_id, Verdict(state))
    assert office.triage.decide(office.lead, fan.candidate_id, Verdict(State.NEW)).state == State.NEW
    assert (
        outcome(lambda: office.triage.decide(office.lead, ours.candidate_id, Verdict(State.NEW)))
        == "conflict"
    )


def test_candidates_are_paged_by_unit_and_score(office: Office) -> None:
    find(office, "z0rza", "zorza_help", "zorrza")
    first, after = office.triage.page(office.lead, 2, "", State.NEW)
    rest, end = office.triage.page(office.lead, 2, after or "", State.NEW)
    assert [c.score for c in first + rest] == sorted((c.score for c in first + rest), reverse=True)
    assert (len(first), len(rest), end) == (2, 1, None)


def report(office: Office, address: str, words: str = "", sender: str = "198.51.100.7", **more: str) -> int:
    raw = urlencode({"address": address, "words": words, **more}).encode()
    return ReportPage(office.stage.kernel, office.stage.settings).take(raw, sender, "en").status


def test_a_report_becomes_a_candidate_and_keeps_nothing_of_who_sent_it(office: Office) -> None:
    office.account("zorza", "Zorza")
    assert report(office, "https://www.instagram.com/zorza_vip/", "Prosi o kody BLIK") == 200
    office.run_due()
    (found,) = office.found()
    assert (found.handle, found.notes) == ("zorza_vip", ("Prosi o kody BLIK",))
    assert "Prosi o kody BLIK" in office.page.show(mailed(office), "pl").html
    assert "198.51.100.7" not in office.company.everything_stored()


def test_what_is_no_profiles_address_is_asked_for_again_and_not_kept(office: Office) -> None:
    before = office.company.everything_stored()
    for address in ("", "zorza", "https://zorza.pl", "javascript:alert(1)", "https://x.com/" + "a" * 3000):
        assert report(office, address) == 400
    assert report(office, "https://x.com/zorza", "x" * 1001) == 400
    assert office.company.everything_stored() == before


def test_a_robot_that_fills_every_field_is_thanked_and_forgotten(office: Office) -> None:
    before = office.company.everything_stored()
    assert report(office, "https://x.com/zorza", website="https://spam.test") == 200
    assert office.company.everything_stored() == before


def test_one_sender_has_enough_after_some_reports_and_others_have_not(office: Office) -> None:
    for number in range(A_DAY_FROM_ONE):
        assert report(office, f"https://x.com/zorza{number}") == 200
    assert report(office, "https://x.com/zorza_x") == 429
    assert report(office, "https://x.com/zorza_x", sender="198.51.100.8") == 200
    office.stage.clock.advance(days=1)
    assert report(office, "https://x.com/zorza_x") == 200


def test_hostile_bodies_of_the_public_form_are_never_an_error_of_ours(office: Office) -> None:
    page = ReportPage(office.stage.kernel, office.stage.settings)
    for raw in (
        b"\xff\xfe",
        b"address=%ff%fe",
        b"&" * 5000,
        b"a=" + b"x" * 90_000,
    ):
        assert page.take(raw, "", "xx;;;").status == 400
    assert "<script" not in page.take(b"address=%3Cscript%3Ealert(1)%3C/script%3E", "", "en").html


def test_a_csv_of_any_tool_is_searched_for_addresses(office: Office) -> None:
    office.account("zorza", "Zorza")
    discovery = Discovery(office.stage.kernel, office.company.org, office.accounts, office.settings)
    table = (
        "title,link\nZorza Help,https://x.com/zorza_help\n=cmd(),https://x.com/ZORZA_HELP?s=1\nnothing,here\n"
    )
    assert discovery.tell(office.lead, Source.EXPORT, table) == (1, 1)
    office.run_due()
    assert [c.handle for c in office.found()] == ["zorza_help"]
    for wrong in ("", "a,b\nc,d", "\n" * 5000, "x" * 200_000):
        assert outcome(partial(discovery.tell, office.lead, Source.EXPORT, wrong)) == InvalidInput.code
    assert outcome(lambda: discovery.tell(office.manager(), Source.EXPORT, table)) == NotAllowed.code


def test_settings_are_the_leads_and_an_older_version_does_not_overwrite(office: Office) -> None:
    office.set(brands=("Zorza Dom",))
    stale = office.settings.read(office.lead)
    office.set(brands=("Zorza",))
    assert outcome(lambda: office.settings.save(office.lead, stale)) == Conflict.code
    assert outcome(lambda: office.settings.save(office.manager(), stale)) == NotAllowed.code
    assert outcome(lambda: office.set(servers={"myspace": ("https://a.test",)})) == InvalidInput.code
