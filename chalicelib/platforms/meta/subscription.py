"""The subscription of our app to a page, an Instagram account or a WhatsApp business account.

https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps and the same edge of the others.
The webhook's address is the app's own and set in its dashboard. Meta drops a page's subscription after an
hour in which messages could not be delivered. Threads has no such edge, so it cannot be asked.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.inbound import Subscription
from chalicelib.platforms.meta.configuration import (
    INSTAGRAM_FIELDS,
    INSTAGRAM_PAGE_FIELDS,
    PAGE_FIELDS,
)
from chalicelib.platforms.meta.graph import Graph, NotPermitted
from chalicelib.platforms.port import AccountRef, SessionStore

_ID = re.compile(r"[0-9]{1,25}", re.ASCII)
_FACEBOOK_LOGIN = "graph.facebook.com"
_APPS_MOST = 500


@dataclass(frozen=True)
class _Edge:
    """Whose subscribed apps are meant, and which `fields` of them count: all, or any one (`any_is_enough`).

    `names_apps`: whether the list says which app each item is of. Instagram's own login is of one app only.
    """

    node: str
    fields: tuple[str, ...] = ()
    any_is_enough: bool = False
    names_apps: bool = True

    @property
    def path(self) -> str:
        return f"{self.node}/subscribed_apps"


class MetaSubscription:
    """Implements `Watching` with the credentials `access_token` (of the page, the Instagram user, or a system
    user for WhatsApp), `app_id`, and `app_secret` where the app demands proof of it.

    An Instagram account that was connected by Facebook Login has graph.facebook.com as its server and the
    `page_id` of its page, whose subscription is meant.
    """

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._graph = Graph(http, clock)

    def subscription(self, account: AccountRef, callback: str) -> Subscription:
        """Live when our app is among the subscribed ones, with the fields that count."""
        edge = _edge(account)
        if lacking := _lacking(account, edge):
            return Subscription("unknown", lacking)
        fields = self._fields(account, edge)
        if fields is None:
            return Subscription("missing", "Our app is not subscribed to this account.")
        missing = [field for field in edge.fields if field not in fields]
        if missing and not (fields and edge.any_is_enough):
            return Subscription("missing", f"Our app does not get {', '.join(missing)} of this account.")
        return Subscription("live")

    def renew(self, account: AccountRef, callback: str, secret: str) -> Subscription:
        """Subscribe to what is wanted and to what is there already, then read what is there now.

        Whether Meta adds fields or replaces them is not documented for these edges, so all are sent.
        """
        edge = _edge(account)
        if lacking := _lacking(account, edge):
            return Subscription("unknown", lacking)
        had = self._fields(account, edge) or set()
        fields = ",".join(sorted({*had, *edge.fields}))
        try:
            self._graph.post(account, edge.path, {"subscribed_fields": fields} if fields else {})
        except NotPermitted as error:
            if not had:
                raise
            # One field too many must not stop an account that gets the others.
            return Subscription("missing", error.message)
        return self.subscription(account, callback)

    def _fields(self, account: AccountRef, edge: _Edge) -> set[str] | None:
        """What our app is subscribed to, None when it is not subscribed at all."""
        for item in self._graph.items(account, edge.path, {}, _APPS_MOST):
            app = item.get("whatsapp_business_api_data", item)
            app_id = app.get("id") if isinstance(app, dict) else None
            if app_id == account.credentials.get("app_id") or not edge.names_apps:
                fields = item.get("subscribed_fields")
                return set(map(str, fields)) if isinstance(fields, list) else set()
        return None


def _edge(account: AccountRef) -> _Edge:
    own = account.credentials.get("subscribed_fields", "").replace(" ", "")
    fields = tuple(field for field in own.split(",") if field)
    if account.platform == "whatsapp":
        return _Edge(account.external_id)  # always all that the app is subscribed to
    if account.platform == "facebook":
        return _Edge(account.external_id, fields or PAGE_FIELDS)
    if urlsplit(account.server).hostname == _FACEBOOK_LOGIN:
        page_id = account.credentials.get("page_id", "")
        return _Edge(page_id, fields or INSTAGRAM_PAGE_FIELDS, any_is_enough=True)
    return _Edge(account.external_id, fields or INSTAGRAM_FIELDS, any_is_enough=True, names_apps=False)


def _lacking(account: AccountRef, edge: _Edge) -> str:
    """What a person must add before Meta can be asked at all; empty when nothing is."""
    needed = ["access_token", "app_id"] if edge.names_apps else ["access_token"]
    missing = [name for name in needed if not account.credentials.get(name)]
    if missing:
        return f"Meta cannot be asked: add {', '.join(missing)} to the account's credentials."
    if _ID.fullmatch(edge.node):
        return ""
    if edge.node == account.external_id:
        return "Meta cannot be asked: the account's external id must be Meta's number for it."
    return "Meta cannot be asked: add the page's number to the account's credentials as page_id."
