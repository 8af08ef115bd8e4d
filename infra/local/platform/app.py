"""The local platform as one WSGI application: two APIs, pages for people, control surface."""

from __future__ import annotations

from http import HTTPStatus

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from infra.local.platform.accounts import Account, Accounts
from infra.local.platform.bluesky.appview import AppView
from infra.local.platform.bluesky.call import XrpcCall
from infra.local.platform.bluesky.exchange import XrpcExchange
from infra.local.platform.bluesky.pages import BlueskyPages
from infra.local.platform.bluesky.records import Records
from infra.local.platform.bluesky.repos import Repos
from infra.local.platform.bluesky.sessions import Sessions
from infra.local.platform.call import Call, as_id
from infra.local.platform.control import Control
from infra.local.platform.database import Database
from infra.local.platform.mastodon.api import Api
from infra.local.platform.mastodon.call import MastodonCall
from infra.local.platform.mastodon.entities import Entities
from infra.local.platform.mastodon.exchange import MastodonExchange
from infra.local.platform.mastodon.pages import MastodonPages
from infra.local.platform.mastodon.statuses import Statuses
from infra.local.platform.media import VIDEO_BYTES
from infra.local.platform.misbehave import Exchange, Rules, obey
from infra.local.platform.news import News
from infra.local.platform.pages import Pages
from infra.local.platform.seeding import Seeding
from infra.local.platform.settings import RateLimiter, Settings, Stats
from infra.local.serving.answers import ApiError, answer, refuse_strangers

LARGEST_REQUEST_BYTES = VIDEO_BYTES + 1_000_000


class Platform:
    """Sorts requests to where they belong, and keeps the rules that hold for every API call."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._now = db.now
        self._settings = settings
        self._rules = Rules()
        self._stats = Stats()
        self._mastodon_limiter = RateLimiter(at_first_call=False)
        self._xrpc_limiter = RateLimiter(at_first_call=True)
        self._sign_in_limiter = RateLimiter(at_first_call=True)
        self._accounts = Accounts(db)
        self._statuses = Statuses(db)
        repos = Repos(db)
        self._pages = Pages(self._accounts)
        mastodon = MastodonPages(self._accounts, self._statuses, self._pages)
        bluesky = BlueskyPages(self._accounts, repos, self._pages)
        self._pages.networks = {"mastodon": mastodon, "bluesky": bluesky}
        api = Api(db, self._accounts, self._statuses, self._rules, settings, self._stats)
        counts = (self._statuses.created_by_username, repos.created_by_username)
        seeding = Seeding(db, self._accounts, {"mastodon": self._statuses.plant, "bluesky": repos.plant})
        control = Control(db, self._accounts, seeding, counts, self._rules, settings, self._stats)
        xrpc = {
            **Sessions(db, repos).endpoints(),
            **Records(repos, self._stats).endpoints(),
            **AppView(repos, self._rules).endpoints(),
        }
        routes = [*api.routes(), *control.routes(), *self._pages.routes(), *News(db).routes()]
        routes += [*mastodon.routes(), *bluesky.routes()]
        for called, endpoint in xrpc.items():
            method, _, name = called.partition(" ")
            routes.append(Rule(f"/xrpc/{name}", methods=[method], endpoint=endpoint))
        self._map = Map(routes, merge_slashes=False)
        self.wsgi = Request.application(self.respond)

    def respond(self, request: Request) -> Response:
        """Answer one request. Raises NoAnswerError when a rule says so."""
        request.max_content_length = LARGEST_REQUEST_BYTES
        self._count(request)
        if request.path.startswith("/api/"):
            return self._limited(self._mastodon(request))
        if request.path.startswith("/xrpc/"):
            return self._limited(self._bluesky(request))
        call = Call(request, self._now())
        if request.path.startswith("/_local/"):
            return self._controlled(call)
        try:
            return self._dispatch(call)
        except (ApiError, HTTPException) as missing:
            return self._pages.problem(_status_of(missing))

    def _mastodon(self, request: Request) -> Exchange:
        entities = Entities(self._accounts, self._statuses, request.host_url.rstrip("/"))
        call = MastodonCall(request, self._now(), self._reader(request), entities)
        limit, about = self._settings.rate_limit, self._looked_at(call)
        return MastodonExchange(call, self._mastodon_limiter, limit, self._dispatch, about)

    def _looked_at(self, call: MastodonCall) -> Account | None:
        """Whose profile or posts a call of Mastodon's API asks for."""
        try:
            arguments = self._match(call.request)[1]
        except HTTPException:
            return None
        account_id = as_id(arguments.get("account_id", ""))
        if account_id is not None:
            return self._accounts.by_id(account_id)
        path = call.request.path.rstrip("/")
        if path.endswith("/accounts/lookup"):
            return self._accounts.on_mastodon(call.text("acct").removeprefix("@").partition("@")[0])
        return call.account if path.endswith("/accounts/verify_credentials") else None

    def _bluesky(self, request: Request) -> Exchange:
        call = XrpcCall(request, self._now(), self._accounts)
        return XrpcExchange(call, self._xrpc_limiter, self._sign_in_limiter, self._settings, self._dispatch)

    def _reader(self, request: Request) -> Account | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return self._accounts.with_token(token.strip()) if kind.lower() == "bearer" else None

    def _limited(self, exchange: Exchange) -> Response:
        """An API call: counted against its account, failed on order, answered with the limit's headers."""
        allowance = exchange.allowance()
        rule = self._rules.take(exchange.username, exchange.route)
        if allowance.exceeded:
            response = exchange.too_many(allowance.resets_at)
        elif rule:
            response = obey(rule, exchange, self._now())
        else:
            response = exchange.answered()
        return exchange.with_allowance(response, allowance)

    def _count(self, request: Request) -> None:
        try:
            self._stats.count_call(f"{request.method} {self._match(request)[0].rule}")
        except HTTPException:
            self._stats.count_call("unknown")

    def _controlled(self, call: Call) -> Response:
        try:
            refuse_strangers(call.request)
            return self._dispatch(call)
        except ApiError as refused:
            return answer({"error": refused.message}, refused.status)
        except RequestEntityTooLarge:
            return answer({"error": "Request too large"}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except HTTPException:
            return answer({"error": "There is no such control"}, HTTPStatus.NOT_FOUND)

    def _dispatch(self, call: Call) -> Response:
        rule, arguments = self._match(call.request)
        response: Response = rule.endpoint(call, **arguments)
        return response

    def _match(self, request: Request) -> tuple[Rule, dict[str, str]]:
        """The route of a request; as in Rails, a slash at the end makes no difference."""
        adapter = self._map.bind_to_environ(request.environ)
        rule, arguments = adapter.match(path_info=request.path.rstrip("/") or "/", return_rule=True)
        return rule, dict(arguments)


def _status_of(problem: ApiError | HTTPException) -> int:
    return problem.status if isinstance(problem, ApiError) else problem.code or HTTPStatus.NOT_FOUND
