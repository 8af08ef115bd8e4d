"""The mailbox in a browser and as JSON; no script anywhere, and a mail's HTML can reach nothing."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from infra.local.mailbox.mails import Mail, Mails
from infra.local.mailbox.smtp import MODES, Intake
from infra.local.serving import html
from infra.local.serving.answers import ApiError, answer, json_body, refuse_strangers, timestamp

HERE = Path(__file__).parent
LARGEST_ID = 2**63 - 1
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
MAIL_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
MAIL_POLICY = (
    "default-src 'none'; img-src {origin} data:; style-src 'unsafe-inline'; form-action 'none';"
    f" frame-ancestors 'self'; sandbox {MAIL_SANDBOX}"
)
_CID = re.compile(r"cid:([^\"'\s<>)]+)", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_BASE = '<base target="_blank">'


class Mailbox:
    """Sorts requests to where they belong."""

    def __init__(self, mails: Mails, intake: Intake) -> None:
        self._mails = mails
        self._intake = intake
        self._templates = html.environment(HERE / "templates")
        table = [
            ("GET", "/", self.index),
            ("GET", "/mails/<int:mail_id>", self.page),
            ("GET", "/mails/<int:mail_id>/html", self.framed),
            ("GET", "/mails/<int:mail_id>/parts/<int:number>", self.part),
            ("GET", "/base.css", self.style),
            ("GET", "/mailbox.css", self.own_style),
            ("GET", "/api/mails", self.list),
            ("DELETE", "/api/mails", self.clear),
            ("GET", "/api/mails/<int:mail_id>", self.one),
            ("GET", "/api/mails/<int:mail_id>/raw", self.raw),
            ("POST", "/_local/misbehave", self.misbehave),
            ("GET", "/_local/misbehave", self.misbehaviour),
        ]
        self._map = Map([Rule(path, methods=[method], endpoint=endpoint) for method, path, endpoint in table])
        self.wsgi = Request.application(self.respond)

    def respond(self, request: Request) -> Response:
        """Answer one request."""
        request.max_content_length = 100_000
        for_people = not request.path.startswith(("/api/", "/_local/"))
        try:
            if not for_people:
                refuse_strangers(request)
            endpoint, arguments = self._map.bind_to_environ(request.environ).match()
            response: Response = endpoint(request, **arguments)
            return response
        except (ApiError, HTTPException) as problem:
            status = problem.status if isinstance(problem, ApiError) else problem.code or HTTPStatus.NOT_FOUND
            if for_people:
                return self._html("problem.html", status=status)
            return answer({"error": str(problem)}, status)

    def _mail(self, mail_id: int) -> Mail:
        mail = self._mails.get(mail_id) if mail_id <= LARGEST_ID else None
        if mail is None:
            raise NotFound
        return mail

    def _html(self, template: str, status: int = HTTPStatus.OK, **shown: object) -> Response:
        page = self._templates.get_template(template).render(**shown, status=status)
        return html.page(page, status, PAGE_POLICY)

    def index(self, request: Request) -> Response:
        """All mails, newest first."""
        return self._html("mails.html", mails=self._mails.newest_first())

    def page(self, request: Request, mail_id: int) -> Response:
        """One mail: its HTML in a frame that can run and reach nothing, its text, headers and source."""
        mail = self._mail(mail_id)
        source = mail.raw.decode("utf-8", "replace")
        return self._html("mail.html", mail=mail, source=source, sandbox=MAIL_SANDBOX)

    def framed(self, request: Request, mail_id: int) -> Response:
        """A mail's HTML with its own pictures put in; links open in a new tab."""
        mail = self._mail(mail_id)
        policy = MAIL_POLICY.format(origin=request.host_url.rstrip("/"))
        return html.page(_framed(mail), HTTPStatus.OK, policy)

    def part(self, request: Request, mail_id: int, number: int) -> Response:
        """A picture to show, or an attachment to save."""
        parts = self._mail(mail_id).parts
        if number >= len(parts):
            raise NotFound
        part = parts[number]
        picture = part.mime.startswith("image/")
        response = Response(part.data, mimetype=part.mime if picture else "application/octet-stream")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        if not picture:
            response.headers["Content-Disposition"] = (
                f"attachment; filename*=UTF-8''{quote(part.name or 'attachment')}"
            )
        return response

    def style(self, request: Request) -> Response:
        """The style sheet that both local servers share."""
        return html.style(html.BASE_CSS)

    def own_style(self, request: Request) -> Response:
        """What only the mailbox needs."""
        return html.style(HERE / "static" / "mailbox.css")

    def list(self, request: Request) -> Response:
        """Mails as JSON, newest first; `to`, `since_id` and `limit` narrow them."""
        mails = self._mails.newest_first(
            request.args.get("to"), _number(request, "since_id", 0), _number(request, "limit", -1)
        )
        return answer([_json(mail) for mail in mails])

    def one(self, request: Request, mail_id: int) -> Response:
        """One mail as JSON."""
        return answer(_json(self._mail(mail_id)))

    def raw(self, request: Request, mail_id: int) -> Response:
        """One mail exactly as it arrived, as text so that no browser renders it."""
        return Response(
            self._mail(mail_id).raw, mimetype="text/plain", headers={"X-Content-Type-Options": "nosniff"}
        )

    def clear(self, request: Request) -> Response:
        """Throw all mails away."""
        self._mails.clear()
        return answer([])

    def misbehave(self, request: Request) -> Response:
        """Refuse every mail from now on (`reject`), or take them again (`none`)."""
        mode = json_body(request).get("mode")
        if mode not in MODES:
            raise ApiError(422, f"mode must be one of: {', '.join(MODES)}")
        self._intake.mode = mode
        return self.misbehaviour(request)

    def misbehaviour(self, request: Request) -> Response:
        """The mode in force and how many recipients were turned away."""
        return answer({"mode": self._intake.mode, "rejected": self._intake.rejected})


def _number(request: Request, name: str, default: int) -> int:
    value = request.args.get(name, "")
    if not value:
        return default
    if not value.isdecimal() or int(value) > LARGEST_ID:
        raise ApiError(422, f"{name} must be a number")
    return int(value)


def _framed(mail: Mail) -> str:
    """The mail's HTML with `cid:` addresses turned into its parts' (RFC 2392) and links sent to a new tab."""
    numbers = {part.content_id: number for number, part in enumerate(mail.parts) if part.content_id}

    def address(found: re.Match[str]) -> str:
        number = numbers.get(unquote(found[1]))
        return found[0] if number is None else f"/mails/{mail.id}/parts/{number}"

    body = _CID.sub(address, mail.html)
    opening = _HEAD.search(body) or _DOCTYPE.match(body)
    at = opening.end() if opening else 0
    return body[:at] + _BASE + body[at:]


def _json(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "to": list(mail.recipients),
        "from": mail.from_,
        "subject": mail.subject,
        "at": timestamp(mail.at),
        "text": mail.text,
        "html": mail.html,
        "headers": mail.headers,
        "links": mail.links,
    }
