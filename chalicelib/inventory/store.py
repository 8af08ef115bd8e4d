"""The `inventory` table: what stands under which key, every read, and the writes that join a change.

pk                    sk                listing (lpk / lsk)
round#<id>            round             rounds / <id>          ids sort by creation
round#<id>            part#<unit id>    -
part#<id>#<unit id>   <account id>      -                      the question about one account
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import Expression, where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.inventory.model import Answer, Part, PartState, Question, Round, counter

TABLE = "inventory"
PER_CHANGE = 80  # questions in one transaction, which takes a hundred writes
_MEANWHILE = Conflict("somebody else changed this round just now; look again and repeat your change")
_CLOSED = Conflict("this part of the round is finished or closed")


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find_round(self, round_id: str) -> Round | None:
        item = self._database.get(TABLE, _round_key(round_id))
        return from_item(Round, item) if item else None

    def round(self, round_id: str) -> Round:
        """Raises NotFound."""
        found = self.find_round(round_id)
        if found is None:
            raise NotFound(f"there is no inventory round {round_id}")
        return found

    def rounds(self, limit: int, before: str = "") -> tuple[list[Round], str | None]:
        """A page of the rounds, the latest first, and where the next starts."""
        key = where("lpk = :l AND lsk < :b", l="rounds", b=before or "~")
        found = self._database.query(TABLE, key, index="listing", limit=limit + 1, forward=False).items
        page = found[:limit]
        items = self._database.get_many(TABLE, [{"pk": i["pk"], "sk": i["sk"]} for i in page])
        rounds = sorted((from_item(Round, i) for i in items), key=lambda r: r.round_id, reverse=True)
        return rounds, page[-1]["lsk"] if len(found) > limit else None

    def parts(self, round_id: str) -> list[Part]:
        """Every part of a round, in one query."""
        key = where("pk = :p AND begins_with(sk, :s)", p=f"round#{round_id}", s="part#")
        return [from_item(Part, item) for item in self._database.query_all(TABLE, key)]

    def part(self, round_id: str, unit_id: str) -> Part | None:
        item = self._database.get(TABLE, _part_key(round_id, unit_id))
        return from_item(Part, item) if item else None

    def questions(self, part: Part) -> list[Question]:
        """Every question of a part, in one query."""
        key = where("pk = :p", p=_questions(part.round_id, part.unit_id))
        return [from_item(Question, item) for item in self._database.query_all(TABLE, key)]

    def question(self, round_id: str, unit_id: str, account_id: str) -> Question | None:
        item = self._database.get(TABLE, _question_key(round_id, unit_id, account_id))
        return from_item(Question, item) if item else None


# Writes that join a change


def save_round(change: Change, after: Round, before: Round | None) -> None:
    """The commit raises Conflict when somebody else's change of the round came between."""
    item = {**to_item(after), **_round_key(after.round_id), "lpk": "rounds", "lsk": after.round_id}
    item["version"] = before.version + 1 if before else 1
    unchanged = where("version = :v", v=before.version) if before else where("attribute_not_exists(pk)")
    change.put(TABLE, item, unchanged, _MEANWHILE)


def open_part(change: Change, part: Part) -> None:
    """The commit raises Conflict if it is open already."""
    item = {**to_item(part), **_part_key(part.round_id, part.unit_id)}
    change.put(TABLE, item, where("attribute_not_exists(pk)"), _MEANWHILE)


def ask(change: Change, part: Part, account_ids: Sequence[str]) -> None:
    """Add a question about each account; the part's counter is the caller's (`count`)."""
    for account_id in account_ids:
        item = {**to_item(Question(account_id)), **_question_key(part.round_id, part.unit_id, account_id)}
        change.put(TABLE, item, where("attribute_not_exists(pk)"), _MEANWHILE)


def take_in(change: Change, part: Part, account_ids: Sequence[str]) -> None:
    """Ask an open part about further accounts, and count them."""
    ask(change, part, account_ids)
    _update(change, part, where("ADD left :n", n=len(account_ids)), where("attribute_not_exists(closed_at)"))


def answer(change: Change, part: Part, before: Question | None, after: Question) -> None:
    """Write a person's answer and count it.

    The commit raises Conflict if somebody answered meanwhile, or the part is finished or closed.
    """
    values = {"answering": str(PartState.ANSWERING), "now": to_text(change.now)}
    text = "SET state = :answering, answered_at = :now"
    open_now = where("attribute_not_exists(closed_at) AND NOT state = :done", done=PartState.FINISHED)
    _put(change, part, before, after, text, values, open_now)


def settle(change: Change, part: Part, before: Question | None, after: Question) -> None:
    """Write what became of a question without an answer of the part's own people.

    A part that was finished is not any more if it is asked about an account. The commit raises Conflict if
    somebody answered meanwhile, or the part is closed.
    """
    asks_again = after.answer is None and part.state == PartState.FINISHED
    state = PartState.ANSWERING if asks_again else part.state
    same = where("attribute_not_exists(closed_at) AND state = :was", was=part.state)
    _put(change, part, before, after, "SET state = :state", {"state": str(state)}, same)


def finish(change: Change, part: Part, person_id: str) -> None:
    """The commit raises Conflict for a part that is finished or closed."""
    text = "SET state = :state, finished_at = :now, finished_by = :by"
    update = where(text, state=PartState.FINISHED, now=to_text(change.now), by=person_id)
    open_now = where("attribute_not_exists(closed_at) AND NOT state = :done", done=PartState.FINISHED)
    _update(change, part, update, open_now)


def reopen(change: Change, part: Part) -> None:
    """The commit raises Conflict for a part that is not finished, or closed."""
    update = where("SET state = :s REMOVE finished_at, finished_by", s=PartState.ANSWERING)
    finished = where("attribute_not_exists(closed_at) AND state = :f", f=PartState.FINISHED)
    _update(change, part, update, finished)


def pass_on(change: Change, part: Part, asked_ids: Iterable[str], escalated_at: datetime | None) -> None:
    """Say who is asked now. The commit raises Conflict if somebody else said so meanwhile."""
    text, values = "SET asked_ids = :ids", dict[str, Any](ids=list(asked_ids))
    if escalated_at is not None:
        text, values = f"{text}, escalated_at = :at", {**values, "at": to_text(escalated_at)}
    same = where("attribute_not_exists(closed_at) AND asked_ids = :was", was=list(part.asked_ids))
    _update(change, part, where(text, **values), same)


def close_part(change: Change, part: Part) -> None:
    """Nothing about the part changes from then on."""
    state = part.state if part.state == PartState.FINISHED else PartState.UNANSWERED
    update = where("SET closed_at = :now, state = :state", now=to_text(change.now), state=state)
    same = where("attribute_not_exists(closed_at) AND state = :was", was=part.state)
    _update(change, part, update, same)


def _put(
    change: Change,
    part: Part,
    before: Question | None,
    after: Question,
    sets: str,
    values: dict[str, str],
    when: Expression,
) -> None:
    saved = {**to_item(after), **_question_key(part.round_id, part.unit_id, after.account_id)}
    saved["version"] = before.version + 1 if before else 1
    unchanged = where("version = :v", v=before.version) if before else where("attribute_not_exists(pk)")
    change.put(TABLE, saved, unchanged, _MEANWHILE)
    counts = _counts(before, after.answer)
    adds = " ADD " + ", ".join(f"{name} :{name}" for name in counts) if counts else ""
    _update(change, part, where(sets + adds, **values, **counts), when)


def _counts(before: Question | None, answer: Answer | None) -> dict[str, int]:
    """What to add to which counter for a question that has another answer now."""
    counts = {counter(answer): 1}
    if before is not None:
        counts[counter(before.answer)] = counts.get(counter(before.answer), 0) - 1
    return {name: n for name, n in counts.items() if n}


def _update(change: Change, part: Part, update: Expression, when: Expression) -> None:
    change.update(TABLE, _part_key(part.round_id, part.unit_id), update, when, _CLOSED)


def _round_key(round_id: str) -> Item:
    return {"pk": f"round#{round_id}", "sk": "round"}


def _part_key(round_id: str, unit_id: str) -> Item:
    return {"pk": f"round#{round_id}", "sk": f"part#{unit_id}"}


def _questions(round_id: str, unit_id: str) -> str:
    return f"part#{round_id}#{unit_id}"


def _question_key(round_id: str, unit_id: str, account_id: str) -> Item:
    return {"pk": _questions(round_id, unit_id), "sk": account_id}
