"""Cases: opened about an account of the register, moved step by step, and never forgotten until they end.

Every change is one transaction: the case (conditional on its version), a line of its log, the counters, the
next mail on the timetable, and who is told.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chalicelib.accounts.model import OURS, Account, AccountClass
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.records import to_item
from chalicelib.core.settings import Settings
from chalicelib.org.model import Actor, Person, Status
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms.port import Profile
from chalicelib.takedowns import channels, numbers
from chalicelib.takedowns import store as rows
from chalicelib.takedowns.chain import canonical, sha256
from chalicelib.takedowns.model import (
    Case,
    Evidence,
    EvidenceKind,
    Harm,
    Kind,
    State,
    chased_after,
    moved,
)
from chalicelib.takedowns.settings import TakedownSettings

CHASE = "chase_case"
RECHECK = "recheck_case"
TELL = "tell_case"
CAPTURE = "capture_profile"
"""The chores; of the first two each case has at most one."""


@dataclass(frozen=True)
class Wanted:
    """Which cases are asked for; a unit means all below it too."""

    is_open: bool = True
    state: str | None = None
    platform: str | None = None
    unit_id: str | None = None
    kind: str | None = None
    harm: str | None = None
    account_id: str | None = None


class Takedowns:
    def __init__(
        self, kernel: Kernel, org: Org, accounts: Accounts, settings: Settings, own: TakedownSettings
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._settings = settings
        self._own = own
        self.store = rows.CaseStore(kernel.database)

    # Reading

    def visible(self, actor: Actor, case_id: str) -> Case:
        """The case; NotFound also for one that they may not see, so that ids tell nothing."""
        case = self.store.get(case_id)
        if not actor.may(Right.REGISTER_READ, self._org.unit(case.unit_id).path):
            raise NotFound(f"there is no case {case_id}")
        return case

    def require(self, actor: Actor, case_id: str) -> Case:
        """The case, for somebody who wants to do something with it. Raises NotFound and NotAllowed."""
        case = self.visible(actor, case_id)
        actor.require_on(Right.TAKEDOWNS_WRITE, self._org.unit(case.unit_id).path)
        return case

    def whole(self, actor: Actor, case_id: str) -> rows.Whole:
        """The case with its log and evidence. Raises NotFound."""
        self.visible(actor, case_id)
        return self.store.whole(case_id)

    def page(
        self, actor: Actor, wanted: Wanted, limit: int, after: str = ""
    ) -> tuple[list[Case], str | None]:
        """Open cases by when they are due to be chased, ended ones by when they ended; and where the next
        page starts. Raises NotFound for a unit that there is not.
        """
        paths = {unit.unit_id: unit.path for unit in self._org.units()}
        if wanted.unit_id is not None and wanted.unit_id not in paths:
            raise NotFound(f"there is no unit {wanted.unit_id}")
        fitting = self._fitting(actor, wanted, paths, after)
        places = [place for place, _ in zip(fitting, range(limit + 1), strict=False)]
        found = self.store.get_many(place.case_id for _, place in places[:limit])
        cases = [found[place.case_id] for _, place in places[:limit] if place.case_id in found]
        return cases, places[limit - 1][0] if len(places) > limit else None

    def _fitting(
        self, actor: Actor, wanted: Wanted, paths: Mapping[str, tuple[str, ...]], after: str
    ) -> Iterator[tuple[str, rows.Place]]:
        for lsk, place in self.store.places(wanted.is_open, after):
            path = paths.get(place.unit_id, ())
            if (
                actor.may(Right.REGISTER_READ, path)
                and (wanted.unit_id is None or wanted.unit_id in path)
                and wanted.platform in (None, place.platform)
                and wanted.kind in (None, place.kind)
                and wanted.harm in (None, place.harm)
                and wanted.state in (None, place.state)
                and wanted.account_id in (None, place.account_id)
            ):
                yield lsk, place

    def form(self, whole: rows.Whole) -> channels.Form:
        """The platform's form for this case, filled in."""
        case = whole.case
        owner = self._person(case.owner_id)
        original = self._accounts.find(case.original_id) if case.original_id else None
        channel = self._own.channel(case.platform, case.kind)
        return channels.filled(
            case, channel, self._own.company(), owner, original, whole.evidence, self._settings.company
        )

    def answers_for(self, case: Case) -> timedelta:
        """The time that its platform usually takes."""
        return self._own.channel(case.platform, case.kind).answers_for

    def numbers(self, actor: Actor) -> dict[tuple[str, str], Counter[str]]:
        """The counters of the units that they may see, by unit and platform."""
        paths = {unit.unit_id: unit.path for unit in self._org.units()}
        return numbers.read(
            self._kernel.database, lambda unit_id: actor.may(Right.REGISTER_READ, paths.get(unit_id, ()))
        )

    # Changing

    def open(self, actor: Actor, fields: Mapping[str, Any]) -> Case:
        """A new case from forms.NewCase's fields, in the name of its owner (the actor where none is named).

        Raises NotFound, NotAllowed, InvalidInput for an account that a case cannot be about, and Conflict
        while one of this kind is open about it.
        """
        account = self._accounts.get(fields["account_id"])
        actor.require_on(Right.TAKEDOWNS_WRITE, self._org.unit(account.unit_id).path)
        kind, owner_id = Kind(fields["kind"]), fields.get("owner_id") or actor.person_id
        problems = _account_problems(account, kind)
        owner, original_id = self._person(owner_id), fields.get("original_id") or account.same_as
        if owner is None or owner.status == Status.LEFT:
            problems.append(
                Problem("owner_id", f"{owner_id} is not among the people here; name somebody who is")
            )
        if original_id and self._accounts.find(original_id) is None:
            problems.append(Problem("original_id", f"there is no account {original_id}"))
        if problems:
            raise InvalidInput(problems)
        change = self._org.begin(actor, [owner_id])
        fields = {**fields, "owner_id": owner_id, "original_id": original_id}
        case = self.open_in(change, account, kind, Harm(fields["harm"]), fields)
        self._kernel.commit(change)
        return case

    def open_in(
        self, change: Change, account: Account, kind: Kind, harm: Harm, fields: Mapping[str, Any]
    ) -> Case:
        """Add a new case to the caller's change, with what the register knows as its first evidence.

        Raises Conflict while a case of this kind is open about the account.
        """
        latest = self.store.latest_of(account.account_id, kind)
        before = self.store.find(latest) if latest else None
        if before is not None and before.is_open:
            raise Conflict(f"case {before.case_id} about this account is open already; go on there")
        case = Case(
            case_id=new_id("case", change.now),
            account_id=account.account_id,
            unit_id=account.unit_id,
            platform=account.platform,
            server=account.server,
            handle=account.handle,
            url=account.url,
            kind=kind,
            harm=harm,
            why=fields.get("why", ""),
            opened_at=change.now,
            opened_by=change.by.person_id,
            owner_id=fields["owner_id"],
            at=change.now,
            original_id=fields.get("original_id"),
            mark_name=fields.get("mark_name", ""),
        )
        case = replace(case, chase_at=change.now + chased_after(case, self.answers_for(case)))
        case = rows.log(change, case, "", case.why)
        record = canonical(to_item(_known_profile(account)))
        case, _ = rows.keep(change, case, EvidenceKind.PROFILE, sha256(record), text=record, name="register")
        rows.put_new(change, case)
        rows.claim_account(change, case, latest)
        self._follow(change, None, case)
        change.chore(CAPTURE, case.case_id)
        self._tell(change, case, [case.owner_id], str(case.state))
        about = f"account#{account.account_id}"
        change.record(_subject(case), "opened", case.why or None, kind=str(kind), harm=str(harm))
        change.record(about, "takedown case opened", case=case.case_id)
        return case

    def step(
        self, actor: Actor, case_id: str, version: int, to: State, reference: str = "", why: str = ""
    ) -> Case:
        """Say what has happened. Raises NotFound, NotAllowed, InvalidInput, and Conflict when the case has
        changed since `version` or the step cannot follow.
        """
        case = _as_seen(self.require(actor, case_id), version)
        change = self._org.begin(actor)
        after = self.move(change, case, to, reference, why)
        self._kernel.commit(change)
        return after

    def move(self, change: Change, case: Case, to: State, reference: str, why: str) -> Case:
        """Add a step to the caller's change. Raises as `model.moved` does."""
        after = moved(case, to, reference, why, change.now, self.answers_for(case))
        if not case.is_open and after.is_open:
            rows.claim_account(
                change, after, case.case_id
            )  # a newer case about it has taken this one's place
        after = rows.log(change, after, reference, why)
        self._follow(change, case, after)
        self._tell_owner(change, after, str(to))
        change.record(_subject(case), str(to), why or None, reference=reference or None)
        return rows.save(change, case, after)

    def amend(self, actor: Actor, case_id: str, version: int, changes: Mapping[str, Any]) -> Case:
        """Give it another harm, owner, original or trademark; a new owner is told, and the next mail moves.

        Raises as `step` does.
        """
        case = _as_seen(self.require(actor, case_id), version)
        after = replace(case, **changes)
        if after == case:
            return case
        if case.owner_id != after.owner_id and self._person(after.owner_id) is None:
            raise InvalidInput([Problem("owner_id", f"there is no person {after.owner_id}")])
        change = self._org.begin(actor, [after.owner_id] if after.owner_id != case.owner_id else [])
        if case.is_open and after.harm != case.harm:
            due_at = case.at + chased_after(after, self.answers_for(case))
            after = replace(after, chases=0, chase_at=max(due_at, change.now))
            change.chore(CHASE, case_id, after.chase_at, key=case_id)
        self._tell_owner(change, after, "amended")
        before, now = to_item(case), to_item(after)
        names = [name for name in changes if before.get(name) != now.get(name)]
        old, new = ({name: item.get(name) for name in names} for item in (before, now))
        change.record(_subject(case), "amended", before=old, after=new)
        after = rows.save(change, case, after)
        self._kernel.commit(change)
        return after

    def note(self, change: Change, case: Case, kind: EvidenceKind, digest: str, **about: Any) -> Evidence:
        """Add an item of evidence to the caller's change; the owner hears of it."""
        after, kept = rows.keep(change, case, kind, digest, **about)
        self._tell_owner(change, after, f"evidence_{kind}")
        change.record(_subject(case), "evidence kept", kind=str(kind), sha256=digest, place=kept.place)
        rows.save(change, case, after)
        return kept

    def save_looked(self, change: Change, case: Case, what: str, tells: str = "") -> Case:
        """Add to the caller's change that an ended case was looked at again."""
        after = replace(case, rechecks=case.rechecks + 1)
        if after.recheck_at is not None:
            change.chore(RECHECK, case.case_id, after.recheck_at, key=case.case_id)
        if tells:
            self._tell(change, after, [case.owner_id], tells)
        change.record(_subject(case), what, recheck=after.rechecks)
        return rows.save(change, case, after)

    def save_chased(self, change: Change, case: Case, after: Case, people: list[str]) -> None:
        """Add to the caller's change that these people are mailed about what is to do."""
        change.chore(CHASE, case.case_id, after.chase_at, key=case.case_id)
        self._tell(change, after, people, "chased")
        change.record(_subject(case), "chased", to=people, mail=after.chases)
        rows.save(change, case, after)

    # What follows from a change

    def _follow(self, change: Change, before: Case | None, after: Case) -> None:
        numbers.follow(change, before, after)
        case_id = after.case_id
        if after.is_open:
            change.chore(CHASE, case_id, after.chase_at, key=case_id)
            if before is not None and not before.is_open:
                change.unschedule(f"{RECHECK}#{case_id}")
            return
        if before is not None and before.is_open:
            change.unschedule(f"{CHASE}#{case_id}")
        if after.recheck_at is not None:
            change.chore(RECHECK, case_id, after.recheck_at, key=case_id)

    def _tell_owner(self, change: Change, case: Case, what: str) -> None:
        """One mail about the change to whoever the case belongs to, unless they made it."""
        if case.owner_id != change.by.person_id:
            self._tell(change, case, [case.owner_id], what)

    def _tell(self, change: Change, case: Case, people: list[str], what: str) -> None:
        for person_id in people:
            place = str(case.steps)
            change.chore(TELL, case.case_id, person=person_id, what=what, step=place, by=change.by.person_id)

    def _person(self, person_id: str) -> Person | None:
        try:
            return self._org.person(person_id) if person_id else None
        except NotFound:
            return None


def _as_seen(case: Case, version: int) -> Case:
    if case.version != version:
        raise Conflict(rows.MEANWHILE, version=case.version)
    return case


def _subject(case: Case) -> str:
    return f"case#{case.case_id}"


def _account_problems(account: Account, kind: Kind) -> list[Problem]:
    """Why a case of this kind cannot be about this account."""
    if account.account_class == AccountClass.RETIRED:
        return [Problem("account_id", "it is retired; its own checklist sees to what is left of it")]
    if kind != Kind.ABANDONED and account.account_class in OURS - {AccountClass.DUPLICATE}:
        message = (
            f"it is {account.account_class}, one of ours; only an abandoned one of ours can be taken down"
        )
        return [Problem("account_id", message)]
    if not account.url:
        return [
            Problem("account_id", "the register has no address of it, and forms ask for one; add its url")
        ]
    return []


def _known_profile(account: Account) -> Profile:
    """What the register knows, as a profile."""
    return Profile(
        external_id=account.external_id,
        handle=account.handle,
        display_name=account.display_name,
        url=account.url,
        followers=account.followers,
        last_post_at=account.last_post_at,
        status=str(account.account_class),
        description=account.description,
        avatar_url=account.avatar_url,
        verified=account.verified,
        opened_at=account.opened_at,
    )
