"""The register as a file, and a file into the register: all of it right, or nothing of it written.

A file is written in parts of one transaction each. What cuts an import short leaves whole parts, and the
same file sent again goes on from there, because a row that is in already changes nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from chalicelib.accounts import store as rows
from chalicelib.accounts.directory import default_server
from chalicelib.accounts.model import Account, AccountClass, changed, plain_handle
from chalicelib.accounts.service import Accounts, rule_problems
from chalicelib.core.csv_text import from_csv, to_csv
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, Problem, TooLarge
from chalicelib.core.kernel import MAX_WRITES, Kernel
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org

MOST_ROWS = 1000
MOST_EXPORTED = 4000  # about 1 KB each: the answer must stay below Lambda's 6 MB
_MOST_PROBLEMS = 100
_WRITES_OF_ONE = 7  # an amended account with a new address: 6, and its history
_LISTS = frozenset({"languages", "goals", "policy_links", "connected_apps"})
_NULLABLE = frozenset({"server", "backup_id", "rogue_kind", "same_as"})
_WRITTEN = (
    "account_id", "platform", "server", "handle", "display_name", "url", "account_class", "rogue_kind",
    "same_as", "unit_id", "owner_id", "backup_id", "purpose", "audience", "languages", "goals", "contact",
    "policy_links", "second_factor_by", "recovery_by", "connected_apps",
)  # fmt: skip
# Only Signalbox writes these: they are in an export, and an import leaves them as they are.
_FACTS = (
    "external_id", "followers", "status", "verified", "description", "avatar_url", "avatar_hash", "opened_at",
    "first_seen_at", "last_seen_at", "last_post_at", "unreadable_since", "unreadable_why", "confirmed_at",
    "confirmed_by", "confirm_by_at", "under_review_at", "api_version", "quiet_until", "created_at", "version",
)  # fmt: skip
COLUMNS = _WRITTEN + _FACTS
_KEY = frozenset({"account_id", "platform", "server"})


@dataclass(frozen=True)
class Plan:
    """What becomes of one row: an account and what changes in it, or the fields of a new one."""

    row: int
    before: Account | None
    fields: Mapping[str, Any]

    @property
    def changes_nothing(self) -> bool:
        return self.before is not None and changed(self.before, self.fields) == self.before


@dataclass(frozen=True)
class Report:
    dry_run: bool
    rows: int
    added: int
    changed: int
    unchanged: int
    ignored: tuple[str, ...]


class Exchange:
    def __init__(self, kernel: Kernel, org: Org, accounts: Accounts) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._store = rows.Store(kernel.database)

    def export(self, actor: Actor, **filters: Any) -> list[Account]:
        """The accounts that the filters of `register_page` leave. Raises TooLarge when they are too many."""
        found, more = self._accounts.register_page(actor, MOST_EXPORTED, **filters)
        if more is not None:
            message = f"there are more than {MOST_EXPORTED} accounts; ask for a unit, a platform or a class"
            raise TooLarge(message)
        return found

    def take(
        self, actor: Actor, given: Sequence[Mapping[str, Any]], dry_run: bool, first_row: int = 1
    ) -> Report:
        """Bring rows, as `rows_of_csv` and `rows_of_json` give them, into the register; in a spreadsheet the
        first row of a CSV is the second.

        Raises InvalidInput with every problem, each under its row and column; nothing is written then. Raises
        Conflict when somebody else's change came between; the same rows can be sent again.
        """
        if len(given) > MOST_ROWS:
            raise TooLarge(f"the file has {len(given)} accounts; the most is {MOST_ROWS}, so split it")
        plans, problems = self._planned(actor, given, first_row)
        if problems:
            shown = problems[:_MOST_PROBLEMS]
            if len(problems) > len(shown):
                shown.append(Problem("body", f"and {len(problems) - len(shown)} problems more"))
            raise InvalidInput(shown)
        to_write = [plan for plan in plans if not plan.changes_nothing]
        added = sum(plan.before is None for plan in to_write)
        ignored = tuple(name for name in _FACTS if any(name in row for row in given))
        if not dry_run:
            self._write(actor, to_write)
        amended = len(to_write) - added
        return Report(dry_run, len(plans), added, amended, len(plans) - len(to_write), ignored)

    def _write(self, actor: Actor, plans: Sequence[Plan]) -> None:
        written = 0
        for part in _parts(plans):
            people = {plan.fields.get(f) for plan in part for f in ("owner_id", "backup_id")}
            change = self._org.begin(actor, people)
            for plan in part:
                if plan.before is None:
                    self._accounts.note_in(change, **plan.fields, why="imported")
                else:
                    self._accounts.amend(change, plan.before, what="imported", **plan.fields)
            try:
                self._kernel.commit(change)
            except Conflict as error:
                message = f"{error.message}; {written} accounts of the file are in, send all of it again"
                raise Conflict(message) from error
            written += len(part)

    def _planned(
        self, actor: Actor, given: Sequence[Mapping[str, Any]], first_row: int
    ) -> tuple[list[Plan], list[Problem]]:
        parsed, problems = _parsed(given, first_row)
        known = self._known([fields for _, fields in parsed])
        there = self._accounts.get_many(f["same_as"] for _, f in parsed if f.get("same_as"))
        paths = {unit.unit_id: unit.path for unit in self._org.units()}
        person_problem = cache(self._accounts.person_problem)
        plans: list[Plan] = []
        first: dict[str, int] = {}

        def check(row: int, fields: dict[str, Any]) -> Iterator[Problem]:
            before, address = known(fields)
            if fields.get("account_id") and before is None:
                yield Problem("account_id", f"there is no account {fields['account_id']}")
                return
            key = before.account_id if before else str(address)
            if row != first.setdefault(key, row):
                yield Problem("handle", f"this account is in row {first[key]} already")
                return
            moved = {k: v for k, v in fields.items() if k not in _KEY}
            if before is None:
                moved = {"account_class": AccountClass.OFFICIAL, **moved, **_address_fields(fields)}
                missing = list(_missing(fields))
                yield from missing or self._new_problems(actor, moved)
            else:
                if "handle" in moved:  # without an id it is how the account was found, in any spelling
                    told = plain_handle(moved["handle"], before.server)
                    moved["handle"] = told if fields.get("account_id") else before.handle
                yield from rule_problems(before, moved)
                moved = {k: v for k, v in moved.items() if v != getattr(before, k)}
            for unit_id in {before.unit_id if before else "", moved.get("unit_id", "")} - {""}:
                yield from _unit_problems(actor, paths, unit_id)
            for name in ("owner_id", "backup_id"):
                if moved.get(name) and (message := person_problem(moved[name])):
                    yield Problem(name, message)
            if moved.get("same_as") and moved["same_as"] not in there:
                yield Problem("same_as", f"there is no account {moved['same_as']}")
            plans.append(Plan(row, before, moved))

        for row, fields in parsed:
            problems += [Problem(f"row {row}: {p.field}", p.message) for p in check(row, fields)]
        return plans, problems

    def _new_problems(self, actor: Actor, fields: Mapping[str, Any]) -> Iterator[Problem]:
        yield from self._accounts.server_problems(fields["server"])
        try:
            self._accounts.note_in(self._kernel.change(actor.by), **fields)
        except InvalidInput as refusal:
            yield from refusal.problems

    def _known(self, given: list[dict[str, Any]]) -> Any:
        by_id = self._store.get_many(f["account_id"] for f in given if f.get("account_id"))
        addresses = [a for f in given if (a := _address(f))]
        by_address = self._store.at_many(dict.fromkeys(addresses))

        def known(fields: dict[str, Any]) -> tuple[Account | None, rows.Address | None]:
            address = _address(fields)
            if fields.get("account_id"):
                return by_id.get(fields["account_id"]), address
            return (by_address.get(address) if address else None), address

        return known


def rows_of_csv(raw: bytes) -> list[dict[str, Any]]:
    """The rows of a CSV body, lists taken apart: one to a line of the cell. Raises InvalidInput."""
    return [
        {name: _of_cell(name, cell) for name, cell in row.items() if cell or name != "account_class"}
        for row in from_csv(raw)
    ]


def rows_of_json(raw: bytes) -> list[dict[str, Any]]:
    """The rows of a JSON body, `{"accounts": [...]}`. Raises InvalidInput."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidInput([Problem("body", "is not JSON in UTF-8")]) from None
    accounts = said.get("accounts") if isinstance(said, dict) else None
    if not isinstance(accounts, list) or not all(isinstance(row, dict) for row in accounts):
        raise InvalidInput([Problem("accounts", 'must be a list of accounts, as {"accounts": [{...}]}')])
    return accounts


def as_csv(accounts: Sequence[Account]) -> str:
    """The accounts with every column; lists have one entry to a line of the cell."""
    from chalicelib.accounts.views import RecordView

    records = (RecordView.of(account).model_dump(mode="json") for account in accounts)
    return to_csv(COLUMNS, ({name: _to_cell(record[name]) for name in COLUMNS} for record in records))


def _to_cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return "\n".join(value)
    return str(value)


def _of_cell(name: str, cell: str) -> Any:
    if name in _LISTS:
        return [line for line in cell.replace("\r\n", "\n").split("\n") if line.strip()]
    return None if name in _NULLABLE and not cell else cell


def _parsed(
    given: Sequence[Mapping[str, Any]], first_row: int
) -> tuple[list[tuple[int, dict[str, Any]]], list[Problem]]:
    """Each row's number and its fields."""
    from pydantic import ValidationError

    from chalicelib.accounts.forms import ImportedRow

    parsed, problems = [], []
    for row, said in enumerate(given, start=first_row):
        try:
            form = ImportedRow.model_validate({k: v for k, v in said.items() if k not in _FACTS})
        except ValidationError as error:
            for wrong in error.errors(include_url=False, include_input=False, include_context=False):
                field = ".".join(str(part) for part in wrong["loc"])[:100] or "account"
                message = wrong["msg"].removeprefix("Value error, ")
                problems.append(Problem(f"row {row}: {field}", message[:1].lower() + message[1:]))
        else:
            parsed.append((row, form.changes))
    return parsed, problems


def _address_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    server = fields.get("server") or _default(fields.get("platform", ""))
    handle = plain_handle(fields.get("handle", ""), server)
    return {"platform": fields.get("platform", ""), "server": server, "handle": handle}


def _address(fields: Mapping[str, Any]) -> rows.Address | None:
    """The address that a row names; None for a platform that is not known."""
    said = _address_fields(fields)
    return (said["platform"], said["server"], said["handle"].casefold()) if said["server"] else None


def _default(platform: str) -> str:
    try:
        return default_server(platform)
    except InvalidInput:
        return ""


def _missing(fields: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("platform", "handle", "unit_id"):
        if not fields.get(name):
            yield Problem(name, "is needed for an account that is not in the register yet")
    if fields.get("platform") and not _default(fields["platform"]):
        yield Problem("platform", "this platform is not known here")


def _unit_problems(actor: Actor, paths: Mapping[str, tuple[str, ...]], unit_id: str) -> Iterator[Problem]:
    if unit_id not in paths:
        yield Problem("unit_id", f"there is no unit {unit_id}")
        return
    try:
        actor.require_on(Right.REGISTER_WRITE, paths[unit_id])
    except NotAllowed as refusal:
        yield Problem("unit_id", refusal.message)


def _parts(plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
    """As many rows as surely fit into one transaction, with a check for each of two people a row.

    A renamed account is alone, as a transaction cannot write the address twice that one leaves and another
    takes.
    """
    size = (MAX_WRITES - 1) // (_WRITES_OF_ONE + 2)
    renamed = [plan for plan in plans if plan.before is not None and "handle" in plan.fields]
    others = [plan for plan in plans if plan not in renamed]
    yield from ([plan] for plan in renamed)
    for start in range(0, len(others), size):
        yield others[start : start + size]
