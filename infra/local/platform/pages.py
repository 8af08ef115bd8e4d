"""The pages on which people see the posts: plain HTML and CSS, no script, everything escaped."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import regex
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.routing import Rule
from werkzeug.utils import send_file
from werkzeug.wrappers import Response

from infra.local.platform.call import NOT_FOUND, Call, parse_id
from infra.local.platform.entities import Entities
from infra.local.platform.model import SHOWN_TO_ALL, Account, Media, Status, Window
from infra.local.platform.store import Store
from infra.local.platform.text import pieces

POSTS_PER_PAGE = 40
HERE = Path(__file__).parent
AVATAR_COLOURS = (
    "#b4532a", "#8a5a2b", "#7a6a1f", "#4f7040", "#2f7368",
    "#336a8c", "#4e5c9e", "#7d4f8f", "#a0446c", "#9a4038",
)  # fmt: skip
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Post:
    """A status with all its page shows."""

    status: Status
    author: Account
    content: Markup
    media: list[Media]
    replies: int
    answered: Account | None


def day_and_time(at: datetime) -> str:
    """Such as `22 Nov 2026, 14:05:03 UTC`: to the second, because that is what is being watched."""
    return at.astimezone(UTC).strftime("%-d %b %Y, %H:%M:%S UTC")


def initials(display_name: str) -> str:
    """First letters of the first and last word; one letter where a script has no capitals and may join."""
    firsts = [word[0] for word in regex.findall(r"[\p{L}\p{N}]+", display_name)]
    if not firsts:
        return "·"
    if firsts[0].upper() == firsts[0].lower() or len(firsts) == 1:
        return str(firsts[0].upper())
    return str((firsts[0] + firsts[-1]).upper())


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


def html(body: str, status: int = HTTPStatus.OK, policy: str = POLICY) -> Response:
    """A page that loads nothing from elsewhere and is never cached."""
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return Response(body, status=status, headers=headers, mimetype="text/html")


class Pages:
    """The endpoints that answer with HTML, pictures and style."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._templates = environment(HERE / "templates")

    def routes(self) -> list[Rule]:
        """Every page with its endpoint."""
        table = [
            ("/", self.index),
            ("/@<username>", self.account),
            ("/@<username>/<status_id>", self.status),
            ("/tags/<tag>", self.tag),
            ("/media/<media_id>", self.media),
            ("/avatars/<username>.svg", self.avatar),
            ("/style.css", self.style),
        ]
        return [Rule(path, methods=["GET"], endpoint=endpoint) for path, endpoint in table]

    def index(self, call: Call) -> Response:
        """All accounts, those that posted last first."""
        listed = [(account, *self._store.activity(account.id)) for account in self._store.accounts()]
        listed.sort(key=lambda entry: entry[2].timestamp() if entry[2] else 0.0, reverse=True)
        return html(self._templates.get_template("index.html").render(listed=listed))

    def account(self, call: Call, username: str) -> Response:
        """An account's posts as its readers see them."""
        account = self._account(username)
        statuses = self._store.statuses_of(
            account.id, Window(POSTS_PER_PAGE + 1, max_id=call.id_of("max_id"))
        )
        posts = [self._post(call.entities, status) for status in statuses[:POSTS_PER_PAGE]]
        count, last_at = self._store.activity(account.id)
        page = self._templates.get_template("account.html").render(
            account=account,
            note=call.entities.content(account.note),
            posts=posts,
            count=count,
            last_at=last_at,
            older=posts[-1].status.id if len(statuses) > POSTS_PER_PAGE else None,
            newest=call.id_of("max_id") is None,
        )
        return html(page)

    def status(self, call: Call, username: str, status_id: str) -> Response:
        """One post and what was answered."""
        account, status = self._account(username), self._store.status(parse_id(status_id))
        if status is None or status.account_id != account.id or status.visibility not in SHOWN_TO_ALL:
            raise NOT_FOUND
        parent = self._store.status(status.in_reply_to_id) if status.in_reply_to_id else None
        shown = parent is not None and parent.visibility in SHOWN_TO_ALL
        page = self._templates.get_template("status.html").render(
            account=account,
            parent=self._post(call.entities, parent) if parent and shown else None,
            post=self._post(call.entities, status),
            replies=[self._post(call.entities, reply) for reply in self._store.replies_to(status.id)],
        )
        return html(page)

    def tag(self, call: Call, tag: str) -> Response:
        """The newest posts that carry a hashtag."""
        carrying = [
            self._post(call.entities, status)
            for status in self._store.public_with_text(f"#{tag}")
            if tag.casefold()
            in (piece.name.casefold() for piece in pieces(status.text) if piece.kind == "tag")
        ]
        return html(self._templates.get_template("tag.html").render(tag=tag, posts=carrying[:POSTS_PER_PAGE]))

    def _account(self, username: str) -> Account:
        account = self._store.account_named(username)
        if account is None:
            raise NOT_FOUND
        return account

    def _post(self, entities: Entities, status: Status) -> Post:
        author = self._store.account(status.account_id)
        if author is None:
            raise NOT_FOUND
        answered = status.in_reply_to_account_id
        return Post(
            status=status,
            author=author,
            content=entities.content(status.text),
            media=self._store.attached_to(status.id),
            replies=len(self._store.replies_to(status.id)),
            answered=self._store.account(answered) if answered else None,
        )

    def media(self, call: Call, media_id: str) -> Response:
        """An upload's bytes, with the type they were found to have, once it is processed."""
        media = self._store.media(parse_id(media_id))
        if media is None or media.ready_at > call.now:
            raise NOT_FOUND
        response = send_file(
            self._store.file(media.id),
            call.request.environ,
            mimetype=media.mime,
            response_class=Response,
            max_age=3600,
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    def avatar(self, call: Call, username: str) -> Response:
        """Initials on a colour that stays the account's own."""
        account = self._store.account_named(username)
        picture = self._templates.get_template("avatar.svg").render(
            initials=initials(account.display_name if account else username),
            colour=AVATAR_COLOURS[zlib.crc32(username.lower().encode()) % len(AVATAR_COLOURS)],
        )
        response = Response(picture, mimetype="image/svg+xml")
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        return response

    def style(self, call: Call) -> Response:
        """The one style sheet."""
        return Response((HERE / "static" / "style.css").read_text(), mimetype="text/css")

    def problem(self, status: int) -> Response:
        """A page for what is not here."""
        return html(self._templates.get_template("problem.html").render(status=status), status)
