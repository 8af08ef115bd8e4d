"""Mails about a case say what happened and what to do, in the reader's language, and nothing secret."""

import pytest

from chalicelib.core.history import BY_JOB
from chalicelib.org.model import Language
from chalicelib.takedowns.model import MOVES, EvidenceKind, State, said
from chalicelib.takedowns.words import EVIDENCE, KINDS, STATES, SUBJECTS, TO_DO, line_of, subject_of
from tests.takedowns.desk import LINK, Desk


def test_the_first_mail_has_the_way_to_the_page_and_no_evidence(desk: Desk) -> None:
    case = desk.open()
    desk.work()
    (mail,) = desk.postbox.sent
    assert mail.to == desk.owner.email
    assert mail.subject == "New takedown case: zorza_pomoc on bluesky"
    assert "The case was opened." in mail.text
    assert "Hand the report in" in mail.text
    assert case.case_id in mail.text
    (token,) = LINK.findall(mail.text)
    assert desk.page.show(token, "en").status == 200
    assert token not in desk.dump(), "of a token only its hash is kept"
    (evidence,) = desk.takedowns.store.whole(case.case_id).evidence
    assert evidence.sha256 not in mail.text


def test_a_mail_says_what_the_platform_answered_and_who_says_so(desk: Desk) -> None:
    case = desk.submitted()
    desk.quiet()
    desk.step(case, "refused", why="They see no infringement.")
    desk.work()
    (mail,) = desk.postbox.sent
    for said_there in (
        "The platform will not remove it.",
        "Marek Mąka says so.",
        "They see no infringement.",
        "R-1",
    ):
        assert said_there in mail.text


def test_whoever_it_was_passed_up_to_reads_why(desk: Desk) -> None:
    desk.open(harm="critical")
    desk.quiet()
    desk.pass_time(hours=4, minutes=1)
    (mail,) = desk.postbox.to(desk.manager)
    assert "Olga Ość" in mail.text
    assert "Olga Ość" not in desk.postbox.to(desk.owner)[0].text
    desk.pass_time(hours=4, minutes=1)
    assert len(desk.postbox.to(desk.lead)) == 1


@pytest.mark.parametrize("language", Language)
def test_every_mail_can_be_written_in_every_language(desk: Desk, language: Language) -> None:
    desk.org.change_person(desk.operator, desk.owner.person_id, language=language)
    case = desk.submitted()
    desk.quiet()
    whats = [*SUBJECTS, *(f"evidence_{kind}" for kind in EvidenceKind)]
    change = desk.kernel.change(BY_JOB)
    for what in whats:
        person_id, by_id = desk.owner.person_id, desk.manager.person_id
        change.chore("tell_case", case.case_id, person=person_id, what=what, step="2", by=by_id)
    change.record(f"case#{case.case_id}", "told everything")
    desk.kernel.commit(change)
    assert desk.work() == ["done"] * len(whats)
    assert len(desk.postbox.sent) == len(whats)
    assert len({m.subject for m in desk.postbox.sent}) == len(SUBJECTS) + 1
    assert all("%(" not in m.text + m.subject for m in desk.postbox.sent)


def test_every_word_of_a_case_is_there() -> None:
    assert set(STATES) == set(TO_DO) == set(State)
    assert set(EVIDENCE) == set(EvidenceKind)
    assert len(KINDS) == 4
    assert {str(state) for state in State} <= set(SUBJECTS)
    assert subject_of("evidence_note") == subject_of("evidence_link")
    assert line_of("evidence_note")
    assert line_of("submitted") == ""


def test_a_step_says_what_it_means_after_the_step_before_it(desk: Desk) -> None:
    case = desk.step(desk.open(), "removed")
    steps = desk.takedowns.store.whole(case.case_id).steps
    assert said(steps, 1) == "The case was opened."
    assert said(steps, 2) == MOVES[State.OPENED][State.REMOVED]


def test_who_has_left_gets_no_mail(desk: Desk) -> None:
    desk.open()
    desk.org.mark_left(desk.operator, desk.owner.person_id)
    desk.work()
    assert desk.postbox.sent == []
