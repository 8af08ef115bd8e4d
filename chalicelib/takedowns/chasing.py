"""The chores of cases: mails until they end, looks after that, and cases that open by themselves."""

from dataclasses import replace
from datetime import timedelta

from chalicelib.accounts.model import AccountClass
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict, SignalboxError
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.records import to_item
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.platforms.errors import RateLimited
from chalicelib.takedowns.chain import canonical, sha256
from chalicelib.takedowns.ladder import Ladder
from chalicelib.takedowns.looks import CannotLook, Looks, There, is_there
from chalicelib.takedowns.model import RECHECKED_AFTER, Case, EvidenceKind, Harm, Kind, State, chased, rungs
from chalicelib.takedowns.service import Takedowns

_TRIES = 3  # reads that fail before a person is asked to look
_LOOK_AGAIN_FOR = timedelta(hours=6)


class Chasing:
    def __init__(
        self, kernel: Kernel, accounts: Accounts, takedowns: Takedowns, ladder: Ladder, looks: Looks
    ) -> None:
        self._kernel = kernel
        self._accounts = accounts
        self._takedowns = takedowns
        self._ladder = ladder
        self._looks = looks

    def chase_case(self, claim: Claim) -> bool | None:
        """Mail whoever has to act on an open case, further up the longer it waits, and set the next time."""
        case = self._takedowns.store.find(claim.entry.ref)
        if case is None or not case.is_open or case.chase_at is None:
            return None
        change = self._kernel.change(BY_JOB)
        if case.chase_at > change.now:
            raise Later(case.chase_at)
        people = self._ladder.people(case, rungs(case), change.now)
        after = chased(case, change.now, self._takedowns.answers_for(case))
        self._takedowns.save_chased(change, case, after, people)
        self._kernel.commit(change)
        return True  # the change put the same entry on the timetable for the next time

    def recheck_case(self, claim: Claim) -> bool | None:
        """Look whether what was removed is back, and then reopen; ask a person where we cannot look."""
        case = self._takedowns.store.find(claim.entry.ref)
        if case is None or case.recheck_at is None:
            return None
        if case.recheck_at > self._kernel.clock.now():
            raise Later(case.recheck_at)
        match self._there(claim, case):
            case There.YES if case.outcome == State.REMOVED:
                self._move(
                    case, State.REOPENED, f"the profile was there again on the look after {_days(case)} days"
                )
            case There.GONE if case.outcome == State.REFUSED:
                self._move(case, State.REMOVED, f"the profile was gone on the look after {_days(case)} days")
            case There.GONE:
                self._note_looked(case, "looked: gone", "")
            case There.YES:
                self._note_looked(case, "looked: still there", "still_there")
            case _:
                self._note_looked(case, "a person was asked to look", "please_look")
        return True

    def open_case_for_impostor(self, claim: Claim) -> None:
        """Open a case about an account that was told to be an impostor, or reopen the one that had ended.

        `owner_id`, `original_id` and `harm` may be among the entry's args.
        """
        account = self._accounts.find(claim.entry.ref)
        if account is None or account.account_class != AccountClass.ROGUE or not account.url:
            return
        args = claim.entry.args
        latest = self._takedowns.store.latest_of(account.account_id, Kind.IMPERSONATION)
        before = self._takedowns.store.find(latest) if latest else None
        if before is not None and before.is_open:
            return
        if before is not None and before.outcome == State.REMOVED:
            self._move(before, State.REOPENED, "the account was found again and told to be an impostor")
            return
        change = self._kernel.change(BY_JOB)
        original_id = args.get("original_id") or account.same_as
        original = self._accounts.find(original_id) if original_id else None
        preferred = [args.get("owner_id", ""), original.owner_id if original else ""]
        fields = {
            "owner_id": self._ladder.owner_for(preferred, account.unit_id, change.now),
            "original_id": original.account_id if original else None,
            "why": args.get("why", ""),
        }
        harm = Harm(args["harm"]) if args.get("harm") in set(Harm) else Harm.MEDIUM
        try:
            self._takedowns.open_in(change, account, Kind.IMPERSONATION, harm, fields)
            self._kernel.commit(change)
        except Conflict:
            return  # somebody opened one meanwhile

    def capture_profile(self, claim: Claim) -> None:
        """Keep what the network says of the profile now as evidence, where anybody may read it."""
        case = self._takedowns.store.find(claim.entry.ref)
        account = self._accounts.find(case.account_id) if case else None
        if case is None or account is None or not case.is_open:
            return
        try:
            profile = self._looks.profile(account)
        except CannotLook:
            return  # what the register knew was kept when the case was opened
        except RateLimited as limited:
            raise Later(limited.until) from limited
        if is_there(profile) == There.GONE:
            return
        record = canonical(to_item(profile))
        change = self._kernel.change(BY_JOB)
        about = {"text": record, "name": case.platform}
        self._takedowns.note(change, case, EvidenceKind.PROFILE, sha256(record), **about)
        self._kernel.commit(change)

    def _there(self, claim: Claim, case: Case) -> There:
        account = self._accounts.find(case.account_id)
        if account is None:
            return There.UNSURE
        try:
            return is_there(self._looks.profile(account))
        except CannotLook:
            return There.UNSURE
        except RateLimited as limited:
            raise Later(limited.until) from limited
        except SignalboxError as error:
            tries = int(claim.entry.args.get("tries", "0")) + 1
            if tries >= _TRIES:
                return There.UNSURE
            again_at = self._kernel.clock.now() + _LOOK_AGAIN_FOR
            raise Later(again_at, {**claim.entry.args, "tries": str(tries)}) from error

    def _move(self, case: Case, to: State, why: str) -> None:
        change = self._kernel.change(BY_JOB)
        self._takedowns.move(change, case, to, "", why)
        self._kernel.commit(change)

    def _note_looked(self, case: Case, what: str, tells: str) -> None:
        change = self._kernel.change(BY_JOB)
        last = case.rechecks + 1 >= len(RECHECKED_AFTER)
        if what == "looked: gone" and last and case.state == State.REMOVED:
            looked = replace(case, rechecks=case.rechecks + 1)
            self._takedowns.move(change, looked, State.CLOSED, "", "still gone at the last look")
        else:
            self._takedowns.save_looked(change, case, what, tells)
        self._kernel.commit(change)


def _days(case: Case) -> int:
    return RECHECKED_AFTER[case.rechecks].days
