"""Accounts and their credentials, which are tried out by reading the profile before they are kept.

They are kept in SSM and nowhere else: no row, answer, log line or error has one.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from chalicelib.accounts import store as rows
from chalicelib.accounts.model import Account, AccountStatus, plain_handle
from chalicelib.core.clock import to_text
from chalicelib.core.errors import Conflict, InvalidInput, Misconfigured, NotFound, Problem
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Kernel
from chalicelib.core.records import to_item
from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings
from chalicelib.org.model import Actor, Status, Unit
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms.errors import AdapterError, AuthExpired, Rejected
from chalicelib.platforms.port import AccountRef, Adapter, Profile

_CACHED_FOR = timedelta(minutes=5)  # how long another function may hold on to replaced credentials
_MOST_SECRET_BYTES = 4096  # of a standard SSM parameter


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
        accounts = self._store.get_many([place.rsplit("#", 1)[1] for place in places[:limit]])
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
        for kind in ("accounts", "sessions"):
            self._secrets.prefetch(self._settings.secret_path(kind, a) for a in ids)

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

    # Changing

    def add(self, actor: Actor, fields: Mapping[str, Any]) -> Account:
        """A new account from forms.NewAccount's fields; its profile is read with its credentials first.

        Raises InvalidInput when they do not work or are another profile's, Conflict when the account is here
        already, and what else the adapter raises; nothing is left behind then.
        """
        unit = self._unit(fields["unit_id"])
        actor.require_on(Right.ACCOUNTS_WRITE, unit.path)
        adapter = self._adapters(fields["platform"])
        server = fields.get("server") or adapter.traits.default_server
        credentials = dict(fields["credentials"])
        problems = [*self._server_problems(server), *_secret_problems(credentials)]
        problems += self._people_problems({f: fields.get(f) for f in ("owner_id", "backup_id")})
        if problems:
            raise InvalidInput(problems)
        account_id = new_id("account", self._kernel.clock.now())
        handle = plain_handle(fields["handle"], server)
        profile = self._profile(
            adapter, AccountRef(account_id, fields["platform"], handle, server, "", credentials)
        )
        if plain_handle(profile.handle, server).casefold() != handle.casefold():
            message = f"these credentials belong to {profile.handle}, not to {handle}; use those of {handle}"
            raise InvalidInput([Problem("credentials", message)])
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
        change.put(rows.TABLE, rows.account_item(account), where("attribute_not_exists(pk)"))
        change.record(f"account#{account_id}", "added", unit_id=unit.unit_id, owner_id=account.owner_id)
        self._kernel.commit(change)
        self._keep(account, credentials, "was added")
        return account

    def change(self, actor: Actor, account_id: str, changes: Mapping[str, Any]) -> Account:
        """Change unit_id, owner_id, backup_id, purpose, audience, or retire it with status.

        Needs accounts.write where the account is, and where it goes.
        """
        before = self._store.get(account_id)
        actor.require_on(Right.ACCOUNTS_WRITE, self._org.unit(before.unit_id).path, account_id)
        after = replace(before, **changes)
        if after == before:
            return before
        if after.unit_id != before.unit_id:
            actor.require_on(Right.ACCOUNTS_WRITE, self._unit(after.unit_id).path)
        people = {f: changes[f] for f in ("owner_id", "backup_id") if f in changes}
        problems = self._people_problems(people)
        if problems:
            raise InvalidInput(problems)
        return self._saved(actor, people.values(), before, after, "changed")

    def replace_credentials(self, actor: Actor, account_id: str, credentials: Mapping[str, str]) -> Account:
        """Keep new credentials for the same profile; the account is active again, a retired one too.

        Raises as `add` does; the old credentials stay then.
        """
        before = self._store.get(account_id)
        actor.require_on(Right.ACCOUNTS_WRITE, self._org.unit(before.unit_id).path, account_id)
        problems = _secret_problems(credentials)
        if problems:
            raise InvalidInput(problems)
        adapter = self._adapters(before.platform)
        profile = self._profile(adapter, before.ref(dict(credentials)))
        if profile.external_id != before.external_id:
            message = (
                f"these credentials belong to another profile, {profile.handle}; use those of {before.handle}"
            )
            raise InvalidInput([Problem("credentials", message)])
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
        return self._saved(actor, (), before, after, "credentials replaced")

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
        self._kernel.commit(change)
        return saved

    def _keep(self, account: Account, credentials: Mapping[str, str], so: str) -> None:
        try:
            self._secrets.put(account.credentials_path, credentials)
        except Exception as error:
            again = f"send them again to /v1/accounts/{account.account_id}/credentials"
            message = f"{account.handle} {so}, but its credentials could not be stored; {again}"
            raise Misconfigured(message) from error

    def _profile(self, adapter: Adapter, ref: AccountRef) -> Profile:
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


def _secret_problems(credentials: Mapping[str, str]) -> list[Problem]:
    size = len(json.dumps(dict(credentials)))
    if size <= _MOST_SECRET_BYTES:
        return []
    return [
        Problem("credentials", f"they take {size} bytes; the most that can be kept is {_MOST_SECRET_BYTES}")
    ]
