"""Whom somebody calls hears of it: a conversation passed up, or a note that names them."""

from typing import Any

import pytest

from chalicelib.core.timetable import Lane
from chalicelib.inbox.model import Conversation
from chalicelib.org.model import Actor
from chalicelib.org.roles import Role
from tests.inbox.letters import Letterbox, said


@pytest.fixture
def waiting(letterbox: Letterbox) -> Conversation:
    letterbox.take(said(letterbox.ago(10)))
    return letterbox.conversation()


def mailed(letterbox: Letterbox) -> list[Any]:
    """The mails of what is due now."""
    before = len(letterbox.box.mails())
    letterbox.box.run_due(Lane.CHORES)
    return letterbox.box.mails()[before:]


def email_of(letterbox: Letterbox, actor: Actor) -> str:
    return letterbox.box.services.org.person(actor.person_id).email


def test_what_is_passed_up_reaches_who_answers_for_the_unit_with_the_reason(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    manager = letterbox.person(Role.DISTRICT_MANAGER, letterbox.units[0])
    letterbox.inbox.moves.escalate(letterbox.responders[0], waiting.conversation_id, "Grozi pozwem")
    mails = [m for m in mailed(letterbox) if "Passed up" in m["Subject"]]
    assert {m["To"] for m in mails} == {"maja@zorza.test", email_of(letterbox, manager)}
    text = mails[0].get_body(("plain",)).get_content()
    assert "Grozi pozwem" in text
    assert "What about" not in mails[0].as_string()


def test_who_passes_it_up_and_what_is_taken_meanwhile_are_not_mailed(
    letterbox: Letterbox, waiting: Conversation
) -> None:
    manager = letterbox.person(Role.DISTRICT_MANAGER, letterbox.units[0])
    moves = letterbox.inbox.moves
    moves.escalate(manager, waiting.conversation_id, "nie wiem")
    assert [m["To"] for m in mailed(letterbox) if "Passed up" in m["Subject"]] == ["maja@zorza.test"]
    moves.assign(manager, waiting.conversation_id, manager.person_id)
    moves.escalate(letterbox.responders[0], waiting.conversation_id, "a jednak")
    moves.assign(manager, waiting.conversation_id, manager.person_id)
    assert [m for m in mailed(letterbox) if "Passed up" in m["Subject"]] == []


def test_whom_a_note_names_gets_the_note(letterbox: Letterbox, waiting: Conversation) -> None:
    lawyer = letterbox.person(Role.RESPONDER, letterbox.units[0])
    text = f"@{lawyer.person_id} czy możemy to obiecać?"
    letterbox.inbox.moves.note(letterbox.responders[0], waiting.conversation_id, text)
    (mail,) = [m for m in mailed(letterbox) if "names you" in m["Subject"]]
    assert mail["To"] == email_of(letterbox, lawyer)
    assert "czy możemy to obiecać?" in mail.get_body(("plain",)).get_content()
