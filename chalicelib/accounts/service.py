"""Accounts and their credentials, which are tried out by reading the profile before they are kept.

They are kept in SSM and nowhere else: no row, answer, log line or error has one.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from chalicelib.accounts import store as rows
from chalicelib.accounts.model import Account, AccountStatus, plain_handle
from chalicelib.core.clock import to_text
from chalicelib.core.database import Read
from chalicelib.core.errors import Conflict, InvalidInput, Misconfigured, NotFound, Problem
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.records import to_item
from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.org.model import Actor, Status, Unit
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AdapterError, AuthExpired, Rejected
from chalicelib.platforms.port import AccountRef, Adapter, Profile

_STILL_WORKS_FOR = timedelta(minutes=2)  # a worker that began before a retirement may yet store a session
_CACHED_FOR = timedelta(minutes=5)  # how long another function may hold on to replaced credentials
_MOST_SECRET_BYTES = 4096  # of a standard SSM parameter
_LONGEST_ID = 500  # of a profile; what is longer is no profile's


class Accounts:
    """`adapters` gives a network's adapter by name; it is only asked to read profiles."""

    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        secrets: Secrets,
        adapters: Callable[[str], Adapter],
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._secrets = secrets
        self._adapters = adapters
        self._settings = settings
        self._store = rows.Store(kernel.database)

    # Reading

    def find(self, account_id: str) -> Account | None:
        return self._store.find(account_id)

    def get(self, account_id: str) -> Account:
        """Raises NotFound."""
        return self._store.get(account_id)

    def get_many(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """Those that exist, by id, in one request for every hundred."""
        return self._store.get_many(account_ids)

    def of_external(self, platform: str, external_id: str) -> Account | None:
        """The account of a network's profile; None where there is none, or several servers have that id."""
        if not 0 < len(external_id) <= _LONGEST_ID:
            return None
        found = self._store.of_external(platform, external_id)
        return found[0] if len(found) == 1 else None

    def everyone(self) -> Iterator[Account]:
        """Every account that is not retired, a hundred to a read."""
        ids = [place.rsplit("#", 1)[1] for place in self._store.places()]
        for start in range(0, len(ids), 100):
            for account in self._store.get_many(ids[start : start + 100]).values():
                if account.status != AccountStatus.RETIRED:
                    yield account

    def to_read(self, account_id: str) -> Read[Account]:
        """The account, to be read together with other rows. Raises NotFound then."""
        return rows.account_read(account_id)

    def visible(self, actor: Actor, account_id: str) -> Account:
        """The account, for somebody who may read it. Raises NotFound or NotAllowed."""
        account = self._store.get(account_id)
        actor.require_on(Right.ACCOUNTS_READ, self._org.unit(account.unit_id).path, account_id)
        return account

    def page(
        self,
        actor: Actor,
        limit: int,
        after: str = "",
        unit_id: str | None = None,
        platform: str | None = None,
    ) -> tuple[list[Account], str | None]:
        """A page of what the actor may read, of a unit and all below it, and where the next starts."""
        paths = {unit.unit_id: unit.path for unit in self._org.units()}
        if unit_id is not None and unit_id not in paths:
            raise NotFound(f"there is no unit {unit_id}")

        def wanted(place: str) -> bool:
            in_unit, on, account_id = place.split("#")
            path = paths.get(in_unit, ())
            return (
                place > after
                and (unit_id is None or unit_id in path)
                and (platform is None or platform == on)
                and actor.may(Right.ACCOUNTS_READ, path, account_id)
            )

        places = [place for place in self._store.places() if wanted(place)]
        wanted_ids = [place.rsplit("#", 1)[1] for place in places[:limit]]
        found = self._store.get_many(wanted_ids)
        accounts = [found[account_id] for account_id in wanted_ids if account_id in found]
        return accounts, places[limit - 1] if len(places) > limit else None

    # For adapters

    def ref(self, account: Account) -> AccountRef:
        """The account with its credentials. Raises Misconfigured where there are none."""
        if self._kernel.clock.now() - account.credentials_at < _CACHED_FOR:
            self._secrets.forget(account.credentials_path)
        return account.ref(self._secrets.get(account.credentials_path))

    def prefetch(self, account_ids: Iterable[str]) -> None:
        """Read the credentials and sessions of a batch with few calls."""
        ids = sorted(account_ids)
        self._secrets.prefetch(
            self._settings.secret_path(k, a) for k in ("accounts", "sessions") for a in ids
        )

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

    # Changing

    def add(self, actor: Actor, fields: Mapping[str, Any]) -> Account:
        """A new account from forms.NewAccount's fields; its profile is read with its credentials first, where
        the network's profiles can be read.

        Raises InvalidInput when they do not work, are another profile's, or the network says that the profile
        is not active; Conflict when the account is here already, and what else the adapter raises. Nothing is
        left behind then.
        """
        unit = self._unit(fields["unit_id"])
        actor.require_on(Right.ACCOUNTS_WRITE, unit.path)
        adapter = self._adapter(fields["platform"])
        server = fields.get("server") or adapter.traits.default_server
        credentials = dict(fields["credentials"])
        problems = [*self._server_problems(server), *_secret_problems(credentials)]
        problems += self._people_problems({f: fields.get(f) for f in ("owner_id", "backup_id")})
        problems += _profile_problems(adapter, fields)
        if problems:
            raise InvalidInput(problems)
        account_id = new_id("account", self._kernel.clock.now())
        handle = plain_handle(fields["handle"], server)
        told = fields.get("external_id") or ""
        profile = self._profile(
            adapter, AccountRef(account_id, fields["platform"], handle, server, told, credentials)
        )
        if plain_handle(profile.handle, server).casefold() != handle.casefold():
            message = f"these credentials belong to {profile.handle}, not to {handle}; use those of {handle}"
            raise InvalidInput([Problem("credentials", message)])
        _check_active(adapter, handle, profile)
        change = self._org.begin(actor, {fields["owner_id"], fields.get("backup_id")})
        account = Account(
            account_id=account_id,
            platform=fields["platform"],
            server=server,
            handle=handle,
            display_name=profile.display_name,
            external_id=profile.external_id,
            url=profile.url,
            followers=profile.followers,
            api_version=adapter.traits.version,
            unit_id=unit.unit_id,
            owner_id=fields["owner_id"],
            backup_id=fields.get("backup_id"),
            purpose=fields.get("purpose", ""),
            audience=fields.get("audience", ""),
            credentials_path=self._settings.secret_path("accounts", account_id),
            credentials_at=change.now,
            created_at=change.now,
        )
        rows.claim_address(change, account)
        rows.claim_profile(change, account)
        change.put(rows.TABLE, rows.account_item(account), where("attribute_not_exists(pk)"))
        change.record(f"account#{account_id}", "added", unit_id=unit.unit_id, owner_id=account.owner_id)
        change.emit("AccountConnected", account_id)
        self._kernel.commit(change)
        self._keep(account, credentials, "was added")
        return account

    def change(self, actor: Actor, account_id: str, changes: Mapping[str, Any]) -> Account:
        """Change unit_id, owner_id, backup_id, purpose, audience; or its status: retire it, or say that its
        network has lifted a restriction.

        Needs accounts.write where the account is, and where it goes. The credentials and the session of a
        retired account are deleted: the chore that does it is part of the change.
        """
        before = self._store.get(account_id)
        actor.require_on(Right.ACCOUNTS_WRITE, self._org.unit(before.unit_id).path, account_id)
        after = replace(before, **changes)
        if after == before:
            return before
        if after.status == AccountStatus.ACTIVE and before.status == AccountStatus.RETIRED:
            raise InvalidInput([Problem("status", "a retired account comes back with new credentials")])
        if after.status == AccountStatus.ACTIVE and before.status == AccountStatus.CREDENTIALS_REFUSED:
            raise InvalidInput([Problem("status", "it needs credentials that work; send new ones")])
        if after.unit_id != before.unit_id:
            actor.require_on(Right.ACCOUNTS_WRITE, self._unit(after.unit_id).path)
        people = {f: changes[f] for f in ("owner_id", "backup_id") if f in changes}
        problems = self._people_problems(people)
        if problems:
            raise InvalidInput(problems)
        return self._saved(actor, people.values(), before, after, "changed")

    def replace_credentials(self, actor: Actor, account_id: str, credentials: Mapping[str, str]) -> Account:
        """Keep new credentials for the same profile; the account is active again, a retired one too.

        Raises as `add` does, the old credentials stay then; and Conflict while those of a retired account are
        being deleted.
        """
        before = self._store.get(account_id)
        actor.require_on(Right.ACCOUNTS_WRITE, self._org.unit(before.unit_id).path, account_id)
        problems = _secret_problems(credentials)
        if problems:
            raise InvalidInput(problems)
        adapter = self._adapter(before.platform)
        profile = self._profile(adapter, before.ref(dict(credentials)))
        if profile.external_id != before.external_id:
            message = (
                f"these credentials belong to another profile, {profile.handle}; use those of {before.handle}"
            )
            raise InvalidInput([Problem("credentials", message)])
        _check_active(adapter, before.handle, profile)
        is_back = before.status == AccountStatus.RETIRED
        if not is_back:
            self._keep(before, credentials, "is unchanged")
        after = replace(
            before,
            status=AccountStatus.ACTIVE,
            credentials_at=self._kernel.clock.now(),
            handle=plain_handle(profile.handle, before.server),
            display_name=profile.display_name,
            url=profile.url,
            followers=profile.followers,
            api_version=adapter.traits.version,
        )
        saved = self._saved(actor, (), before, after, "credentials replaced")
        if is_back:  # only now: until the commit, the chore of its retirement could delete them
            self._keep(saved, credentials, "is active again")
        return saved

    def forget_credentials(self, claim: Claim) -> None:
        """Delete the credentials and the session of an account that is retired, and look once more later."""
        account = self._store.get(claim.entry.ref)
        if account.status != AccountStatus.RETIRED:
            return
        self._secrets.delete(account.credentials_path)
        self._secrets.delete(self._settings.secret_path("sessions", account.account_id))
        if not claim.entry.args:
            raise Later(self._kernel.clock.now() + _STILL_WORKS_FOR, {"again": "yes"})

    def _saved(
        self, actor: Actor, here: Iterable[str | None], before: Account, after: Account, what: str
    ) -> Account:
        change = self._org.begin(actor, here)
        if rows.address_key(after) != rows.address_key(before):
            change.delete(rows.TABLE, rows.address_key(before))
            rows.claim_address(change, after)
        saved = rows.save(change, before, after)
        old, new = to_item(before), to_item(saved)
        fields = sorted({f for f in old.keys() | new.keys() if old.get(f) != new.get(f)} - {"version"})
        was, became = ({f: item.get(f) for f in fields} for item in (old, new))
        change.record(f"account#{before.account_id}", what, before=was, after=became)
        if before.status != after.status and AccountStatus.RETIRED in (before.status, after.status):
            self._forget_or_not(change, after)
        if before.status != after.status and after.status == AccountStatus.ACTIVE:
            change.emit("AccountConnected", after.account_id)
        self._kernel.commit(change)
        return saved

    def _forget_or_not(self, change: Change, after: Account) -> None:
        """Retired: a chore deletes the secrets. Back again: it is called off, unless it has them in hand."""
        if after.status == AccountStatus.RETIRED:
            change.chore("forget_credentials", after.account_id, key=after.account_id)
            return
        off = self._kernel.timetable.cancel(f"forget_credentials#{after.account_id}", change.now)
        busy = Conflict(f"the old credentials of {after.handle} are being deleted; try again in a minute")
        change.add(replace(off, when=where("attribute_not_exists(owner)"), otherwise=busy))

    def _keep(self, account: Account, credentials: Mapping[str, str], so: str) -> None:
        try:
            self._secrets.put(account.credentials_path, credentials)
        except Exception as error:
            again = f"send them again to /v1/accounts/{account.account_id}/credentials"
            message = f"{account.handle} {so}, but its credentials could not be stored; {again}"
            raise Misconfigured(message) from error

    def _adapter(self, platform: str) -> "Adapter | _Unread":
        heard = registry.inbound_only(platform)
        return _Unread(heard) if heard else self._adapters(platform)

    def _profile(self, adapter: "Adapter | _Unread", ref: AccountRef) -> Profile:
        try:
            return adapter.profile(ref)
        except (AuthExpired, Rejected) as error:
            message = f"{adapter.traits.name} does not take them for {ref.handle}: {error.message}"
            raise InvalidInput([Problem("credentials", message)]) from error
        except AdapterError as error:
            where_at = f"{ref.handle} on {urlsplit(ref.server).netloc}"
            error.message = (
                f"The profile of {where_at} could not be read, so nothing was changed: {error.message}"
            )
            raise

    def _unit(self, unit_id: str) -> Unit:
        try:
            return self._org.unit(unit_id)
        except NotFound as error:
            raise InvalidInput([Problem("unit_id", error.message)]) from error

    def _people_problems(self, people: Mapping[str, str | None]) -> list[Problem]:
        problems = []
        for field, person_id in people.items():
            if person_id is None:
                continue
            try:
                person = self._org.person(person_id)
            except NotFound as error:
                problems.append(Problem(field, error.message))
            else:
                if person.status == Status.LEFT:
                    problems.append(Problem(field, f"{person.name} has left; name somebody who is here"))
        return problems

    def _server_problems(self, server: str) -> list[Problem]:
        parts = urlsplit(server)
        if (parts.scheme == "https" and parts.port is None) or parts.netloc in self._settings.allowed_hosts:
            return []
        return [Problem("server", "only https addresses on the usual port are called")]


class _Unread:
    """Stands for the adapter of a network whose profiles cannot be read yet: it believes what it is told."""

    def __init__(self, known: registry.InboundOnly) -> None:
        self.traits = known

    def profile(self, ref: AccountRef) -> Profile:
        return Profile(ref.external_id, ref.handle, ref.handle, "", None, None, "active")


def _profile_problems(adapter: Adapter | _Unread, fields: Mapping[str, Any]) -> list[Problem]:
    name = adapter.traits.name
    if isinstance(adapter, _Unread):
        if not fields.get("external_id"):
            message = f"Signalbox cannot read profiles of {name} yet: give {name}'s own id of this one"
            return [Problem("external_id", message)]
        return []
    if fields.get("external_id"):
        return [Problem("external_id", f"leave it out: it is read from the profile on {name}")]
    return []


def _check_active(adapter: Adapter | _Unread, handle: str, profile: Profile) -> None:
    if profile.status != "active":
        message = (
            f"{adapter.traits.name} says that the profile {handle} is {profile.status}, so nothing can be "
            f"published there; put that right on {adapter.traits.name} and try again"
        )
        raise InvalidInput([Problem("credentials", message)])


def _secret_problems(credentials: Mapping[str, str]) -> list[Problem]:
    size = len(json.dumps(dict(credentials)))
    if size <= _MOST_SECRET_BYTES:
        return []
    return [
        Problem("credentials", f"they take {size} bytes; the most that can be kept is {_MOST_SECRET_BYTES}")
    ]
