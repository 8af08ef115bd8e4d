"""Bluesky's accounts and posts as pages, at the paths that bsky.app gives them.

Pictures and link cards are shown; embeds of other types are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from infra.local.platform.accounts import ACTIVE, Account, Accounts
from infra.local.platform.bluesky.lexicon import EXTERNAL, FACET, IMAGES, POST
from infra.local.platform.bluesky.repos import Record, Repos
from infra.local.platform.bluesky.richtext import content, pieces
from infra.local.platform.call import Call
from infra.local.platform.media import media_file
from infra.local.platform.pages import POSTS_PER_PAGE, Card, Face, Pages, Picture, Post, Profile, below
from infra.local.platform.visitors import Visitors
from infra.local.serving.answers import timestamp


class BlueskyPages:
    """The endpoints, and how the pages of both networks show what is Bluesky's."""

    def __init__(self, accounts: Accounts, repos: Repos, pages: Pages) -> None:
        self._accounts = accounts
        self._repos = repos
        self._pages = pages
        self._visitors = Visitors(accounts)

    def routes(self) -> list[Rule]:
        """Every page with its endpoint."""
        table: list[tuple[str, str, Callable[..., Response]]] = [
            ("GET", "/profile/<name>", self.account),
            ("GET", "/profile/<name>/post/<rkey>", self.post),
            ("POST", "/profile/<name>/post/<rkey>", self.reply),
            ("GET", "/blobs/<did>/<cid>", self.blob),
        ]
        return [Rule(path, methods=[method], endpoint=endpoint) for method, path, endpoint in table]

    def account(self, call: Call, name: str) -> Response:
        """An account's posts by key, newest first; none while it is closed."""
        account = self._account(name)
        before = call.request.args.get("before", "")
        found = self._repos.records(account.did, POST, POSTS_PER_PAGE + 1, before)
        found = found if account.state == ACTIVE else []
        shown = found[:POSTS_PER_PAGE]
        count, last_at = self.activity(account)
        face = self.face(call, account)
        return self._pages.account(
            Profile(
                face, Markup('<p class="lines">{}</p>').format(account.note), account.state, count, last_at
            ),
            [self._post(call, record) for record in shown],
            older=f"{face.url}?before={shown[-1].rkey}" if len(found) > len(shown) else "",
            newest=not before,
        )

    def post(self, call: Call, name: str, rkey: str) -> Response:
        """One post and what was answered."""
        record = self._open_post(name, rkey)
        parent = self._repos.at(record.answered) if record.answered else None
        return self._pages.post(
            self._post(call, record),
            self._post(call, parent) if parent else None,
            [
                replace(self._post(call, reply), depth=depth)
                for reply, depth in below(record, lambda answered: self._repos.replies_to(answered.uri))
            ],
        )

    def reply(self, call: Call, name: str, rkey: str) -> Response:
        """What a visitor answers; who wrote the post is told."""
        record = self._open_post(name, rkey)
        said = self._visitors.said(call, "bluesky")
        parent = {"uri": record.uri, "cid": record.cid}
        value = {
            "$type": POST,
            "text": said.text,
            "createdAt": timestamp(call.now),
            "reply": {"root": record.value.get("reply", {}).get("root", parent), "parent": parent},
        }
        self._repos.put(said.account, POST, self._repos.next_tid(), value)
        return redirect(f"/profile/{name}/post/{rkey}", HTTPStatus.SEE_OTHER)

    def blob(self, call: Call, did: str, cid: str) -> Response:
        """An upload that a record uses."""
        account = self._account(did)
        mime = self._repos.blob(account.id, cid, used=True)
        if mime is None:
            raise NotFound
        return media_file(self._repos.file(account.id, cid), mime, call)

    def face(self, call: Call, account: Account) -> Face:
        name = account.username
        handle = f"@{name}"
        return Face(account.display_name, handle, handle, account.avatar_path, f"/profile/{name}", "Bluesky")

    def activity(self, account: Account) -> tuple[int, datetime | None]:
        return self._repos.activity(account.id)

    def tagged(self, call: Call, tag: str) -> list[Post]:
        return [
            self._post(call, record)
            for record in self._repos.posts_with_text(tag)
            if tag.casefold() in map(str.casefold, _tags(record.value))
        ]

    def _open_post(self, name: str, rkey: str) -> Record:
        account = self._account(name)
        record = self._repos.record(account.did, POST, rkey)
        if record is None or account.state != ACTIVE:
            raise NotFound
        return record

    def _account(self, name: str) -> Account:
        account = self._accounts.on_bluesky(name)
        if account is None:
            raise NotFound
        return account

    def _post(self, call: Call, record: Record) -> Post:
        answered = self._repos.at(record.answered) if record.answered else None
        card = card_of(record.value)
        return Post(
            author=self.face(call, self._account(record.did)),
            url=self._url(record),
            at=record.indexed_at,
            content=content(record.value, self._address),
            language=next(iter(record.value.get("langs", [])), ""),
            pictures=[_picture(record.did, image) for image in images_of(record.value)],
            replies=len(self._repos.replies_to(record.uri)),
            answered=self.face(call, self._account(answered.did)) if answered else None,
            answered_url=self._url(answered) if answered else "",
            card=_card(record.did, card) if card else None,
        )

    def _url(self, record: Record) -> str:
        return f"/profile/{self._account(record.did).username}/post/{record.rkey}"

    def _address(self, feature: dict[str, Any]) -> str | None:
        kind = feature["$type"]
        if kind == f"{FACET}#link":
            return _web_address(feature["uri"]) or None
        if kind == f"{FACET}#tag":
            return f"/tags/{quote(feature['tag'], safe='')}"
        account = self._accounts.on_bluesky(feature["did"]) if kind == f"{FACET}#mention" else None
        return f"/profile/{account.username}" if account else None


def images_of(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The pictures of a post."""
    embed = value.get("embed", {})
    return list(embed["images"]) if embed.get("$type") == IMAGES else []


def card_of(value: dict[str, Any]) -> dict[str, Any] | None:
    """The link card of a post."""
    embed = value.get("embed", {})
    return dict(embed["external"]) if embed.get("$type") == EXTERNAL else None


def blob_path(did: str, blob: dict[str, Any]) -> str:
    """Where this server shows an upload."""
    return f"/blobs/{did}/{blob['ref']['$link']}"


def _picture(did: str, image: dict[str, Any]) -> Picture:
    shape = image.get("aspectRatio", {"width": 0, "height": 0})
    return Picture(blob_path(did, image["image"]), image["alt"], shape["width"], shape["height"])


def _card(did: str, card: dict[str, Any]) -> Card:
    picture = blob_path(did, card["thumb"]) if "thumb" in card else ""
    return Card(_web_address(card["uri"]), card["title"], card["description"], picture)


def _web_address(uri: str) -> str:
    return uri if uri.lower().startswith(("http://", "https://")) else ""


def _tags(value: dict[str, Any]) -> list[str]:
    tags = [feature["tag"] for _, feature in pieces(value) if feature and feature["$type"] == f"{FACET}#tag"]
    return [*tags, *value.get("tags", [])]
