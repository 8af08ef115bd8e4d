"""The pages on which people see the posts of both networks: HTML and CSS, no script, everything escaped.

Each network turns what it keeps into the values below; the templates know only these.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, TypeVar

import regex
from markupsafe import Markup
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from infra.local.platform import avatars
from infra.local.platform.accounts import Account, Accounts
from infra.local.platform.call import Call
from infra.local.platform.visitors import NAME_CHARACTERS, TEXT_CHARACTERS
from infra.local.serving import html

POSTS_PER_PAGE = 40
DEEPEST_SHOWN = 8  # answers to answers to answers
HERE = Path(__file__).parent
AVATAR_COLOURS = (
    "#b4532a", "#8a5a2b", "#7a6a1f", "#4f7040", "#2f7368",
    "#336a8c", "#4e5c9e", "#7d4f8f", "#a0446c", "#9a4038",
)  # fmt: skip
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Face:
    """Who posts: `handle` as their network writes it among its own, `full_handle` as it does to others."""

    name: str
    handle: str
    full_handle: str
    avatar: str
    url: str
    network: str


@dataclass(frozen=True)
class Picture:
    """A picture or video; sizes are in pixels, 0 when not known."""

    url: str
    alt: str
    width: int
    height: int
    is_video: bool = False


@dataclass(frozen=True)
class Card:
    """A link as its author presents it; `url` is empty when no browser should open it."""

    url: str
    title: str
    description: str
    picture: str


@dataclass(frozen=True)
class Post:
    """A post with all its page shows; `note` is a word on who sees it, `warning` hides it at first.

    `depth` is how many answers stand between it and the post whose page it is on.
    """

    author: Face
    url: str
    at: datetime
    content: Markup
    language: str
    pictures: list[Picture]
    replies: int
    answered: Face | None
    answered_url: str
    card: Card | None = None
    warning: str = ""
    note: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Profile:
    """What an account's page says above its posts."""

    face: Face
    about: Markup
    state: str
    count: int
    last_at: datetime | None


class Network(Protocol):
    """How one network's accounts and posts are shown."""

    def face(self, call: Call, account: Account) -> Face: ...

    def activity(self, account: Account) -> tuple[int, datetime | None]: ...

    def tagged(self, call: Call, tag: str) -> list[Post]: ...


class Pages:
    """The pages that belong to no network, and what networks make theirs with."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._templates = html.environment(HERE / "templates")
        self.networks: dict[str, Network] = {}

    def routes(self) -> list[Rule]:
        """Every page with its endpoint."""
        table: list[tuple[str, Callable[..., Response]]] = [
            ("/", self.index),
            ("/tags/<tag>", self.tag),
            ("/avatars/<username>.svg", self.avatar),
            ("/avatars/<username>.png", self.picture),
            ("/base.css", lambda call: html.style(html.BASE_CSS)),
            ("/platform.css", lambda call: html.style(HERE / "static" / "platform.css")),
        ]
        return [Rule(path, methods=["GET"], endpoint=endpoint) for path, endpoint in table]

    def page(self, template: str, status: int = HTTPStatus.OK, **shown: object) -> Response:
        """A page made from a template."""
        body = self._templates.get_template(template).render(**shown, status=status)
        return html.page(body, status, POLICY)

    def account(self, profile: Profile, posts: list[Post], older: str, newest: bool) -> Response:
        """An account's posts as its readers see them; `older` leads to the next ones."""
        return self.page("account.html", profile=profile, posts=posts, older=older, newest=newest)

    def post(self, post: Post, parent: Post | None, replies: list[Post]) -> Response:
        """One post, what it answers, and all that was answered."""
        limits = {"name": NAME_CHARACTERS, "text": TEXT_CHARACTERS}
        return self.page("post.html", post=post, parent=parent, replies=replies, limits=limits)

    def index(self, call: Call) -> Response:
        """All accounts, those that posted last first."""
        listed = []
        for account in self._accounts.all():
            network = self.networks[account.network]
            listed.append((network.face(call, account), *network.activity(account)))
        listed.sort(key=lambda entry: entry[2].timestamp() if entry[2] else 0.0, reverse=True)
        return self.page("index.html", listed=listed)

    def tag(self, call: Call, tag: str) -> Response:
        """The newest posts that carry a hashtag, on either network."""
        posts = [post for network in self.networks.values() for post in network.tagged(call, tag)]
        posts.sort(key=lambda post: post.at, reverse=True)
        return self.page("tag.html", tag=tag, posts=posts[:POSTS_PER_PAGE])

    def avatar(self, call: Call, username: str) -> Response:
        """Initials on a colour that stays the account's own."""
        account = self._accounts.named(username)
        picture = self._templates.get_template("avatar.svg").render(
            initials=initials(account.display_name if account else username),
            colour=AVATAR_COLOURS[zlib.crc32(username.lower().encode()) % len(AVATAR_COLOURS)],
        )
        response = Response(picture, mimetype="image/svg+xml")
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        return response

    def picture(self, call: Call, username: str) -> Response:
        """The picture that an account chose."""
        account = self._accounts.named(username)
        if account is None or not account.avatar:
            raise NotFound
        return Response(avatars.picture(account.avatar), mimetype="image/png")

    def problem(self, status: int) -> Response:
        """A page for what is not here."""
        return self.page("problem.html", status)


T = TypeVar("T")


def below(post: T, replies_to: Callable[[T], list[T]], depth: int = 0) -> Iterator[tuple[T, int]]:
    """All that was answered, each answer under what it answers, with its depth."""
    for reply in replies_to(post):
        yield reply, depth
        if depth < DEEPEST_SHOWN:
            yield from below(reply, replies_to, depth + 1)


def initials(display_name: str) -> str:
    """First letters of the first and last word; one letter where a script has no capitals and may join."""
    firsts = [word[0] for word in regex.findall(r"[\p{L}\p{N}]+", display_name)]
    if not firsts:
        return "·"
    if firsts[0].upper() == firsts[0].lower() or len(firsts) == 1:
        return str(firsts[0].upper())
    return str((firsts[0] + firsts[-1]).upper())
