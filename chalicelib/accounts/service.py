"""Accounts, as everything else in the box knows them: the record, and whether it can be used now.

What is read is in directory.py, the record's changes in listing.py, credentials in connecting.py; here is
what a person asks for, and what a network says of an account.
"""

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.accounts import store as rows
from chalicelib.accounts.connecting import Connecting
from chalicelib.accounts.directory import default_server
from chalicelib.accounts.model import Account, AccountStatus, changed
from chalicelib.core.clock import to_text
from chalicelib.core.errors import Conflict, InvalidInput, Problem
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.kernel import Change
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right

_NETWORKS_WORD = ("handle", "display_name", "url")
_COMES_BACK: Mapping[AccountStatus, str] = {
    AccountStatus.RETIRED: "a retired account comes back with new credentials",
    AccountStatus.CREDENTIALS_REFUSED: "it needs credentials that work; send new ones",
    AccountStatus.LISTED: "it has no credentials; send some",
}


class Accounts(Connecting):
    """The accounts of the company, and what is known of others'."""

    def list_new(self, actor: Actor, fields: Mapping[str, Any]) -> Account:
        """List an account without credentials, from forms.NewListing's fields.

        Raises InvalidInput with every problem, NotAllowed, and Conflict when its address is known.
        """
        actor.require_on(Right.REGISTER_WRITE, self._unit(fields["unit_id"]).path)
        problems = self.listing_problems(fields)
        if problems:
            raise InvalidInput(problems)
        change = self._org.begin(actor, {fields["owner_id"], fields.get("backup_id")})
        account = self.note_in(change, **fields)
        self._kernel.commit(change)
        return account

    def listing_problems(self, fields: Mapping[str, Any]) -> list[Problem]:
        """What is wrong with the fields of a new listing beyond their form."""
        problems = self.server_problems(fields.get("server") or default_server(fields["platform"]))
        return problems + self._people_problems({f: fields.get(f) for f in ("owner_id", "backup_id")})

    def change(
        self, actor: Actor, account_id: str, changes: Mapping[str, Any], why: str | None = None
    ) -> Account:
        """Change what forms.AccountChange has: retire it, say what it is to us, or that its network has
        lifted a restriction.

        Needs accounts.write where the account is, and where it goes. The credentials and the session of a
        retired account are deleted: the chore that does it is part of the change.
        """
        before = self._store.get(account_id)
        self.require_change(actor, before, changes)
        problems = self.change_problems(before, changes)
        if problems:
            raise InvalidInput(problems)
        people = {changes[f] for f in ("owner_id", "backup_id") if f in changes}
        change = self._org.begin(actor, people)
        after = self.amend(change, before, why=why, **changes)
        if after != before:
            self._kernel.commit(change)
        return after

    def require_change(self, actor: Actor, before: Account, changes: Mapping[str, Any]) -> None:
        """Raise NotAllowed unless they may change the account where it is and where it goes."""
        actor.require_on(Right.ACCOUNTS_WRITE, self._org.unit(before.unit_id).path, before.account_id)
        unit_id = changes.get("unit_id", before.unit_id)
        if unit_id != before.unit_id:
            actor.require_on(Right.ACCOUNTS_WRITE, self._unit(unit_id).path)

    def change_problems(self, before: Account, changes: Mapping[str, Any]) -> list[Problem]:
        """What stands against a change that a person asks for; empty if nothing does."""
        people = {f: changes[f] for f in ("owner_id", "backup_id") if f in changes}
        problems = rule_problems(before, changes) + self._people_problems(people)
        other = changes.get("same_as")
        if other and self._store.find(other) is None:
            problems.append(Problem("same_as", f"there is no account {other}"))
        return problems

    def confirm_by_person(self, actor: Actor, account_id: str) -> Account:
        """Its owner, its backup, or who may change it says that its record is right.

        Raises NotAllowed, and Conflict for one that is not ours.
        """
        account = self._store.get(account_id)
        if actor.person_id not in (account.owner_id, account.backup_id):
            path = self._org.unit(account.unit_id).path
            actor.require_on(Right.REGISTER_WRITE, path, account_id)
        if not account.is_ours:
            raise Conflict(f"{account.handle} is {account.account_class}; say first that it is official")
        change = self._org.begin(actor)
        after = self.confirm(change, account, actor.person_id)
        self._kernel.commit(change)
        return after

    # What a network says

    def quiet(self, account_id: str, until: datetime) -> None:
        """The network asked not to be called before `until`; an earlier wish does not shorten a later one."""
        change = self._kernel.change(BY_JOB)
        change.update(
            rows.TABLE,
            rows.account_key(account_id),
            where("SET quiet_until = :u", u=to_text(until)),
            where("attribute_exists(pk) AND (attribute_not_exists(quiet_until) OR quiet_until < :u)",
                  u=to_text(until)),
        )  # fmt: skip
        change.record(f"account#{account_id}", "asked to wait", until=to_text(until))
        with contextlib.suppress(Conflict):  # it waits as long already
            self._kernel.commit(change)

    def credentials_refused(self, by: By, account_id: str, why: str) -> None:
        """The network no longer takes the credentials: mark it and tell, once for any number of refusals."""
        change = self._kernel.change(by)
        change.update(
            rows.TABLE,
            rows.account_key(account_id),
            where("SET status = :refused ADD version :one", refused=AccountStatus.CREDENTIALS_REFUSED, one=1),
            where("status = :active", active=AccountStatus.ACTIVE),
        )
        change.record(f"account#{account_id}", "credentials refused", why)
        change.emit("CredentialsRefused", account_id)
        with contextlib.suppress(Conflict):  # marked already, or retired
            self._kernel.commit(change)

    def stop(self, change: Change, account: Account, status: AccountStatus, why: str) -> None:
        """Mark an active account that its network took from us or restricted; what is due on it is held.

        The commit raises Conflict if it is not active any more.
        """
        change.update(
            rows.TABLE,
            rows.account_key(account.account_id),
            where("SET status = :to ADD version :one", to=status, one=1),
            where("status = :active", active=AccountStatus.ACTIVE),
        )
        change.record(f"account#{account.account_id}", f"stopped: {status}", why)
        change.emit("AccountStopped", account.account_id, what=str(status), why=why)


def rule_problems(before: Account, changes: Mapping[str, Any]) -> list[Problem]:
    """What no person may change in an account as it is, whoever they are; nothing is read for it."""
    status, problems = changes.get("status"), []
    if status == AccountStatus.ACTIVE and before.status in _COMES_BACK:
        problems.append(Problem("status", _COMES_BACK[before.status]))
    if before.status != AccountStatus.LISTED:
        told = [n for n in _NETWORKS_WORD if n in changes and changes[n] != getattr(before, n)]
        problems += [Problem(n, "it is connected, so this is as its network says it") for n in told]
    try:
        changed(before, changes)
    except InvalidInput as refusal:
        problems += refusal.problems
    return problems
