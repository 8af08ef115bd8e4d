"""Pages without script, all escaped, nothing loaded from elsewhere; both local servers make theirs here."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.wrappers import Response

BASE_CSS = Path(__file__).parent / "static" / "base.css"


def day_and_time(at: datetime) -> str:
    """Such as `22 Nov 2026, 14:05:03 UTC`: to the second, because that is what is being watched."""
    return at.astimezone(UTC).strftime("%-d %b %Y, %H:%M:%S UTC")


def environment(templates: Path) -> Environment:
    """Templates with escaping always on, whatever the file's name."""
    made = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["day_and_time"] = day_and_time
    return made


def page(body: str, status: int, policy: str) -> Response:
    """A page under its content security policy, never cached."""
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        # Under "no-referrer" browsers send their own forms with the Origin "null".
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return Response(body, status=status, headers=headers, mimetype="text/html")


def style(sheet: Path) -> Response:
    """A style sheet."""
    return Response(sheet.read_text(), status=HTTPStatus.OK, mimetype="text/css")
