"""What every page behind an emailed link has in common: its frame, its form, and how it is served.

GET and HEAD only look; a form's POST decides. Every link that leads nowhere gets the same answer, byte for
byte, so that nobody learns from it whether there ever was one.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from chalicelib.core import log as logs
from chalicelib.core.endpoint import current_request
from chalicelib.core.pages import HtmlWords, Templates, page_headers
from chalicelib.core.words import Words, best_language

if TYPE_CHECKING:
    from chalice import Response
    from chalice.app import Request

MAX_FORM_BYTES = 40_000
SHARED = Path(__file__).parent / "templates"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    status: int
    headers: Mapping[str, str]
    html: str


def form_fields(raw: bytes, most: int = MAX_FORM_BYTES, fields: int = 12) -> dict[str, str]:
    """A body as browsers send it (x-www-form-urlencoded), the last of each name; {} for a hostile one."""
    if len(raw) > most:
        return {}
    try:
        parsed = parse_qs(raw.decode("ascii"), keep_blank_values=True, max_num_fields=fields)
    except ValueError:
        return {}
    return {name: values[-1].replace("\r\n", "\n").replace("\x00", "") for name, values in parsed.items()}


def page(
    templates: Templates,
    name: str,
    words: Words,
    company: str,
    *,
    status: int = 200,
    image_origins: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Page:
    """A template that extends `base.html`, filled; `headers` take the place of those of a link's page."""
    html = templates.html(name, words, company=company, style=style(), **values)
    return Page(status, {**page_headers(style(), image_origins), **(headers or {})}, html)


def notice(
    words: Words, company: str, heading: Any, lines: Iterable[Any] = (), tone: str = "", status: int = 200
) -> Page:
    """A page that only says something, already in the reader's words; `tone` is good, bad, wait or none."""
    return page(
        Templates(SHARED), "notice.html", words, company,
        status=status, heading=heading, lines=tuple(lines), tone=tone,
    )  # fmt: skip


def dead(accept_language: str, company: str) -> Page:
    """The page of a link that leads nowhere: unknown, expired, withdrawn, somebody else's."""
    words = Words(best_language(accept_language))
    w = HtmlWords(words)
    lines = (
        w.say("It may have been used already, replaced by a newer one, or be incomplete."),
        w.say("If you have answered, your answer is recorded and nothing more is needed."),
        w.say("If there is still something for you to do, use the latest mail about it."),
    )
    return notice(words, company, w.say("This link does not work"), lines, status=410)


def broken(accept_language: str, company: str, number: str) -> Page:
    """The page for an error of ours; `number` leads ops to its cause in the log."""
    words = Words(best_language(accept_language))
    w = HtmlWords(words)
    lines = (
        w.say("This page does not know whether your answer was recorded. Please open the link again."),
        w.say("If it happens again, tell ops this number: %(number)s", number=number),
    )
    return notice(words, company, w.say("Something broke on our side"), lines, "bad", 500)


def serve(make: "Callable[[Request, str], Page]", company: Callable[[], str]) -> "Response":
    """The answer of a route: `make` gets the request and the browser's languages.

    An error that nobody foresaw is logged under the number that its page shows.
    """
    from chalice import Response

    request = current_request()
    number = (request.context or {}).get("requestId") or "local"
    language = request.headers.get("accept-language") or ""
    logs.logger().set_correlation_id(number)
    try:
        made = make(request, language)
    except Exception:
        log.exception("unexpected")
        made = broken(language, _or_nothing(company), number)
    finally:
        logs.flush()
    return Response(made.html, status_code=made.status, headers=dict(made.headers))


def _or_nothing(company: Callable[[], str]) -> str:
    try:
        return company()
    except Exception:  # what is broken may be the settings themselves
        return ""


@cache
def style() -> str:
    """The one style sheet of all pages."""
    return (SHARED / "page.css").read_text(encoding="utf-8").strip()
