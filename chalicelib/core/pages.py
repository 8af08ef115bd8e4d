"""Pages and mails from jinja2 templates: escaped by default, in the reader's words, under a strict policy.

A page carries no script at all; its one style sheet is allowed by its hash, so nothing that a text smuggles
in can style or run anything.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib.core.words import Words, one_line, visible

if TYPE_CHECKING:
    from markupsafe import Markup

_SHARED = Path(__file__).parent / "templates"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?")


class Templates:
    """The templates of one folder, and those that all share; `.html` is escaped, `.txt` is not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def html(self, name: str, words: Words, /, **values: Any) -> str:
        """The filled template. Raises jinja2.UndefinedError for a value that is missing."""
        return self._render(name, words, HtmlWords(words), values)

    def text(self, name: str, words: Words, /, **values: Any) -> str:
        """The filled template, for a mail's plain part."""
        return self._render(name, words, words, values)

    def _render(self, name: str, words: Words, w: "Words | HtmlWords", values: dict[str, Any]) -> str:
        template = _environment(self._folder).get_template(name)
        filled: str = template.render(say=w.say, say_n=w.say_n, words=words, **values)
        return filled


class HtmlWords:
    """`say` and `say_n` for HTML: values are escaped, and each stands in a `<bdi>` of its own."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def say(self, message: str, **values: object) -> "Markup":
        return _filled(self._words.template(message), values)

    def say_n(self, one: str, many: str, n: int, **values: object) -> "Markup":
        return _filled(self._words.template_n(one, many, n), {**values, "n": self._words.number(n)})


def _filled(message: str, values: dict[str, object]) -> "Markup":
    from markupsafe import Markup, escape

    isolated = {
        k: v if isinstance(v, Markup) else Markup("<bdi>%s</bdi>") % escape(v) for k, v in values.items()
    }
    return Markup(message) % isolated  # nosec B704 - the message is ours, from the catalogue; values are escaped


def page_headers(style: str, image_origins: Iterable[str] = ()) -> dict[str, str]:
    """The headers of a page whose only `<style>` is `style` and whose pictures come from these origins.

    Raises ValueError for an origin that is not just a scheme and a host.
    """
    origins = sorted(set(image_origins))
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError("an image origin is a scheme and a host, nothing more")
    policy = (
        "default-src 'none'",
        f"style-src '{_style_hash(style)}'",
        " ".join(("img-src", "'self'", "data:", *origins)),
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(policy),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
        "Strict-Transport-Security": "max-age=31536000",
    }


@cache
def _style_hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


@cache
def _environment(folder: Path) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader((folder, _SHARED)),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "one_line": one_line}
    return environment
