"""LinkedIn's subscription of one page by one of its administrators, and the notifications of 60 days.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-social-action-notifications
It is removed without a word when the member's access or role ends, and at `expiresAt` unless made again.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.asking import pieces_of
from chalicelib.platforms.errors import Rejected
from chalicelib.platforms.inbound import Piece, Subscription
from chalicelib.platforms.linkedin.configuration import ACTIONS, KEPT_FOR, PAGE_OF, PAGES_MOST
from chalicelib.platforms.linkedin.rest import NoSuchThing, Rest
from chalicelib.platforms.linkedin.webhook import LinkedInWebhook
from chalicelib.platforms.port import AccountRef, SessionStore
from chalicelib.platforms.signing import when_millis

_SOCIAL = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"
_PAGE = re.compile(r"urn:li:organization(Brand)?:[0-9]{1,19}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NEEDED = ("access_token", "app_id", "person_id")

log = logging.getLogger(__name__)


class LinkedInSubscription:
    """Implements `Watching` and `BackFilling` with the credentials of an administrator of the page:
    `access_token`, `person_id`, and the `app_id` of the developer application.
    """

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._rest = Rest(http, clock)

    def subscription(self, account: AccountRef, callback: str) -> Subscription:
        """Live until its `expiresAt` when it leads to our address, invalid when it leads elsewhere."""
        if lacking := _lacking(account):
            return Subscription("unknown", lacking)
        try:
            answer = self._rest.ask(account, "GET", _path(account))
        except NoSuchThing:
            return Subscription("missing", "LinkedIn has no subscription for this page and member.")
        if "webhook" not in answer:
            raise self._rest.unclear()
        if answer["webhook"] != callback:
            return Subscription("invalid", "LinkedIn's subscription for this page leads to another address.")
        try:
            ends_at = when_millis(answer["expiresAt"]) if "expiresAt" in answer else None
        except (TypeError, ValueError):
            raise self._rest.unclear() from None
        if ends_at is not None and ends_at <= self._clock.now():
            return Subscription("missing", "LinkedIn's subscription for this page has ended.", ends_at)
        return Subscription("live", ends_at=ends_at)

    def renew(self, account: AccountRef, callback: str, secret: str) -> Subscription:
        """Put the subscription, which makes it or makes it last; then what is there is read.

        The address must have been checked in LinkedIn's developer portal; `secret` is not sent.
        """
        if lacking := _lacking(account):
            return Subscription("unknown", lacking)
        self._rest.ask(account, "PUT", _path(account), {"webhook": callback})
        return self.subscription(account, callback)

    def missed(self, account: AccountRef, since: datetime, until: datetime) -> Sequence[Piece]:
        """The page's notifications of that time, at most 60 days old, as its webhook brings them."""
        if lacking := _lacking(account):
            raise Rejected(lacking)
        now = self._clock.now()
        first = max(since, now - KEPT_FOR)
        if first >= until:
            return ()
        said = self._notifications(account, first, until)
        bodies = ({"type": _SOCIAL, "notifications": [notification]} for notification in said)
        return pieces_of(LinkedInWebhook(), bodies, now)

    def _notifications(
        self, account: AccountRef, since: datetime, until: datetime
    ) -> Iterator[Mapping[str, Any]]:
        # Lists and records of Rest.li are written with their brackets and colons as they are.
        path = (
            f"/rest/organizationalEntityNotifications?q=criteria&actions=List({','.join(ACTIONS)})"
            f"&organizationalEntity={_urn(account.external_id)}"
            f"&timeRange=(start:{_millis(since)},end:{_millis(until)})&count={PAGE_OF}"
        )
        for page in range(PAGES_MOST):
            answer = self._rest.ask(account, "GET", f"{path}&start={page * PAGE_OF}")
            elements = answer.get("elements")
            if not isinstance(elements, list):
                raise self._rest.unclear()
            yield from (each for each in elements if isinstance(each, dict))
            if not _goes_on(answer, len(elements)):
                return
        log.warning("more was missed than is fetched", extra={"account": account.account_id})


def _lacking(account: AccountRef) -> str:
    """What a person must add before LinkedIn can be asked at all; empty when nothing is."""
    missing = [name for name in _NEEDED if not account.credentials.get(name)]
    if missing:
        return f"LinkedIn cannot be asked: add {', '.join(missing)} to the account's credentials."
    if not all(_ID.fullmatch(account.credentials[name]) for name in ("app_id", "person_id")):
        return "LinkedIn cannot be asked: app_id and person_id are the last parts of their URNs; correct it."
    if not _PAGE.fullmatch(account.external_id):
        return "LinkedIn cannot be asked: the account's external id must be urn:li:organization:<number>."
    return ""


def _path(account: AccountRef) -> str:
    key = {
        "developerApplication": _urn(f"urn:li:developerApplication:{account.credentials['app_id']}"),
        "user": _urn(f"urn:li:person:{account.credentials['person_id']}"),
        "entity": _urn(account.external_id),
        "eventType": _SOCIAL,
    }
    return f"/rest/eventSubscriptions/({','.join(f'{name}:{value}' for name, value in key.items())})"


def _goes_on(answer: Mapping[str, Any], elements: int) -> bool:
    """A page that is full may have another after it, and one with a link to the next has."""
    paging = answer.get("paging")
    links = paging.get("links") if isinstance(paging, dict) else None
    linked = isinstance(links, list) and any(isinstance(x, dict) and x.get("rel") == "next" for x in links)
    return elements >= PAGE_OF or (elements > 0 and linked)


def _urn(text: str) -> str:
    return quote(text, safe="")


def _millis(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
