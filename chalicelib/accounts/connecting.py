"""Accounts get credentials, which are tried out by reading the profile before they are kept.

They are kept in SSM and nowhere else: no row, answer, log line or error has one.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from chalicelib.accounts.listing import Listing
from chalicelib.accounts.model import Account, AccountClass, AccountStatus, plain_handle
from chalicelib.core.errors import InvalidInput, Misconfigured, NotFound, Problem
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Kernel
from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.work import Later
from chalicelib.org.model import Actor, Status, Unit
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AdapterError, AuthExpired, Rejected
from chalicelib.platforms.port import AccountRef, Adapter, Profile, Reading

_STILL_WORKS_FOR = timedelta(minutes=2)  # a worker that began before a retirement may yet store a session
_CACHED_FOR = timedelta(minutes=5)  # how long another function may hold on to replaced credentials
_MOST_SECRET_BYTES = 4096  # of a standard SSM parameter


@dataclass(frozen=True)
class _Network:
    """What trying out credentials takes; `read` is None where a profile is believed as it is told.

    `always`: its accounts have credentials, and are read.
    """

    name: str
    default_server: str
    version: str | None
    always: bool
    read: Callable[[AccountRef], Profile] | None


class Connecting(Listing):
    """`adapters` and `readers` give what reads a network's profiles by name: `readers` of the networks that
    are heard from and not published to, whose profiles are believed as they are told without it.
    """

    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        secrets: Secrets,
        adapters: Callable[[str], Adapter],
        settings: Settings,
        readers: Callable[[str], Reading] | None = None,
    ) -> None:
        super().__init__(kernel, org)
        self._secrets = secrets
        self._adapters = adapters
        self._settings = settings
        self._readers = readers

    # For adapters

    def ref(self, account: Account) -> AccountRef:
        """The account with its credentials. Raises Misconfigured where there are none."""
        if not account.credentials_path:
            where_to = f"/v1/accounts/{account.account_id}/credentials"
            raise Misconfigured(f"{account.handle} is listed without credentials; send some to {where_to}")
        if self._kernel.clock.now() - account.credentials_at < _CACHED_FOR:
            self._secrets.forget(account.credentials_path)
        return account.ref(self._secrets.get(account.credentials_path))

    def prefetch(self, account_ids: Iterable[str]) -> None:
        """Read the credentials and sessions of a batch with few calls."""
        ids = sorted(account_ids)
        for kind in ("accounts", "sessions"):  # one call is about one path, as the functions' policies are
            self._secrets.prefetch(self._settings.secret_path(kind, account_id) for account_id in ids)

    # Connecting

    def add(self, actor: Actor, fields: Mapping[str, Any]) -> Account:
        """A new account from forms.NewAccount's fields; its profile is read with its credentials first, where
        the network's profiles can be read.

        Raises InvalidInput when they do not work, are another profile's, or the network says that the profile
        is not active; Conflict when the account is here already, and what else the adapter raises. Nothing is
        left behind then.
        """
        unit = self._unit(fields["unit_id"])
        actor.require_on(Right.ACCOUNTS_WRITE, unit.path)
        credentials = dict(fields["credentials"])
        network = self._network(fields["platform"], credentials)
        server = fields.get("server") or network.default_server
        problems = [*self.server_problems(server), *_secret_problems(credentials)]
        problems += self._people_problems({f: fields.get(f) for f in ("owner_id", "backup_id")})
        problems += _id_problems(network, fields.get("external_id"))
        if problems:
            raise InvalidInput(problems)
        account_id = new_id("account", self._kernel.clock.now())
        told = AccountRef(
            account_id, fields["platform"], plain_handle(fields["handle"], server), server,
            fields.get("external_id") or "", credentials,
        )  # fmt: skip
        profile = self._proven(network, told)
        change = self._org.begin(actor, {fields["owner_id"], fields.get("backup_id")})
        account = Account(
            account_id=account_id,
            platform=fields["platform"],
            server=server,
            handle=told.handle,
            display_name=profile.display_name,
            external_id=profile.external_id,
            url=profile.url,
            followers=profile.followers,
            api_version=credentials.get("api_version") or None,
            unit_id=unit.unit_id,
            owner_id=fields["owner_id"],
            backup_id=fields.get("backup_id"),
            purpose=fields.get("purpose", ""),
            audience=fields.get("audience", ""),
            credentials_path=self._settings.secret_path("accounts", account_id),
            credentials_at=change.now,
            created_at=change.now,
            description=profile.description,
            avatar_url=profile.avatar_url,
            verified=profile.verified,
            opened_at=profile.opened_at,
            first_seen_at=change.now,
            last_seen_at=change.now if network.read else None,
            last_post_at=profile.last_post_at,
        )
        account = self._put(change, account, "added")
        change.emit("AccountConnected", account_id)
        self._kernel.commit(change)
        self._keep(account, credentials, "was added")
        return account

    def replace_credentials(self, actor: Actor, account_id: str, credentials: Mapping[str, str]) -> Account:
        """Keep new credentials for the same profile, or a listed one's first; the account is active then,
        a retired one too.

        Raises as `add` does, the old credentials stay then; and Conflict while those of a retired account are
        being deleted.
        """
        before = self._store.get(account_id)
        actor.require_on(Right.ACCOUNTS_WRITE, self._org.unit(before.unit_id).path, account_id)
        problems = _secret_problems(credentials)
        if not before.is_ours and before.account_class != AccountClass.RETIRED:
            message = f"it is {before.account_class}; say first that it is official"
            problems.append(Problem("account_class", message))
        network = self._network(before.platform, credentials)
        if network.read is None and not before.external_id:
            problems += _id_problems(network, None)
        if problems:
            raise InvalidInput(problems)
        profile = self._proven(network, before.ref(dict(credentials)))
        is_new = before.status in (AccountStatus.RETIRED, AccountStatus.LISTED)
        if not is_new:
            self._keep(before, credentials, "is unchanged")
        change = self._org.begin(actor)
        saved = self.amend(
            change,
            before,
            what="credentials replaced",
            status=AccountStatus.ACTIVE,
            external_id=profile.external_id,
            credentials_path=before.credentials_path or self._settings.secret_path("accounts", account_id),
            credentials_at=change.now,
            handle=plain_handle(profile.handle, before.server),
            display_name=profile.display_name,
            url=profile.url,
            followers=profile.followers,
            api_version=credentials.get("api_version") or None,
        )
        if saved == before:  # twice at one moment: the secret is what differs
            change.record(f"account#{account_id}", "credentials replaced")
        self._kernel.commit(change)
        if is_new:  # only now: until the commit, the chore of its retirement could delete them
            self._keep(saved, credentials, "is active again")
        return saved

    def forget_credentials(self, claim: Claim) -> None:
        """Delete the credentials and the session of an account that is retired, and look once more later."""
        account = self._store.get(claim.entry.ref)
        if account.status not in (AccountStatus.RETIRED, AccountStatus.LISTED):
            return
        self._secrets.delete(account.credentials_path)
        self._secrets.delete(self._settings.secret_path("sessions", account.account_id))
        if not claim.entry.args:
            raise Later(self._kernel.clock.now() + _STILL_WORKS_FOR, {"again": "yes"})

    def _keep(self, account: Account, credentials: Mapping[str, str], so: str) -> None:
        try:
            self._secrets.put(account.credentials_path, credentials)
        except Exception as error:
            again = f"send them again to /v1/accounts/{account.account_id}/credentials"
            message = f"{account.handle} {so}, but its credentials could not be stored; {again}"
            raise Misconfigured(message) from error

    def _network(self, platform: str, credentials: Mapping[str, str]) -> _Network:
        heard = registry.inbound_only(platform)
        if heard is None:
            adapter = self._adapters(platform)
            traits = adapter.traits
            return _Network(traits.name, traits.default_server, traits.version, True, adapter.profile)
        if self._readers is None or not credentials or platform not in registry.reading_names():
            return _Network(heard.name, heard.default_server, heard.version, False, None)
        version = registry.read_traits(platform).version
        read = self._readers(platform).profile
        return _Network(heard.name, heard.default_server, version, False, read)

    def _proven(self, network: _Network, ref: AccountRef) -> Profile:
        """The profile that the credentials belong to, which is the one that was named, and active."""
        if network.read is None:
            return Profile(ref.external_id, ref.handle, ref.handle, "", None, None, "active")
        try:
            profile = network.read(ref)
        except (AuthExpired, Rejected) as error:
            message = f"{network.name} does not take them for {ref.handle}: {error.message}"
            raise InvalidInput([Problem("credentials", message)]) from error
        except AdapterError as error:
            where_at = f"{ref.handle} on {urlsplit(ref.server).netloc}"
            error.message = (
                f"The profile of {where_at} could not be read, so nothing was changed: {error.message}"
            )
            raise
        profile = replace(profile, handle=profile.handle or ref.handle)
        instead = f"use those of {ref.handle}"
        if ref.external_id and profile.external_id != ref.external_id:
            message = f"these credentials belong to another profile, {profile.handle}; {instead}"
            raise InvalidInput([Problem("credentials", message)])
        if (
            not ref.external_id
            and plain_handle(profile.handle, ref.server).casefold() != ref.handle.casefold()
        ):
            message = f"these credentials belong to {profile.handle}, not to {ref.handle}; {instead}"
            raise InvalidInput([Problem("credentials", message)])
        if profile.status != "active":
            message = (
                f"{network.name} says that the profile {ref.handle} is {profile.status}, so nothing can be "
                f"published there; put that right on {network.name} and try again"
            )
            raise InvalidInput([Problem("credentials", message)])
        return profile

    # What was sent, checked

    def _unit(self, unit_id: str) -> Unit:
        try:
            return self._org.unit(unit_id)
        except NotFound as error:
            raise InvalidInput([Problem("unit_id", error.message)]) from error

    def _people_problems(self, people: Mapping[str, str | None]) -> list[Problem]:
        told = ((field, self.person_problem(person_id)) for field, person_id in people.items() if person_id)
        return [Problem(field, message) for field, message in told if message]

    def person_problem(self, person_id: str) -> str:
        """Why somebody cannot look after an account; empty if they can."""
        try:
            person = self._org.person(person_id)
        except NotFound as error:
            return error.message
        return f"{person.name} has left; name somebody who is here" if person.status == Status.LEFT else ""

    def server_problems(self, server: str) -> list[Problem]:
        """Why nothing can be called there; empty if it can."""
        parts = urlsplit(server)
        if (parts.scheme == "https" and parts.port is None) or parts.netloc in self._settings.allowed_hosts:
            return []
        return [Problem("server", "only https addresses on the usual port are called")]


def _id_problems(network: _Network, external_id: str | None) -> list[Problem]:
    if network.always and external_id:
        return [Problem("external_id", f"leave it out: it is read from the profile on {network.name}")]
    if network.read is None and not external_id:
        message = f"without credentials the profile is not read: give {network.name}'s own id of it"
        return [Problem("external_id", message)]
    return []


def _secret_problems(credentials: Mapping[str, str]) -> list[Problem]:
    size = len(json.dumps(dict(credentials)))
    if size <= _MOST_SECRET_BYTES:
        return []
    return [
        Problem("credentials", f"they take {size} bytes; the most that can be kept is {_MOST_SECRET_BYTES}")
    ]
