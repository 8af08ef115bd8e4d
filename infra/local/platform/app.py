"""The local platform as one WSGI application: API, pages for people, control surface."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from infra.local.platform.api import Api
from infra.local.platform.call import NOT_FOUND, ApiError, Call
from infra.local.platform.control import Control, refuse_strangers
from infra.local.platform.entities import Entities
from infra.local.platform.media import VIDEO_BYTES
from infra.local.platform.misbehave import Rules, error, obey, rate_limit_time, too_many_requests
from infra.local.platform.model import Account
from infra.local.platform.pages import Pages
from infra.local.platform.settings import Allowance, RateLimiter, Settings, Stats
from infra.local.platform.store import Store

LARGEST_REQUEST_BYTES = VIDEO_BYTES + 1_000_000


class Platform:
    """Sorts requests to where they belong, and keeps the rules that hold for every API call."""

    def __init__(self, store: Store, settings: Settings, now: Callable[[], datetime]) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._rules = Rules()
        self._stats = Stats()
        self._limiter = RateLimiter()
        api = Api(store, self._rules, settings, self._stats)
        control = Control(store, self._rules, settings, self._stats)
        self._pages = Pages(store)
        self._map = Map([*api.routes(), *control.routes(), *self._pages.routes()], merge_slashes=False)
        self.wsgi = Request.application(self.respond)

    def respond(self, request: Request) -> Response:
        """Answer one request. Raises NoAnswerError when a rule says so."""
        request.max_content_length = LARGEST_REQUEST_BYTES
        self._count(request)
        call = Call(
            request, self._reader(request), Entities(self._store, request.host_url.rstrip("/")), self._now()
        )
        if request.path.startswith("/api/"):
            return self._limited(call)
        if request.path.startswith("/_local/"):
            return self._answered(call, refuse_strangers)
        try:
            return self._dispatch(call)
        except (ApiError, HTTPException) as missing:
            return self._pages.problem(_status_of(missing))

    def _reader(self, request: Request) -> Account | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return self._store.account_with_token(token.strip()) if kind.lower() == "bearer" else None

    def _limited(self, call: Call) -> Response:
        """An API call: counted against its account, failed on order, answered with the limit's headers."""
        request, username = call.request, call.account.username if call.account else None
        allowance = self._limiter.take(
            username or request.remote_addr or "", self._settings.rate_limit, call.now
        )
        rule = self._rules.take(username, _route(request))
        if allowance.exceeded:
            response = too_many_requests(allowance.resets_at)
        elif rule:
            response = obey(rule, lambda: self._answered(call), call.now)
        else:
            response = self._answered(call)
        return _with_allowance(response, allowance)

    def _count(self, request: Request) -> None:
        try:
            self._stats.count_call(f"{request.method} {self._match(request)[0].rule}")
        except HTTPException:
            self._stats.count_call("unknown")

    def _answered(self, call: Call, check: Callable[[Request], None] | None = None) -> Response:
        try:
            if check:
                check(call.request)
            return self._dispatch(call)
        except ApiError as refused:
            return error(refused.status, refused.message)
        except RequestEntityTooLarge:
            return error(413, "Request too large")
        except HTTPException:
            return error(NOT_FOUND.status, NOT_FOUND.message)

    def _dispatch(self, call: Call) -> Response:
        rule, arguments = self._match(call.request)
        response: Response = rule.endpoint(call, **arguments)
        return response

    def _match(self, request: Request) -> tuple[Rule, dict[str, str]]:
        """The route of a request; as in Rails, a slash at the end makes no difference."""
        adapter = self._map.bind_to_environ(request.environ)
        rule, arguments = adapter.match(path_info=_path(request), return_rule=True)
        return rule, dict(arguments)


def _route(request: Request) -> str:
    """Which of the routes that can be told to misbehave this is; `statuses` is the publishing call alone."""
    if request.method == "POST" and _path(request) == "/api/v1/statuses":
        return "statuses"
    return "media" if _path(request).split("/")[3:4] == ["media"] else "other"


def _path(request: Request) -> str:
    return request.path.rstrip("/") or "/"


def _status_of(problem: ApiError | HTTPException) -> int:
    return problem.status if isinstance(problem, ApiError) else problem.code or HTTPStatus.NOT_FOUND


def _with_allowance(response: Response, allowance: Allowance) -> Response:
    """Mastodon's three headers (docs.joinmastodon.org/api/rate-limits); a rule's own values stay."""
    response.headers.setdefault("X-RateLimit-Limit", str(allowance.limit))
    response.headers.setdefault("X-RateLimit-Remaining", str(allowance.remaining))
    response.headers.setdefault("X-RateLimit-Reset", rate_limit_time(allowance.resets_at))
    return response
