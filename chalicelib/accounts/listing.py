"""Changing the record: an account is noted, amended, confirmed, and what a read says of it is written down.

`amend` is the one way in which a record changes: the invariants, the address, the history row and the entry
that asks for the next confirmation are all in it.
"""

from dataclasses import replace
from datetime import datetime, time
from typing import Any

from chalicelib.accounts import store as rows
from chalicelib.accounts.directory import Directory, default_server
from chalicelib.accounts.model import (
    ASKED_BEFORE_FOR,
    CONFIRMED_FOR,
    MOVES,
    Account,
    AccountClass,
    AccountStatus,
    changed,
    plain_handle,
    problems_of,
)
from chalicelib.core.errors import Conflict, InvalidInput
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change
from chalicelib.core.records import to_item
from chalicelib.core.timetable import Entry, Lane
from chalicelib.platforms.port import Activity, Profile

CONFIRM = "confirm_account"
_WITHOUT = (AccountStatus.RETIRED, AccountStatus.LISTED)  # credentials that may be used


class Listing(Directory):
    """The record's changes, each joined to a change that the caller commits, or made alone."""

    def note(
        self,
        by: By,
        platform: str,
        server: str,
        handle: str,
        *,
        account_class: AccountClass,
        unit_id: str,
        owner_id: str = "",
        profile: Profile | None = None,
        why: str | None = None,
        **fields: Any,
    ) -> Account:
        """A listed account at an address; the one that is there already comes back as it is.

        Without a server it is on the network's own. Raises InvalidInput for a record that cannot be.
        """
        for _ in range(2):  # once more if somebody noted the same one meanwhile
            known = self._known(platform, server, handle, profile)
            if known is not None:
                return known
            change = self._kernel.change(by)
            noted = self.note_in(
                change, platform, server, handle, account_class=account_class, unit_id=unit_id,
                owner_id=owner_id, profile=profile, why=why, **fields,
            )  # fmt: skip
            try:
                self._kernel.commit(change)
            except Conflict:
                continue
            return noted
        raise Conflict(f"{handle} on {platform} was being listed by somebody else; try again in a moment")

    def note_in(
        self,
        change: Change,
        platform: str,
        server: str,
        handle: str,
        *,
        account_class: AccountClass,
        unit_id: str,
        owner_id: str = "",
        profile: Profile | None = None,
        why: str | None = None,
        **fields: Any,
    ) -> Account:
        """Add a new listed account to a change; the commit raises Conflict if its address is known.

        `fields` are any others of the record. Raises InvalidInput for a record that cannot be.
        """
        at = server or default_server(platform)
        is_retired = account_class == AccountClass.RETIRED
        facts = facts_of(profile, at) if profile else {}
        given = {"external_id": "", "display_name": "", "url": "", "followers": None, **facts, **fields}
        account = Account(
            **{
                "account_id": new_id("account", change.now),
                "platform": platform,
                "server": at,
                "handle": plain_handle(handle, at),
                "api_version": None,
                "unit_id": unit_id,
                "owner_id": owner_id,
                "backup_id": None,
                "purpose": "",
                "audience": "",
                "credentials_path": "",
                "credentials_at": change.now,
                "created_at": change.now,
                "status": AccountStatus.RETIRED if is_retired else AccountStatus.LISTED,
                "account_class": account_class,
                "first_seen_at": change.now,
                "last_seen_at": change.now if profile else None,
                **given,
            }
        )
        return self._put(change, account, "listed", why)

    def _put(self, change: Change, account: Account, what: str, why: str | None = None) -> Account:
        """Add a new record to a change: it, its address and its profile, its history and its next asking."""
        if account.is_standing:
            account = replace(account, confirm_by_at=change.now + CONFIRMED_FOR)
        problems = problems_of(account)
        if problems:
            raise InvalidInput(problems)
        rows.claim_address(change, account)
        if account.external_id:
            rows.claim_profile(change, account)
        change.put(rows.TABLE, rows.account_item(account), where("attribute_not_exists(pk)"))
        said = {name: value for name, value in to_item(account).items() if value not in ("", [])}
        for name in ("account_id", "version", "credentials_path", "credentials_at", "created_at"):
            said.pop(name, None)
        change.record(f"account#{account.account_id}", what, why, **said)
        if account.is_standing:
            schedule_asking(change, account)
        return account

    def _known(self, platform: str, server: str, handle: str, profile: Profile | None) -> Account | None:
        found = self.at_address(platform, server, handle)
        if found is None and profile is not None:
            return self.of_external(platform, profile.external_id)
        return found

    def amend(
        self,
        change: Change,
        before: Account,
        *,
        what: str = "changed",
        why: str | None = None,
        **changes: Any,
    ) -> Account:
        """Add the new record to a change, with its history; the account itself, if nothing differs.

        The commit raises Conflict when somebody else's change came between, or the new address or profile is
        another account's. Raises InvalidInput for a move between classes that there is not, and for a record
        that cannot be. At most one amendment of an account to a change.
        """
        after = changed(before, changes)
        if after.is_standing and after.confirm_by_at is None:
            after = replace(after, confirm_by_at=change.now + CONFIRMED_FOR)
            if after == replace(before, confirm_by_at=after.confirm_by_at):
                return before
        if after == before:
            return before
        if rows.address_of(after) != rows.address_of(before):
            change.delete(rows.TABLE, rows.address_of(before))
            rows.claim_address(change, after)
        if rows.profile_of(after) != rows.profile_of(before):
            if before.external_id:
                change.delete(rows.TABLE, rows.profile_of(before))
            rows.claim_profile(change, after)
        saved = rows.save(change, before, after)
        was, became = difference(before, saved)
        if before.account_class != after.account_class:
            why = why or MOVES[before.account_class, after.account_class]
        change.record(f"account#{before.account_id}", what, why, before=was, after=became)
        if before.status != after.status:
            self._forget_or_not(change, before, after)
        if after.is_usable and not before.is_usable:
            change.emit("AccountConnected", after.account_id)
        self._ask_anew(change, before, after)
        return saved

    def unlist(self, change: Change, account: Account, why: str) -> None:
        """Add to a change that a candidate leaves the register: it, its address and its profile; its history
        stays.

        The commit raises Conflict when somebody else changed it meanwhile.
        """
        meanwhile = Conflict("somebody else changed this account just now; look again")
        seen = where("version = :v", v=account.version)
        change.delete(rows.TABLE, rows.account_key(account.account_id), seen, meanwhile)
        change.delete(rows.TABLE, rows.address_of(account))
        if account.external_id:
            change.delete(rows.TABLE, rows.profile_of(account))
        change.record(f"account#{account.account_id}", "taken off the register", why)

    def confirm(self, change: Change, account: Account, by_person_id: str, **changes: Any) -> Account:
        """Add to a change that somebody stands by the record, with what they corrected in it.

        The next confirmation is due half a year from now, and a review ends. Raises as `amend` does.
        """
        return self.amend(
            change,
            account,
            what="confirmed",
            **changes,
            confirmed_at=change.now,
            confirmed_by=by_person_id,
            confirm_by_at=change.now + CONFIRMED_FOR,
            under_review_at=None,
        )

    def seen(self, account: Account, said: Profile | Activity, at: datetime) -> Account:
        """Write down what a read at that time said; a history row only where the record differs by it.

        Raises Conflict when the profile at the address is not the one it was, is another account's, or
        somebody else changed the account meanwhile.
        """
        facts = facts_of(said, account.server)
        other = str(facts.get("external_id") or account.external_id)
        if account.external_id and other != account.external_id:
            raise Conflict(
                f"the profile {account.handle} on {account.platform} is another one now ({other}, and it was "
                f"{account.external_id}): somebody else may have taken the name; look at it there"
            )
        if _is_known_better(account.last_post_at, said):
            facts.pop("last_post_at")
        facts |= {"unreadable_since": None, "unreadable_why": ""}
        if all(getattr(account, name) == value for name, value in facts.items()):
            self._store.mark_seen(account.account_id, at)
            return replace(account, last_seen_at=at)
        change = self._kernel.change(BY_JOB)
        after = self.amend(change, account, what="read", **facts, last_seen_at=at)
        self._kernel.commit(change)
        return after

    def unreadable(self, account: Account, why: str, at: datetime) -> Account:
        """Write down that a read failed, for `why` in plain words; only the first of a row is a change.

        Raises Conflict when somebody else changed the account meanwhile.
        """
        if account.unreadable_since is not None and account.unreadable_why == why:
            return account
        change = self._kernel.change(BY_JOB)
        since = account.unreadable_since or at
        after = self.amend(
            change, account, what="not readable", why=why, unreadable_since=since, unreadable_why=why
        )
        self._kernel.commit(change)
        return after

    def _forget_or_not(self, change: Change, before: Account, after: Account) -> None:
        """Retired: a chore deletes the secrets. In use again: it is called off, unless it is at it."""
        if not before.credentials_path:
            return
        if after.status == AccountStatus.RETIRED:
            change.chore("forget_credentials", after.account_id, key=after.account_id)
        elif before.status in _WITHOUT and after.status not in _WITHOUT:
            off = self._kernel.timetable.cancel(f"forget_credentials#{after.account_id}", change.now)
            busy = Conflict(f"the old credentials of {after.handle} are being deleted; try again in a minute")
            change.add(replace(off, when=where("attribute_not_exists(owner)"), otherwise=busy))

    def _ask_anew(self, change: Change, before: Account, after: Account) -> None:
        """Keep the one entry that asks for the confirmation where the record says that it should be."""
        if not after.is_standing:
            if before.is_standing:
                change.unschedule(entry_id_of(after.account_id))
        elif not before.is_standing or (
            (before.confirm_by_at, before.owner_id) != (after.confirm_by_at, after.owner_id)
        ):
            schedule_asking(change, after)


def schedule_asking(change: Change, account: Account) -> None:
    """Have the owner asked in time before the confirmation is due; now, if that has passed or failed."""
    assert account.confirm_by_at is not None, "what we stand by has a date"
    ask_at = account.confirm_by_at - ASKED_BEFORE_FOR
    due_at = change.now if account.under_review_at else max(change.now, ask_at)
    entry_id = entry_id_of(account.account_id)
    change.schedule(Entry(entry_id, Lane.CHORES, CONFIRM, account.account_id, due_at))


def entry_id_of(account_id: str) -> str:
    """The id of the one entry that asks for an account's confirmation."""
    return f"{CONFIRM}#{account_id}"


def facts_of(said: Profile | Activity, server: str) -> dict[str, Any]:
    """The fields of a record that a read fills; what the network did not say is left out."""
    facts: dict[str, Any] = {"followers": said.followers, "last_post_at": said.last_post_at}
    if isinstance(said, Profile):
        facts |= {
            "external_id": said.external_id,
            "handle": plain_handle(said.handle, server),
            "display_name": said.display_name,
            "url": said.url,
            "description": said.description,
            "avatar_url": said.avatar_url,
            "verified": said.verified,
            "opened_at": said.opened_at,
        }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def _is_known_better(known: datetime | None, said: Profile | Activity) -> bool:
    """Whether a read tells by the day what is known to the moment.

    A profile may do so, and count answers and boosts too: a later day there is no news of own posts.
    """
    told = said.last_post_at
    if told is None or known is None or told.time() != time.min or known.time() == time.min:
        return False
    return isinstance(said, Profile) or told.date() == known.date()


def difference(before: Account, after: Account) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, as they were and as they are; None where there was or is nothing."""
    old, new = to_item(before), to_item(after)
    fields = sorted({f for f in old.keys() | new.keys() if old.get(f) != new.get(f)} - {"version"})
    return {f: old.get(f) for f in fields}, {f: new.get(f) for f in fields}
