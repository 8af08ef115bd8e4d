"""The one object graph: real ports, made lazily, and the services on top of them.

A Lambda pays for what its first event needs, so everything here is imported inside the property that makes
it. Tests build `Services` with a cloud, a clock and a transport of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.core.endpoint_guard import guard_with
from chalicelib.core.settings import Settings, stage

if TYPE_CHECKING:
    from chalicelib.accounts.service import Accounts
    from chalicelib.accounts.sessions import SsmSessions
    from chalicelib.approvals.service import Approvals
    from chalicelib.core.clock import Clock
    from chalicelib.core.dispatch import Dispatcher
    from chalicelib.core.history import History
    from chalicelib.core.http import HttpClient
    from chalicelib.core.idempotency import Idempotency
    from chalicelib.core.kernel import Kernel
    from chalicelib.core.links import Links
    from chalicelib.core.mail import Mailer
    from chalicelib.core.secrets import Secrets
    from chalicelib.core.work import Handler, Worker
    from chalicelib.org.model import Actor
    from chalicelib.org.service import Org
    from chalicelib.platforms.port import Adapter
    from chalicelib.publishing.access import Access
    from chalicelib.publishing.holds import Holds
    from chalicelib.publishing.media import MediaLibrary
    from chalicelib.publishing.publisher import Publisher
    from chalicelib.publishing.reconcile import Reconciler
    from chalicelib.publishing.service import Posts
    from chalicelib.publishing.signoff import PostSubject
    from chalicelib.publishing.store import PostStore
    from chalicelib.publishing.tidings import Tidings
    from chalicelib.publishing.variants import Variants


class Services:
    """Every service, by the name people use for it. `cloud` holds the AWS clients."""

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
    def dispatcher(self) -> Dispatcher:
        from chalicelib.core.dispatch import Dispatcher

        return Dispatcher(self.kernel)

    # People, accounts, platforms

    @cached_property
    def org(self) -> Org:
        from chalicelib.org.service import Org

        return Org(self.kernel)

    @cached_property
    def sessions(self) -> SsmSessions:
        from chalicelib.accounts.sessions import SsmSessions

        return SsmSessions(self.secrets, self.settings)

    @cached_property
    def adapters(self) -> Callable[[str], Adapter]:
        from chalicelib.platforms import registry

        return cache(lambda name: registry.adapter(name, self.http, self.clock, self.sessions))

    @cached_property
    def accounts(self) -> Accounts:
        from chalicelib.accounts.service import Accounts
        from chalicelib.accounts.sessions import NoSessions
        from chalicelib.platforms import registry

        def trying_out(name: str) -> Adapter:
            return registry.adapter(name, self.http, self.clock, NoSessions())

        return Accounts(self.kernel, self.org, self.secrets, trying_out, self.settings)

    # Approvals and publishing

    @cached_property
    def approvals(self) -> Approvals:
        from chalicelib.approvals.service import Approvals

        return Approvals(self.kernel, self.org, self.links, self.mailer, self.settings, self._subject_of)

    def _subject_of(self, subject: str) -> PostSubject:
        return self.post_subject

    @cached_property
    def post_store(self) -> PostStore:
        from chalicelib.publishing.store import PostStore

        return PostStore(self.kernel.database)

    @cached_property
    def media(self) -> MediaLibrary:
        from chalicelib.core.objects import Objects
        from chalicelib.publishing.media import MediaLibrary

        return MediaLibrary(self.kernel, Objects(self._cloud.s3, self.settings.media_bucket))

    @cached_property
    def publisher(self) -> Publisher:
        from chalicelib.publishing.publisher import Publisher

        return Publisher(self.kernel, self.post_store, self.accounts, self.org, self.media, self.adapters)

    @cached_property
    def reconciler(self) -> Reconciler:
        from chalicelib.publishing.reconcile import Reconciler

        return Reconciler(self.kernel, self.post_store, self.accounts, self.publisher, self.adapters)

    @cached_property
    def post_subject(self) -> PostSubject:
        from chalicelib.publishing.signoff import PostSubject

        return PostSubject(self.kernel, self.post_store, self.org, self.accounts, self.media)

    @cached_property
    def posts(self) -> Posts:
        from chalicelib.publishing.service import Posts

        return Posts(
            self.kernel,
            self.history,
            self.post_store,
            self.org,
            self.accounts,
            lambda: self.approvals,
            self.media,
            self.publisher,
            self.adapters,
        )

    @cached_property
    def variants(self) -> Variants:
        from chalicelib.publishing.variants import Variants

        return Variants(self.kernel, self.post_store)

    @cached_property
    def holds(self) -> Holds:
        from chalicelib.publishing.holds import Holds

        return Holds(self.kernel, self.post_store)

    @cached_property
    def access(self) -> Access:
        from chalicelib.publishing.access import Access

        return Access(self.post_store, self.org, self.accounts)

    @cached_property
    def tidings(self) -> Tidings:
        from chalicelib.publishing.tidings import Tidings

        return Tidings(self.kernel, self.post_store, self.org, self.accounts, self.mailer, self.settings)

    # The workers' tables: entry kind to what handles it

    @cached_property
    def publish_worker(self) -> Worker:
        from chalicelib.core.timetable import Lane
        from chalicelib.core.work import Worker

        return Worker(self.kernel, Lane.PUBLISH, {"publish": self.publisher.publish})

    @cached_property
    def chores_worker(self) -> Worker:
        from chalicelib.core.timetable import Lane
        from chalicelib.core.work import Worker

        return Worker(self.kernel, Lane.CHORES, self._chores())

    def _chores(self) -> Mapping[str, Handler]:
        def count_hold(claim: Any) -> None:
            self.holds.count(claim, lambda unit_id: self.org.unit(unit_id).path)

        handlers: dict[str, Callable[[], Handler]] = {
            "ask_approvers": lambda: self.approvals.ask_approvers,
            "mail_code": lambda: self.approvals.mail_code,
            "tell_author": lambda: self.approvals.tell_author,
            "schedule_variants": lambda: self.post_subject.schedule_variants,
            "withdraw_variants": lambda: self.post_subject.withdraw_variants,
            "reconcile": lambda: self.reconciler.reconcile,
            "count_hold": lambda: count_hold,
            "tell_outcome": lambda: self.tidings.tell_outcome,
            "tell_credentials_refused": lambda: self.tidings.tell_credentials_refused,
        }
        return {kind: _on_first_use(handler) for kind, handler in handlers.items()}

    # What endpoints ask of their gatekeeper

    def identify(self, token: str) -> Actor:
        return self.org.identify(token)

    def once(self, key: str, fingerprint: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return self.idempotency.once(key, fingerprint, make)


def _on_first_use(find: Callable[[], Handler]) -> Handler:
    """A handler whose service is made, and its modules loaded, by the first entry that needs it."""

    def handle(claim: Any) -> bool | None:
        return find()(claim)

    return handle


_services: Services | None = None


def services() -> Services:
    """This process's services, made on first use."""
    global _services  # noqa: PLW0603 - one graph per process, made on first use
    if _services is None:
        from chalicelib.core.cloud import AwsClock, Cloud

        clock = AwsClock()
        _services = Services(Cloud(clock), clock)
    return _services


def use(made: Services | None) -> None:
    """Serve from these services from now on; tests and the admin command bring their own."""
    global _services  # noqa: PLW0603 - one graph per process, made on first use
    _services = made


def delete_messages(lane: str, receipt_handles: list[str]) -> None:
    services().kernel.queues.delete(lane, receipt_handles)


guard_with(services)
