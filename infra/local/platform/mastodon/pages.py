"""Mastodon's accounts and posts as pages, at the addresses that Mastodon gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from werkzeug.routing import Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from infra.local.platform.accounts import Account, Accounts
from infra.local.platform.call import Call, as_id
from infra.local.platform.mastodon.call import NOT_FOUND, parse_id
from infra.local.platform.mastodon.entities import Entities
from infra.local.platform.mastodon.model import SHOWN_TO_ALL, Draft, Status, Window
from infra.local.platform.mastodon.statuses import Statuses
from infra.local.platform.mastodon.text import pieces
from infra.local.platform.media import media_file
from infra.local.platform.pages import POSTS_PER_PAGE, Face, Pages, Picture, Post, Profile, below
from infra.local.platform.visitors import Visitors


class MastodonPages:
    """The endpoints, and how the pages of both networks show what is Mastodon's."""

    def __init__(self, accounts: Accounts, statuses: Statuses, pages: Pages) -> None:
        self._accounts = accounts
        self._statuses = statuses
        self._pages = pages
        self._visitors = Visitors(accounts)

    def routes(self) -> list[Rule]:
        """Every page with its endpoint."""
        table = [
            ("GET", "/@<username>", self.account),
            ("GET", "/@<username>/<status_id>", self.status),
            ("POST", "/@<username>/<status_id>", self.reply),
            ("GET", "/media/<media_id>", self.media),
        ]
        return [Rule(path, methods=[method], endpoint=endpoint) for method, path, endpoint in table]

    def account(self, call: Call, username: str) -> Response:
        """An account's posts; a Bluesky handle leads to its own page."""
        if self._accounts.on_bluesky(username):
            return redirect(f"/profile/{username}")
        account = self._account(username)
        max_id = as_id(call.request.args.get("max_id", ""))
        found = self._statuses.statuses_of(account.id, Window(POSTS_PER_PAGE + 1, max_id=max_id))
        found = found if account.state != "suspended" else []
        shown = found[:POSTS_PER_PAGE]
        count, last_at = self.activity(account)
        face = self.face(call, account)
        return self._pages.account(
            Profile(face, self._entities(call).content(account.note), account.state, count, last_at),
            [self._post(call, status) for status in shown],
            older=f"{face.url}?max_id={shown[-1].id}" if len(found) > len(shown) else "",
            newest=max_id is None,
        )

    def status(self, call: Call, username: str, status_id: str) -> Response:
        """One post and what was answered."""
        status = self._status(username, status_id)
        parent = self._statuses.status(status.in_reply_to_id) if status.in_reply_to_id else None
        return self._pages.post(
            self._post(call, status),
            self._post(call, parent) if parent and parent.visibility in SHOWN_TO_ALL else None,
            [
                replace(self._post(call, reply), depth=depth)
                for reply, depth in below(status, lambda answered: self._statuses.replies_to(answered.id))
            ],
        )

    def reply(self, call: Call, username: str, status_id: str) -> Response:
        """What a visitor answers; who wrote the post is told."""
        status = self._status(username, status_id)
        said = self._visitors.said(call, "mastodon")
        named = {account.id for account in self._entities(call).mentions(said.text)}
        draft = Draft(
            text=said.text,
            spoiler_text="",
            sensitive=False,
            visibility="public",
            language="",  # whatever the passer-by speaks
            in_reply_to=status,
            media_ids=(),
            notify=frozenset(named | {status.account_id}),
        )
        self._statuses.create_status(said.account, draft, None)
        return redirect(f"/@{username}/{status.id}", HTTPStatus.SEE_OTHER)

    def media(self, call: Call, media_id: str) -> Response:
        """An upload, once it is processed."""
        media = self._statuses.media(parse_id(media_id))
        if media is None or media.ready_at > call.now:
            raise NOT_FOUND
        return media_file(self._statuses.file(media.id), media.mime, call)

    def face(self, call: Call, account: Account) -> Face:
        name = account.username
        full = f"@{name}@{call.domain}"
        return Face(account.display_name, f"@{name}", full, account.avatar_path, f"/@{name}", "Mastodon")

    def activity(self, account: Account) -> tuple[int, datetime | None]:
        return self._statuses.activity(account.id)

    def tagged(self, call: Call, tag: str) -> list[Post]:
        return [
            self._post(call, status)
            for status in self._statuses.public_with_text(f"#{tag}")
            if tag.casefold()
            in (piece.name.casefold() for piece in pieces(status.text) if piece.kind == "tag")
        ]

    def _status(self, username: str, status_id: str) -> Status:
        account, status = self._account(username), self._statuses.status(parse_id(status_id))
        if status is None or status.account_id != account.id or status.visibility not in SHOWN_TO_ALL:
            raise NOT_FOUND
        return status

    def _account(self, username: str) -> Account:
        account = self._accounts.on_mastodon(username)
        if account is None:
            raise NOT_FOUND
        return account

    def _entities(self, call: Call) -> Entities:
        return Entities(self._accounts, self._statuses, call.base_url)

    def _post(self, call: Call, status: Status) -> Post:
        author = self._accounts.by_id(status.account_id)
        if author is None:
            raise NOT_FOUND
        answered = status.in_reply_to_account_id and self._accounts.by_id(status.in_reply_to_account_id)
        face = self.face(call, answered) if answered else None
        pictures = [
            Picture(f"/media/{item.id}", item.description, item.width, item.height, item.kind == "video")
            for item in self._statuses.attached_to(status.id)
        ]
        return Post(
            author=self.face(call, author),
            url=f"/@{author.username}/{status.id}",
            at=status.created_at,
            content=self._entities(call).content(status.text),
            language=status.language,
            pictures=pictures,
            replies=len(self._statuses.replies_to(status.id)),
            answered=face,
            answered_url=f"{face.url}/{status.in_reply_to_id}" if face else "",
            warning=status.spoiler_text or ("Sensitive content" if status.sensitive else ""),
            note="Unlisted" if status.visibility == "unlisted" else "",
        )
