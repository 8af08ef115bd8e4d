"""An account that a manager adds to the list: found in the register, claimed, or noted anew."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from chalicelib.accounts.directory import default_server, network_name
from chalicelib.accounts.model import Account, AccountClass, plain_handle
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, Problem
from chalicelib.core.history import By, Way
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.words import mark
from chalicelib.inventory import store as rows
from chalicelib.inventory.answers import Outcome, Sitting
from chalicelib.inventory.cover import is_asked_for
from chalicelib.inventory.model import Answer, Part, PartState, Question, asked_for, proof_of
from chalicelib.inventory.people import NOT_HERE, Named, People
from chalicelib.inventory.store import Store
from chalicelib.org.model import one_line
from chalicelib.org.service import Org
from chalicelib.platforms import registry

Recognise = Callable[[str], tuple[str, str, str] | None]
"""Platform, server and handle of a profile's address; None for anything else."""

LONGEST_HANDLE = 253
_TRIES = 3

_ADDRESS = mark("This is no address of a profile that we know. Choose the network and type the name instead.")
_ONE_OF = mark("Paste the address of the profile, or choose the network and type the name.")
_NETWORK = mark("Choose the network.")
_HANDLE = mark("Type the name as the network shows it, like @name, without spaces.")
_SERVER = mark("Only addresses that begin with https:// are taken.")
_UNIT = mark("Choose one of your own units.")
_ELSEWHERE = mark("It is in the register already, with another unit. Ask its manager, or your lead.")
_NOT_OURS = mark("The register says that it is not ours. If that is wrong, tell your lead.")
_RETIRED = mark("It was ours once and is retired. If it is used again, tell your lead.")


@dataclass(frozen=True)
class Addition:
    """What somebody typed: an address, or a network and a name there; whose it is and what for."""

    address: str
    platform: str
    handle: str
    unit_id: str
    owner: Named
    purpose: str


def networks() -> list[tuple[str, str]]:
    """The networks whose accounts can be listed: what we call them and what people do, by that name."""
    known = {*registry.names(), *registry.reading_names(), *registry.receiving_names()}
    return sorted(((name, network_name(name)) for name in known), key=lambda both: both[1].casefold())


class Adding:
    def __init__(
        self, kernel: Kernel, org: Org, accounts: Accounts, people: People, recognise: Recognise
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._people = people
        self._recognise = recognise
        self._store = Store(kernel.database)

    def add(self, sitting: Sitting, new: Addition, found: Iterable[Problem] = ()) -> Outcome:
        """Add an account to the list; one that is on it already stays as it is.

        A candidate of the register is claimed by it. Raises InvalidInput with every problem, those `found`
        too.
        """
        if not sitting.round_.is_open:
            return Outcome.SHUT
        problems = list(found)
        address = self._address(new, problems)
        part = self._part(sitting, new.unit_id)
        if part is None:
            problems.append(Problem("unit", _UNIT))
        owner = self._people.named("owner", new.owner, problems)
        if problems or address is None or part is None:
            raise InvalidInput(problems)
        for _ in range(_TRIES):
            if not self._people.is_here(owner):
                raise InvalidInput([Problem("owner", NOT_HERE)])
            part = self._store.part(part.round_id, part.unit_id) or part
            if part.closed_at or part.state == PartState.FINISHED:
                return Outcome.SHUT
            known = self._accounts.at_address(*address)
            if known is not None and self._is_asked(sitting, known):
                return Outcome.DONE
            change = self._kernel.change(By(sitting.person.person_id, Way.LINK))
            for person_id in sorted({sitting.person.person_id, owner}):
                change.add(self._org.active_check(person_id))
            if known is not None and self._part_of(sitting, known) is not None:  # it came in by another way
                self._ask(change, sitting, known)
            else:
                self._take(change, part, self._made(change, known, address, new, owner), address)
            try:
                self._kernel.commit(change)
            except (Conflict, NotAllowed):  # somebody was quicker, or has just left: look again
                continue
            return Outcome.DONE
        return Outcome.STALE

    def _take(self, change: Change, part: Part, account: Account, address: tuple[str, str, str]) -> None:
        before = self._store.question(part.round_id, part.unit_id, account.account_id)
        proof, by_id = proof_of("add", *address), change.by.person_id
        added = Question(account.account_id, Answer.ADDED, proof, by_id, change.now)
        rows.answer(change, part, before, added)

    def _ask(self, change: Change, sitting: Sitting, known: Account) -> None:
        part = self._part_of(sitting, known)
        assert part is not None, "the caller has looked"
        rows.settle(change, part, None, Question(known.account_id))
        change.record(f"account#{known.account_id}", "asked about", round=part.round_id)

    def _made(
        self,
        change: Change,
        known: Account | None,
        address: tuple[str, str, str],
        new: Addition,
        owner: str,
    ) -> Account:
        """The account, as part of the change. Raises InvalidInput for one that is not to be had like that."""
        what = {"unit_id": new.unit_id, "owner_id": owner}
        if known is None:
            platform, server, handle = address
            fields: dict[str, Any] = {**what, "purpose": new.purpose, "url": _web(new.address)}
            official = AccountClass.OFFICIAL
            return self._accounts.note_in(
                change, platform, server, handle, account_class=official, why="added by its manager", **fields
            )
        match known.account_class:
            case AccountClass.CANDIDATE:
                purpose = new.purpose or known.purpose
                official = AccountClass.OFFICIAL
                self._accounts.amend(
                    change, known, what="claimed", account_class=official, purpose=purpose, **what
                )
                return known
            case AccountClass.ROGUE:
                raise InvalidInput([Problem("address", _NOT_OURS)])
            case AccountClass.RETIRED:
                raise InvalidInput([Problem("address", _RETIRED)])
        raise InvalidInput([Problem("address", _ELSEWHERE)])

    def _address(self, new: Addition, problems: list[Problem]) -> tuple[str, str, str] | None:
        typed = new.address or new.handle
        found = self._recognise(typed) if typed else None
        if found is not None:
            return self._checked(found, problems)
        if new.address:
            problems.append(Problem("address", _ADDRESS))
        elif not new.platform and not new.handle:
            problems.append(Problem("address", _ONE_OF))
        else:
            return self._by_name(new, problems)
        return None

    def _by_name(self, new: Addition, problems: list[Problem]) -> tuple[str, str, str] | None:
        is_network, is_handle = new.platform in dict(networks()), _is_handle(new.handle)
        if not is_network:
            problems.append(Problem("platform", _NETWORK))
        if not is_handle:
            problems.append(Problem("handle", _HANDLE))
        if not (is_network and is_handle):
            return None
        return self._checked((new.platform, "", one_line(new.handle)), problems)

    def _checked(self, found: tuple[str, str, str], problems: list[Problem]) -> tuple[str, str, str] | None:
        platform, server, handle = found
        if platform not in dict(networks()):
            problems.append(Problem("address", _ADDRESS))
            return None
        at = server or default_server(platform)
        if self._accounts.server_problems(at):
            problems.append(Problem("address", _SERVER))
            return None
        return platform, at, plain_handle(handle, at)

    def _part(self, sitting: Sitting, unit_id: str) -> Part | None:
        unit = sitting.units.get(unit_id)
        asked = asked_for(unit.path, sitting.round_.unit_ids) if unit else None
        return sitting.part(asked) if asked else None

    def _part_of(self, sitting: Sitting, known: Account) -> Part | None:
        """Which of their parts has the account on its list."""
        theirs = (p for p in sitting.parts if is_asked_for(known, sitting.units, sitting.round_, p.unit_id))
        return next(theirs, None)

    def _is_asked(self, sitting: Sitting, known: Account) -> bool:
        part = self._part_of(sitting, known)
        return part is not None and (
            self._store.question(part.round_id, part.unit_id, known.account_id) is not None
        )


def _is_handle(text: str) -> bool:
    try:
        cleaned = one_line(text)
    except ValueError:
        return False
    return len(cleaned) <= LONGEST_HANDLE and not any(char.isspace() or char in "#/" for char in cleaned)


def _web(address: str) -> str:
    return address if address.startswith(("https://", "http://")) else ""
