"""The part of the object graph that is about the register: its rooms, and the chores they handle.

`wiring.Services` is made of it; what it stands on is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING

from chalicelib.wiring_kernel import KernelServices

if TYPE_CHECKING:
    from chalicelib.accounts.confirm_page import ConfirmPage
    from chalicelib.accounts.confirmations import Confirmations
    from chalicelib.accounts.exchange import Exchange
    from chalicelib.accounts.public import PublicRegister
    from chalicelib.analytics.service import Audience
    from chalicelib.core.work import Handler
    from chalicelib.dormancy.page import ReviewPage
    from chalicelib.dormancy.reads import Reads
    from chalicelib.dormancy.reviews import Reviews
    from chalicelib.dormancy.service import Dormancy
    from chalicelib.dormancy.standards import Standards
    from chalicelib.dormancy.tellings import Tellings as DormancyTellings
    from chalicelib.inventory.adding import Adding
    from chalicelib.inventory.answers import Answers
    from chalicelib.inventory.asking import Asking as InventoryAsking
    from chalicelib.inventory.page import RoundPage
    from chalicelib.inventory.people import People as InventoryPeople
    from chalicelib.inventory.report import Reports
    from chalicelib.inventory.rounds import Rounds
    from chalicelib.inventory.tellings import RoundTellings
    from chalicelib.platforms.port import Reading, ReadTraits


class RegisterServices(KernelServices):
    """The services of the register's rooms."""

    # The record

    @cached_property
    def exchange(self) -> Exchange:
        from chalicelib.accounts.exchange import Exchange

        return Exchange(self.kernel, self.org, self.accounts)

    @cached_property
    def confirmations(self) -> Confirmations:
        from chalicelib.accounts.confirmations import Confirmations

        return Confirmations(self.kernel, self.org, self.accounts, self.links, self.mailer, self.settings)

    @cached_property
    def confirm_page(self) -> ConfirmPage:
        from chalicelib.accounts.confirm_page import ConfirmPage

        return ConfirmPage(self.confirmations, self.settings)

    @cached_property
    def public_register(self) -> PublicRegister:
        from chalicelib.accounts.public import PublicRegister

        return PublicRegister(self.accounts, self.org, self.clock)

    # Reading

    @cached_property
    def readers(self) -> Callable[[str], Reading | None]:
        """What reads a network's profiles, by its name; None for one that nobody can read."""
        from chalicelib.platforms import registry

        def reader(name: str) -> Reading | None:
            if name not in registry.reading_names():
                return None
            return registry.reading(name, self.hearing(name), self.clock, self.sessions)

        return cache(reader)

    def read_traits(self, name: str) -> ReadTraits | None:
        """What reading profiles of a network takes; None for one that nobody can read."""
        from chalicelib.platforms import registry

        return registry.read_traits(name) if name in registry.reading_names() else None

    # Dormant accounts

    @cached_property
    def dormancy(self) -> Dormancy:
        from chalicelib.dormancy.service import Dormancy

        return Dormancy(self.kernel, self.org, self.accounts, self.dormancy_reviews)

    @cached_property
    def dormancy_standards(self) -> Standards:
        from chalicelib.dormancy.standards import Standards

        return Standards(self.kernel, self.org)

    @cached_property
    def dormancy_reviews(self) -> Reviews:
        from chalicelib.dormancy.reviews import Reviews

        return Reviews(self.kernel, self.org, self.accounts)

    @cached_property
    def dormancy_reads(self) -> Reads:
        from chalicelib.dormancy.reads import Reads

        return Reads(
            self.kernel,
            self.org,
            self.accounts,
            self.secrets,
            self.settings,
            self.readers,
            self.read_traits,
            self.dormancy_reviews,
        )

    @cached_property
    def dormancy_tellings(self) -> DormancyTellings:
        from chalicelib.dormancy.tellings import Tellings

        return Tellings(
            self.kernel,
            self.org,
            self.accounts,
            self.dormancy_reviews,
            self.links,
            self.mailer,
            self.settings,
        )

    @cached_property
    def dormancy_page(self) -> ReviewPage:
        from chalicelib.dormancy.page import ReviewPage

        return ReviewPage(
            self.kernel, self.org, self.accounts, self.dormancy_reviews, self.links, self.settings
        )

    # Inventory rounds

    @cached_property
    def inventory(self) -> Rounds:
        from chalicelib.inventory.rounds import Rounds

        return Rounds(self.kernel, self.org, self.accounts)

    @cached_property
    def inventory_people(self) -> InventoryPeople:
        from chalicelib.inventory.people import People

        return People(self.org, self.org.of_email)

    @cached_property
    def inventory_answers(self) -> Answers:
        from chalicelib.inventory.answers import Answers

        return Answers(self.kernel, self.org, self.accounts, self.links, self.inventory_people)

    @cached_property
    def inventory_adding(self) -> Adding:
        from chalicelib.inventory.adding import Adding
        from chalicelib.platforms.links import recognise

        def address(text: str) -> tuple[str, str, str] | None:
            found = recognise(text)
            return (found.platform, found.server, found.handle) if found else None

        return Adding(self.kernel, self.org, self.accounts, self.inventory_people, address)

    @cached_property
    def inventory_asking(self) -> InventoryAsking:
        from chalicelib.inventory.asking import Asking

        return Asking(self.kernel, self.org, self.accounts, self.inventory)

    @cached_property
    def inventory_reports(self) -> Reports:
        from chalicelib.inventory.report import Reports

        return Reports(self.accounts, self.inventory_people, self.inventory)

    @cached_property
    def inventory_tellings(self) -> RoundTellings:
        from chalicelib.inventory.tellings import RoundTellings

        return RoundTellings(
            self.kernel,
            self.org,
            self.accounts,
            self.links,
            self.inventory_people,
            self.inventory_reports,
            self.mailer,
            self.settings,
        )

    @cached_property
    def inventory_page(self) -> RoundPage:
        from chalicelib.inventory.page import RoundPage

        return RoundPage(
            self.kernel,
            self.accounts,
            self.inventory_answers,
            self.inventory_adding,
            self.inventory_people,
            self.settings,
        )

    # Is our audience there?

    @cached_property
    def audience(self) -> Audience:
        from chalicelib.analytics.service import Audience

        return Audience(self.kernel, self.org, self.accounts)

    # Chores

    def register_chores(self) -> Mapping[str, Callable[[], Handler]]:
        """What handles each chore of these rooms, by its kind."""
        return {
            "confirm_account": lambda: self.confirmations.confirm_account,
            "tell_under_review": lambda: self.confirmations.tell_under_review,
            "read_account": lambda: self.dormancy_reads.read_account,
            "pass_review_up": lambda: self.dormancy_reviews.pass_up,
            "ask_review": lambda: self.dormancy_tellings.ask_review,
            "tell_retiring": lambda: self.dormancy_tellings.tell_retiring,
            "tell_quiet": lambda: self.dormancy_tellings.tell_quiet,
            "open_inventory": lambda: self.inventory_asking.open_round,
            "remind_inventory": lambda: self.inventory_asking.remind,
            "escalate_inventory": lambda: self.inventory_asking.escalate,
            "settle_inventory": lambda: self.inventory_asking.settle,
            "check_inventory_reach": lambda: self.inventory_asking.check_reach,
            "close_inventory": lambda: self.inventory.close_by_itself,
            "tell_inventory": lambda: self.inventory_tellings.tell,
            "tell_unreadable": lambda: self.dormancy_tellings.tell_unreadable,
        }
