"""The one object graph: real ports, made lazily, and the services on top of them.

A Lambda pays for what its first event needs, so everything here is imported inside the property that makes
it. Tests build `Services` with a cloud, a clock and a transport of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.core.endpoint_guard import guard_with
from chalicelib.wiring_changes import ChangesServices

if TYPE_CHECKING:
    from datetime import timedelta

    from chalicelib.core.work import Handler, Worker
    from chalicelib.org.model import Actor
    from chalicelib.platforms.inbound import BackFilling, Polling, Watching
    from chalicelib.webhooks.door import Door
    from chalicelib.webhooks.ingest import Ingest
    from chalicelib.webhooks.keys import Keys
    from chalicelib.webhooks.polls import Polls
    from chalicelib.webhooks.profiles import Profiles
    from chalicelib.webhooks.rounds import Rounds
    from chalicelib.webhooks.unknown import Unknown
    from chalicelib.webhooks.watch import Watchdog


class Services(ChangesServices):
    """Every service, by the name people use for it. `cloud` holds the AWS clients."""

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
            return registry.polling(name, self.hearing(name), self.clock, self.sessions)

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
            return registry.watching(name, self.hearing(name), self.clock, self.sessions)

        def back_filling(name: str) -> BackFilling | None:
            return registry.back_filling(name, self.hearing(name), self.clock, self.sessions)

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
            **self.changes_chores(),
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
