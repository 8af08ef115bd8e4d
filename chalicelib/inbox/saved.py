"""Saved answers: texts that a unit, and every one below it, may answer with."""

from collections.abc import Mapping

from chalicelib.core.errors import InvalidInput, NotFound, Problem
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Kernel
from chalicelib.inbox.reply_model import SavedReply
from chalicelib.inbox.reply_store import ReplyStore
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms.inbound import Author

MOST_SAVED = 500  # of one unit


class SavedReplies:
    def __init__(self, kernel: Kernel, replies: ReplyStore, org: Org) -> None:
        self._kernel = kernel
        self._replies = replies
        self._org = org

    def list(self, actor: Actor, unit_id: str) -> list[SavedReply]:
        """What may be answered with in a unit: its own, then those of the units above. Raises NotFound."""
        path = self._org.unit(unit_id).path
        actor.require_on(Right.INBOX_READ, path)
        return [saved for above in reversed(path) for saved in self._replies.saved(above)]

    def add(self, actor: Actor, unit_id: str, name: str, texts: Mapping[str, str]) -> SavedReply:
        """Keep a new one. Raises InvalidInput when the unit has too many."""
        self._require(actor, unit_id)
        if len(self._replies.saved(unit_id)) >= MOST_SAVED:
            raise InvalidInput([Problem("unit_id", f"a unit keeps {MOST_SAVED} saved answers at most")])
        change = self._org.begin(actor)
        saved_id = new_id("saved", change.now)
        saved = SavedReply(saved_id, unit_id, name, dict(texts), actor.person_id, change.now)
        kept = self._replies.save_saved(change, saved)
        change.record(f"unit#{unit_id}", "saved answer added", saved=saved_id, name=name)
        self._kernel.commit(change)
        return kept

    def change(
        self, actor: Actor, unit_id: str, saved_id: str, name: str, texts: Mapping[str, str], version: int
    ) -> SavedReply:
        """Replace its name and texts. Raises Conflict if somebody else changed it since `version`."""
        saved = self._own(actor, unit_id, saved_id)
        change = self._org.begin(actor)
        changed = SavedReply(saved_id, unit_id, name, dict(texts), actor.person_id, change.now, version)
        kept = self._replies.save_saved(change, changed)
        change.record(f"unit#{unit_id}", "saved answer changed", saved=saved_id, name=name, was=saved.name)
        self._kernel.commit(change)
        return kept

    def remove(self, actor: Actor, unit_id: str, saved_id: str) -> None:
        """Keep it no longer; what was answered with it stays as it is."""
        saved = self._own(actor, unit_id, saved_id)
        change = self._org.begin(actor)
        self._replies.drop_saved(change, saved)
        change.record(f"unit#{unit_id}", "saved answer removed", saved=saved_id, name=saved.name)
        self._kernel.commit(change)

    def text(self, unit_id: str, saved_id: str, language: str, customer: Author) -> str:
        """The filled-in text for a customer. Raises InvalidInput where there is none in the language."""
        saved = self._find(unit_id, saved_id)
        if saved is None:
            raise InvalidInput([Problem("saved_id", "there is no such saved answer in this unit or above")])
        text = saved.text_for(language, customer)
        if text is None:
            has = ", ".join(sorted(saved.texts))
            raise InvalidInput(
                [Problem("saved_id", f"this saved answer has no text in '{language}'; it has: {has}")]
            )
        return text

    def is_verbatim(self, unit_id: str, saved_id: str | None, text: str, customer: Author) -> bool:
        """Whether a text is word for word what this saved answer says to the customer, in any language."""
        saved = self._find(unit_id, saved_id) if saved_id else None
        return saved is not None and any(saved.text_for(lang, customer) == text for lang in saved.texts)

    def _find(self, unit_id: str, saved_id: str) -> SavedReply | None:
        path = self._org.unit(unit_id).path
        found = (self._replies.one_saved(above, saved_id) for above in reversed(path))
        return next((saved for saved in found if saved is not None), None)

    def _own(self, actor: Actor, unit_id: str, saved_id: str) -> SavedReply:
        self._require(actor, unit_id)
        saved = self._replies.one_saved(unit_id, saved_id)
        if saved is None:
            raise NotFound(f"there is no saved answer {saved_id} in this unit")
        return saved

    def _require(self, actor: Actor, unit_id: str) -> None:
        actor.require_on(Right.INBOX_MANAGE, self._org.unit(unit_id).path)
