"""The one object graph: real ports, made lazily, and the services on top of them.

A Lambda pays for what its first event needs, so everything here is imported inside the property that makes
it. Tests build `Services` with a cloud, a clock and a transport of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.core.endpoint_guard import guard_with
from chalicelib.wiring_finding import FindingServices

if TYPE_CHECKING:
    from datetime import timedelta

    from chalicelib.analytics.weeks import Weeks
    from chalicelib.approvals.model import Subject
    from chalicelib.approvals.service import Approvals
    from chalicelib.core.work import Handler, Worker
    from chalicelib.inbox.clocks import Clocks
    from chalicelib.inbox.handing import Handing
    from chalicelib.inbox.numbers import Numbers
    from chalicelib.inbox.numbers_report import Reports
    from chalicelib.inbox.replies import Replies
    from chalicelib.inbox.reply_sender import ReplySender
    from chalicelib.inbox.reply_store import ReplyStore
    from chalicelib.inbox.reply_subject import ReplySubject
    from chalicelib.inbox.reply_tellings import ReplyTellings
    from chalicelib.inbox.rules import Rules
    from chalicelib.inbox.saved import SavedReplies
    from chalicelib.inbox.service import Inbox
    from chalicelib.inbox.settings import InboxSettings
    from chalicelib.inbox.store import InboxStore
    from chalicelib.inbox.tellings import Tellings
    from chalicelib.org.model import Actor
    from chalicelib.platforms.inbound import BackFilling, Polling, Watching
    from chalicelib.platforms.port import Adapter
    from chalicelib.publishing.access import Access
    from chalicelib.publishing.holds import Holds
    from chalicelib.publishing.media import MediaLibrary
    from chalicelib.publishing.publisher import Publisher
    from chalicelib.publishing.reconcile import Reconciler
    from chalicelib.publishing.service import Posts
    from chalicelib.publishing.signoff import PostSubject
    from chalicelib.publishing.stops import Stops
    from chalicelib.publishing.store import PostStore
    from chalicelib.publishing.tidings import Tidings
    from chalicelib.publishing.variants import Variants
    from chalicelib.webhooks.door import Door
    from chalicelib.webhooks.ingest import Ingest
    from chalicelib.webhooks.keys import Keys
    from chalicelib.webhooks.polls import Polls
    from chalicelib.webhooks.profiles import Profiles
    from chalicelib.webhooks.rounds import Rounds
    from chalicelib.webhooks.unknown import Counts, Unknown
    from chalicelib.webhooks.watch import Watchdog


class Services(FindingServices):
    """Every service, by the name people use for it. `cloud` holds the AWS clients."""

    # Approvals and publishing

    @cached_property
    def approvals(self) -> Approvals:
        from chalicelib.approvals.service import Approvals

        return Approvals(self.kernel, self.org, self.links, self.mailer, self.settings, self._subject_of)

    def _subject_of(self, subject: str) -> Subject:
        return self.reply_subject if subject.startswith("reply#") else self.post_subject

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

    # Inbox

    @cached_property
    def inbox(self) -> Inbox:
        from chalicelib.inbox.service import Inbox

        return Inbox(
            self.kernel, self.org, self.accounts, self.inbox_clocks, self.inbox_rules, self.inbox_numbers
        )

    @cached_property
    def inbox_store(self) -> InboxStore:
        from chalicelib.inbox.store import InboxStore

        return InboxStore(self.kernel.database)

    @cached_property
    def inbox_settings(self) -> InboxSettings:
        from chalicelib.inbox.settings import InboxSettings

        return InboxSettings(self.kernel, self.org, lambda: self.accounts)

    @cached_property
    def inbox_rules(self) -> Rules:
        from chalicelib.inbox.rules import Rules

        return Rules(self.inbox_settings)

    @cached_property
    def inbox_numbers(self) -> Numbers:
        from chalicelib.inbox.numbers import Numbers

        return Numbers(self.kernel.database, self.inbox_settings)

    @cached_property
    def inbox_reports(self) -> Reports:
        from chalicelib.inbox.numbers_report import Reports

        return Reports(self.inbox_numbers, self.inbox_store, self.org, lambda: self.accounts, self.clock)

    @cached_property
    def inbox_clocks(self) -> Clocks:
        from chalicelib.inbox.clocks import Clocks
        from chalicelib.inbox.tellings import UnitLine

        line = UnitLine(self.org, self.inbox_settings)
        return Clocks(self.kernel, self.inbox_store, self.inbox_settings, self.inbox_numbers, line)

    @cached_property
    def inbox_tellings(self) -> Tellings:
        from chalicelib.inbox.tellings import Tellings

        return Tellings(self.kernel, self.inbox_store, self.org, self.accounts, self.mailer, self.settings)

    @cached_property
    def handing(self) -> Handing:
        from chalicelib.inbox.handing import Handing
        from chalicelib.inbox.tellings import UnitLine

        line = UnitLine(self.org, self.inbox_settings)
        return Handing(self.inbox_store, self.org, self.accounts, self.mailer, self.settings, line)

    @cached_property
    def reply_store(self) -> ReplyStore:
        from chalicelib.inbox.reply_store import ReplyStore

        return ReplyStore(self.kernel.database)

    @cached_property
    def saved_replies(self) -> SavedReplies:
        from chalicelib.inbox.saved import SavedReplies

        return SavedReplies(self.kernel, self.reply_store, self.org)

    @cached_property
    def replies(self) -> Replies:
        from chalicelib.inbox.replies import Replies
        from chalicelib.platforms import registry

        def adapter(name: str) -> Adapter | None:
            return self.adapters(name) if name in registry.names() else None

        return Replies(
            self.kernel,
            self.inbox_store,
            self.reply_store,
            self.inbox.access,
            self.org,
            self.accounts,
            self.saved_replies,
            self.inbox_clocks,
            lambda unit_id: self.inbox_settings.of(unit_id).replies,
            lambda: self.approvals,
            adapter,
        )

    @cached_property
    def reply_sender(self) -> ReplySender:
        from chalicelib.inbox.reply_sender import ReplySender

        return ReplySender(self.kernel, self.reply_store, self.inbox, self.accounts, self.adapters)

    @cached_property
    def reply_subject(self) -> ReplySubject:
        from chalicelib.inbox.reply_subject import ReplySubject

        return ReplySubject(self.inbox_store, self.reply_store, self.org, self.accounts)

    @cached_property
    def reply_tellings(self) -> ReplyTellings:
        from chalicelib.inbox.reply_tellings import ReplyTellings

        return ReplyTellings(self.reply_store, self.org, self.accounts, self.mailer, self.settings)

    @cached_property
    def stops(self) -> Stops:
        from chalicelib.publishing.stops import Stops

        return Stops(self.kernel, self.post_store, self.accounts)

    @cached_property
    def audience_weeks(self) -> Weeks:
        from chalicelib.analytics.weeks import Weeks

        return Weeks(self.kernel, self.accounts, self.inbox_numbers, self.variants)

    # What comes in

    @cached_property
    def webhook_keys(self) -> Keys:
        from chalicelib.webhooks.keys import Keys

        return Keys(self.secrets, self.settings, self.clock)

    @cached_property
    def door(self) -> Door:
        from chalicelib.platforms import registry
        from chalicelib.webhooks.door import Door

        names = registry.receiving_names()
        return Door(self.webhook_keys, self.kernel.queues, self.clock, names, registry.receiving)

    @cached_property
    def ingest(self) -> Ingest:
        from chalicelib.platforms import registry
        from chalicelib.webhooks.effects import Effects
        from chalicelib.webhooks.ingest import Ingest

        return Ingest(
            self.kernel,
            self.accounts,
            registry.receiving,
            lambda: self.inbox,
            Effects(self.accounts, self.reconciler, self.watchdog.leased),
            self.reconciler,
            self.counts,
            self.watchdog.heard,
        )

    @cached_property
    def counts(self) -> Counts:
        from chalicelib.webhooks.unknown import Counts

        return Counts(self.kernel)

    @cached_property
    def unknown_events(self) -> Unknown:
        from chalicelib.webhooks.unknown import Unknown

        return Unknown(self.kernel, self.counts)

    @cached_property
    def rounds(self) -> Rounds:
        from chalicelib.webhooks.rounds import Rounds

        return Rounds(self.kernel, self.accounts, self.polled_every)

    @cached_property
    def polls(self) -> Polls:
        from chalicelib.platforms import registry
        from chalicelib.webhooks.polls import Polls

        def polling(name: str) -> Polling | None:
            return registry.polling(name, self.http, self.clock, self.sessions)

        return Polls(self.kernel, self.accounts, cache(polling), self.polled_every)

    def polled_every(self, platform: str) -> timedelta | None:
        """How often an account of the platform is polled; None where its events come by themselves."""
        from chalicelib.platforms import registry

        every = registry.polled_every(platform)
        return (self.settings.poll_every or every) if every else None

    @cached_property
    def profiles(self) -> Profiles:
        from chalicelib.webhooks.profiles import Profiles

        return Profiles(self.kernel, self.accounts, self.readers)

    @cached_property
    def watchdog(self) -> Watchdog:
        from chalicelib.platforms import registry
        from chalicelib.webhooks.watch import Watchdog

        def watching(name: str) -> Watching | None:
            return registry.watching(name, self.http, self.clock, self.sessions)

        def back_filling(name: str) -> BackFilling | None:
            return registry.back_filling(name, self.http, self.clock, self.sessions)

        return Watchdog(
            self.kernel, self.accounts, self.webhook_keys, self.settings, cache(watching), cache(back_filling)
        )

    # The workers' tables: entry kind to what handles it

    @cached_property
    def publish_worker(self) -> Worker:
        from datetime import timedelta

        from chalicelib.core.timetable import Lane
        from chalicelib.core.work import Worker

        # What a post needs is read and uploaded before its second; FencedSender waits for that.
        ahead_for = timedelta(seconds=1.5)
        return Worker(self.kernel, Lane.PUBLISH, {"publish": self.publisher.publish}, ahead_for)

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
            "check_reach": lambda: self.approvals.check_reach,
            "tell_unreached": lambda: self.approvals.tell_unreached,
            "schedule_variants": lambda: self.post_subject.schedule_variants,
            "withdraw_variants": lambda: self.post_subject.withdraw_variants,
            "forget_credentials": lambda: self.accounts.forget_credentials,
            "reconcile": lambda: self.reconciler.reconcile,
            "count_hold": lambda: count_hold,
            "tell_outcome": lambda: self.tidings.tell_outcome,
            "tell_credentials_refused": lambda: self.tidings.tell_credentials_refused,
            "tell_account": lambda: self.tidings.tell_account,
            "hold_account": lambda: self.stops.hold_account,
            "start_rounds": lambda: self.rounds.start,
            "poll_account": lambda: self.polls.poll,
            "watch_account": lambda: self.watchdog.watch,
            "read_profile": lambda: self.profiles.read,
            "clock_rings": lambda: self.inbox_clocks.ring,
            "tell_clock": lambda: self.inbox_tellings.tell_clock,
            "tell_passed_up": lambda: self.handing.tell_passed_up,
            "tell_named": lambda: self.handing.tell_named,
            "send_reply": lambda: self.reply_sender.send,
            "reconcile_reply": lambda: self.reply_sender.reconcile,
            "tell_reply": lambda: self.reply_tellings.tell_reply,
            "count_published": lambda: self.audience_weeks.count_published,
            **self.register_chores(),
            **self.finding_chores(),
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
