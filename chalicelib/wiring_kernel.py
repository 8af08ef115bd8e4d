"""The foot of the object graph: the kernel, people and accounts, which every room stands on.

wiring.py says what the graph is for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.core.settings import Settings, stage

if TYPE_CHECKING:
    from chalicelib.accounts.service import Accounts
    from chalicelib.accounts.sessions import SsmSessions
    from chalicelib.core.clock import Clock
    from chalicelib.core.dispatch import Dispatcher
    from chalicelib.core.history import History
    from chalicelib.core.http import HttpClient
    from chalicelib.core.idempotency import Idempotency
    from chalicelib.core.kernel import Kernel
    from chalicelib.core.links import Links
    from chalicelib.core.mail import Mailer
    from chalicelib.core.secrets import Secrets
    from chalicelib.org.bounces import Bounces
    from chalicelib.org.service import Org
    from chalicelib.platforms.port import Adapter, Reading
    from chalicelib.platforms.signals import Signal


class KernelServices:
    """What every room stands on. `cloud` holds the AWS clients."""

    def __init__(
        self, cloud: Any, clock: Clock, http: HttpClient | None = None, of_stage: str | None = None
    ) -> None:
        self._cloud = cloud
        self._stage = of_stage or stage()
        self._http = http
        self.clock = clock

    # The kernel

    @cached_property
    def settings(self) -> Settings:
        path = f"/signalbox/{self._stage}/settings"
        pages = self._cloud.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
        found = {p["Name"].rsplit("/", 1)[1]: p["Value"] for page in pages for p in page["Parameters"]}
        return Settings.from_parameters(self._stage, found)

    @cached_property
    def kernel(self) -> Kernel:
        from chalicelib.core.database import Database
        from chalicelib.core.kernel import Kernel
        from chalicelib.core.queues import Queues
        from chalicelib.subscriptions import SUBSCRIPTIONS

        database = Database(self._cloud.dynamodb, self.settings, self.clock.sleep)
        return Kernel(database, Queues(self._cloud.sqs, self.settings), self.clock, SUBSCRIPTIONS)

    @cached_property
    def history(self) -> History:
        from chalicelib.core.history import History

        return History(self.kernel.database)

    @cached_property
    def links(self) -> Links:
        from chalicelib.core.links import Links

        return Links(self.kernel.database)

    @cached_property
    def secrets(self) -> Secrets:
        from chalicelib.core.secrets import Secrets

        return Secrets(self._cloud.ssm, self.settings, self.clock)

    @cached_property
    def mailer(self) -> Mailer:
        from chalicelib.core.mail import Mailer

        return Mailer(self._cloud.sesv2, self.settings)

    @cached_property
    def idempotency(self) -> Idempotency:
        from chalicelib.core.idempotency import Idempotency

        return Idempotency(self._cloud.dynamodb, self.settings)

    @cached_property
    def http(self) -> HttpClient:
        from chalicelib.core.http import HttpClient

        return self._http or HttpClient(self.clock, allowed_hosts=self.settings.allowed_hosts)

    @cached_property
    def hearing(self) -> Callable[[str], HttpClient]:
        """What calls a network and listens to what its answers say of changes there."""
        from chalicelib.platforms import registry
        from chalicelib.platforms.hearing import Hearing

        def of(name: str) -> HttpClient:
            return Hearing(self.http, self.clock, name, registry.signs(name), self.heard)

        return cache(of)

    def heard(self, signal: Signal) -> None:
        """What becomes of a sign of a change; wiring_changes.py says."""
        raise NotImplementedError

    @cached_property
    def dispatcher(self) -> Dispatcher:
        from chalicelib.core.dispatch import Dispatcher

        return Dispatcher(self.kernel)

    # People, accounts, platforms

    @cached_property
    def org(self) -> Org:
        from chalicelib.org.service import Org

        return Org(self.kernel)

    @cached_property
    def bounces(self) -> Bounces:
        from chalicelib.org.bounces import Bounces

        return Bounces(self.kernel)

    @cached_property
    def sessions(self) -> SsmSessions:
        from chalicelib.accounts.sessions import SsmSessions

        return SsmSessions(self.secrets, self.settings)

    @cached_property
    def adapters(self) -> Callable[[str], Adapter]:
        from chalicelib.platforms import registry

        return cache(lambda name: registry.adapter(name, self.hearing(name), self.clock, self.sessions))

    @cached_property
    def accounts(self) -> Accounts:
        from chalicelib.accounts.service import Accounts
        from chalicelib.accounts.sessions import NoSessions
        from chalicelib.platforms import registry

        def trying_out(name: str) -> Adapter:
            return registry.adapter(name, self.hearing(name), self.clock, NoSessions())

        def reading(name: str) -> Reading:
            return registry.reading(name, self.hearing(name), self.clock, NoSessions())

        return Accounts(self.kernel, self.org, self.secrets, trying_out, self.settings, reading)
