"""`@endpoint`: what every route of the API has in common.

Who is asking and whether they may; body and query validated once, with all problems reported together;
errors as JSON with a status of their own; `Idempotency-Key` on creating calls; no answer cached. The registry
of endpoints is what /openapi.json and the test of every route with every role are made from.
"""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from chalice import Response
from chalice.app import MultiDict, Request

from chalicelib.core import log as logs
from chalicelib.core.endpoint_guard import gatekeeper
from chalicelib.core.errors import InvalidInput, NotFound, NotSignedIn, Problem, SignalboxError, TooLarge
from chalicelib.core.paging import cursor_of, listing_of

MAX_BODY_BYTES = 1_000_000
MAX_PROBLEMS = 100  # listed one by one: the answer must stay below Lambda's 6 MB, whatever was sent
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}

_ID = re.compile(r"[A-Za-z0-9_.~-]{1,200}")  # of whatever the path names

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """One request: who asks, the validated body and query, and the headers."""

    actor: Any
    body: Any
    query: Any
    request: Request
    listing: str

    def cursor(self, start: str | None) -> str | None:
        """What the caller sends back for the page of this very listing that starts there; None at the end."""
        return cursor_of(self.listing, start)


@dataclass(frozen=True)
class Answer:
    """What an endpoint returns: a pydantic model or plain data, and a status."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """A registered endpoint, for the OpenAPI document and the tests."""

    name: str
    right: Any
    body: Any
    query: Any
    answers: Any
    idempotent: bool
    summary: str


REGISTRY: dict[str, Endpoint] = {}


def endpoint(
    *, right: Any, body: Any = None, query: Any = None, answers: Any = None, idempotent: bool = False
) -> Callable[[Callable[..., Answer]], Callable[..., Response]]:
    """A JSON route. `right` is what the asker must hold somewhere (None: signed in is enough; the service
    checks on what); `body`, `query` and `answers` are functions that import a pydantic model.
    """

    def decorate(function: Callable[..., Answer]) -> Callable[..., Response]:
        known = REGISTRY[function.__name__] = Endpoint(
            function.__name__,
            right,
            body,
            query,
            answers,
            idempotent,
            (function.__doc__ or "").strip().split("\n")[0],
        )

        @wraps(function)
        def view(**path: str) -> Response:
            request = current_request()
            return _answer(request, lambda: _call(request, function, path, known))

        return view

    return decorate


def csv_file(filename: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Over `@endpoint`, for a view that may answer `{"csv": text}`: the text goes out, as a file to keep."""

    def decorate(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def sent(**path: str) -> Response:
            response = view(**path)
            if response.status_code != 200 or not response.body.startswith('{"csv":'):
                return response
            headers: dict[str, Any] = {
                **HEADERS,
                "Content-Type": "text/csv; charset=utf-8; header=present",
                "Content-Disposition": f'attachment; filename="{filename}"',
            }
            return Response(json.loads(response.body)["csv"], headers=headers)

        return sent

    return decorate


def open_endpoint(function: Callable[..., Answer]) -> Callable[..., Response]:
    """A JSON route for anybody: no token is asked for, and errors are answered the same way."""

    @wraps(function)
    def view(**path: str) -> Response:
        request = current_request()
        return _answer(request, lambda: function(request, **path))

    return view


def chalices_own_answers(request: Request | None, get_response: Callable[[Any], Response]) -> Response:
    """Middleware: what Chalice answers before any view runs (405, 415) in the shape of our own errors.

    Views answer text, and Chalice alone a dictionary: its `Code` and `Message`.
    """
    response = get_response(request)
    if not isinstance(response.body, dict):
        return response
    match response.status_code:
        case 405:
            error = "method_not_allowed"
            message = f"this address does not take that method; it takes {response.headers['Allow']}"
        case 415:
            error = "unsupported_media_type"
            message = "this address does not take what Content-Type names; the API takes application/json"
        case _:
            error, message = "unexpected", str(response.body.get("Message"))
    headers = {**HEADERS, **response.headers, "Content-Type": "application/json; charset=utf-8"}
    text = _text({"error": error, "message": message})
    return Response(text, status_code=response.status_code, headers=headers)


def current_request() -> Request:
    """The request being served; blueprints share the app's (one request at a time in a Lambda)."""
    import app

    request = app.app.current_request
    assert request is not None, "no request is being served"
    return request


def _call(request: Request, function: Callable[..., Answer], path: dict[str, str], known: Endpoint) -> Answer:
    actor = gatekeeper().identify(bearer_token(request))
    if known.right is not None:
        actor.require(known.right)
    if not all(_ID.fullmatch(value) for value in path.values()):
        raise NotFound("there is nothing at this address")  # DynamoDB refuses keys that are too long
    raw = _raw_body(request)
    if len(raw) > MAX_BODY_BYTES:
        raise TooLarge(f"the body is {len(raw)} bytes; the most is {MAX_BODY_BYTES}")
    query_params = request.query_params or MultiDict({})
    sent = {name: query_params.getlist(name) for name in query_params}
    listing = listing_of(known.name, path, {name: values[-1] for name, values in sent.items()})
    query, body = _both(
        lambda: parse_query(known.query() if known.query else None, sent, listing),
        lambda: parse_body(known.body(), raw) if known.body else None,
    )
    call = Call(actor, body, query, request, listing)
    key = request.headers.get("idempotency-key")
    if not (known.idempotent and key):
        return function(call, **path)
    if not (key.isascii() and key.isprintable() and len(key) <= 200):
        raise InvalidInput([Problem("Idempotency-Key", "use 1 to 200 printable ASCII characters")])

    def make() -> dict[str, Any]:
        made = function(call, **path)
        return {"body": plain(made.body), "status": made.status, "headers": dict(made.headers)}

    asked = hashlib.sha256(json.dumps(path, sort_keys=True).encode() + raw).hexdigest()
    stored = gatekeeper().once(f"{actor.person_id}#{known.name}#{key}", asked, make)
    return Answer(stored["body"], stored["status"], stored["headers"])


def _both(*reads: Callable[[], Any]) -> list[Any]:
    """What each gives. Raises InvalidInput with the problems of all."""
    given, problems = [], list[Problem]()
    for read in reads:
        try:
            given.append(read())
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return given


def _answer(request: Request, make: Callable[[], Answer]) -> Response:
    logger = logs.logger()
    request_id = (request.context or {}).get("requestId") or "local"
    logger.set_correlation_id(request_id)
    headers = dict(HEADERS)
    try:
        answer = make()
        text, status = _text(answer.body), answer.status
        headers |= answer.headers
    except SignalboxError as error:
        text, status = _text(error.as_dict()), error.status
        log.info("refused", extra={"status": status, "why": error.code})
    except Exception:
        # The last resort: the cause goes to the log under an id that the caller can quote to ops.
        log.exception("unexpected")
        message = f"Something broke on our side. Tell ops this number: {request_id}."
        text, status = _text({"error": "unexpected", "message": message}), 500
    finally:
        logs.flush()
    headers["Content-Type"] = "application/json; charset=utf-8"
    return Response(text, status_code=status, headers={**headers})


def _text(body: Any) -> str:
    return "" if body is None else json.dumps(plain(body), ensure_ascii=False, separators=(",", ":"))


def _raw_body(request: Request) -> bytes:
    try:
        raw = request.raw_body or b""
    except ValueError:  # half a surrogate pair, or what says it is base64 and is not
        raise InvalidInput([Problem("body", "is not text in UTF-8")]) from None
    return raw.encode() if isinstance(raw, str) else raw


def bearer_token(request: Request) -> str:
    """The token of an `Authorization: Bearer` header. Raises NotSignedIn."""
    scheme, _, token = (request.headers.get("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn("send your token as 'Authorization: Bearer <token>'")
    return token.strip()


def parse_query(model: Any, sent: Mapping[str, list[str]], listing: str) -> Any:
    """The parameters after the `?` as `model`; None takes none. Raises InvalidInput with every problem.

    A name that the model does not have is refused, because a filter that is misspelled would show too much.
    `listing` is what a cursor must come from.
    """
    from pydantic import ValidationError

    names = [field.alias or name for name, field in model.model_fields.items()] if model else []
    strange = [name for name in sent if name not in names][:MAX_PROBLEMS]
    told = f"this address does not take it; it takes {', '.join(names) or 'nothing there'}"
    problems = [Problem(_printable(name), told) for name in strange]
    problems += [Problem(n, "comes twice; send it once") for n in names if len(sent.get(n, ())) > 1]
    asked = {name: sent[name][-1] for name in names if name in sent}
    try:
        query = model and model.model_validate_strings(asked, context=listing)
    except ValidationError as error:
        problems += _problems(error.errors(include_url=False, include_input=False), "query")
    if problems:
        raise InvalidInput(problems)
    return query


def _printable(name: str) -> str:
    """A name as it was sent, without the half of a surrogate pair that no answer could carry."""
    return name.encode(errors="backslashreplace").decode()[:200]


def parse_body(model: Any, raw: bytes) -> Any:
    """The body as `model`. Raises InvalidInput with every problem, each under its field's path.

    pydantic's own parser refuses what json.loads lets by: lone surrogates, deep nesting, bytes that are not
    UTF-8. It lets by what two parsers read differently: a name that comes twice, NaN and Infinity.
    """
    from pydantic import ValidationError

    try:
        parsed = model.model_validate_json(raw or b"{}")
        json.loads(raw or b"{}", object_pairs_hook=_each_once, parse_constant=_no_number)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        raise InvalidInput(_problems(errors, "body")) from None
    return parsed


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    for name in {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ():
        raise InvalidInput([Problem(name, "comes twice in the same object; send it once")])


def _no_number(name: str) -> None:
    raise InvalidInput([Problem("body", f"{name} is not a number in JSON")])


def _problems(errors: list[Any], whole: str) -> list[Problem]:
    """`whole` is named where a problem is no single field's."""
    found = []
    for error in errors[:MAX_PROBLEMS]:
        path = ".".join(str(part) for part in error["loc"]) or whole
        message = str(error["msg"]).removeprefix("Value error, ")
        found.append(Problem(path[:200], message[:1].lower() + message[1:]))
    if len(errors) > MAX_PROBLEMS:
        found.append(Problem(whole, f"and {len(errors) - MAX_PROBLEMS} problems more"))
    return found


def plain(body: Any) -> Any:
    """A pydantic model (or a list or dict holding some) as JSON-able data."""
    if hasattr(body, "model_dump"):
        return body.model_dump(mode="json")
    if isinstance(body, dict):
        return {k: plain(v) for k, v in body.items()}
    if isinstance(body, list | tuple):
        return [plain(v) for v in body]
    return body
