"""The few app.bsky.* queries that inboxes and previews need, answered from this server's own accounts.

Shapes: lexicons app.bsky.actor.defs, app.bsky.feed.defs and app.bsky.notification.listNotifications.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from infra.local.platform.accounts import ACTIVE, Account
from infra.local.platform.bluesky.call import XrpcCall, XrpcError
from infra.local.platform.bluesky.lexicon import EXTERNAL, IMAGES
from infra.local.platform.bluesky.pages import blob_path, card_of, images_of
from infra.local.platform.bluesky.repos import Notice, Record, Repos
from infra.local.platform.bluesky.sessions import Endpoint
from infra.local.platform.misbehave import Rules
from infra.local.serving.answers import answer, timestamp

_REASONS = ("mention", "reply")
_VERIFIED = {"verifications": [], "verifiedStatus": "valid", "trustedVerifierStatus": "none"}
_FILTERS = ("posts_with_replies", "posts_no_replies")


class AppView:
    """The endpoints; each takes the call."""

    def __init__(self, repos: Repos, rules: Rules) -> None:
        self._repos = repos
        self._rules = rules

    def endpoints(self) -> dict[str, Endpoint]:
        """What can be called, with its HTTP method."""
        return {
            "GET app.bsky.actor.getProfile": self.profile,
            "GET app.bsky.actor.searchActors": self.search,
            "GET app.bsky.feed.getAuthorFeed": self.author_feed,
            "GET app.bsky.notification.listNotifications": self.notifications,
        }

    def profile(self, call: XrpcCall) -> Response:
        """An account as others see it."""
        account = _actor(call)
        posts, _ = self._repos.activity(account.id)
        counts = {"followersCount": account.followers, "followsCount": 0, "postsCount": posts}
        website = {"website": account.website} if account.website else {}
        return answer({**_described(call, account), **website, **counts})

    def search(self, call: XrpcCall) -> Response:
        """Accounts of this server by words, without their figures."""
        words = call.request.args.get("q", call.request.args.get("term", ""))
        found = call.accounts.found("bluesky", words, call.limit(otherwise="25"))
        return answer({"actors": [_described(call, account) for account in found]})

    def author_feed(self, call: XrpcCall) -> Response:
        """An account's posts; a `lag` rule hides the youngest, as an AppView that is behind does."""
        account = _actor(call)
        lag: timedelta = self._rules.take_lag(account.username)
        wanted = call.request.args.get("filter", _FILTERS[0])
        if wanted not in _FILTERS:
            raise XrpcError(f"The local platform filters only by {' or '.join(_FILTERS)}")
        found = self._repos.feed(
            account.did, call.limit(), _cursor(call), indexed_before=call.now - lag if lag else None
        )
        shown = [post for post in found if wanted == _FILTERS[0] or post.answered is None]
        feed = [{"post": self._post(call, post)} for post in shown]
        return answer({"feed": feed, **({"cursor": str(found[-1].id)} if found else {})})

    def notifications(self, call: XrpcCall) -> Response:
        """Mentions and answers by accounts of this server."""
        account = call.reader()
        reasons = call.request.args.getlist("reasons") or _REASONS
        found = self._repos.notices_of(account.id, call.limit(), _cursor(call))
        shown = [self._notification(call, notice) for notice in found if notice.reason in reasons]
        return answer({"notifications": shown, **({"cursor": str(found[-1].id)} if found else {})})

    def _notification(self, call: XrpcCall, notice: Notice) -> dict[str, Any]:
        subject = {"reasonSubject": notice.subject} if notice.subject else {}
        return {
            "uri": notice.record.uri,
            "cid": notice.record.cid,
            "author": self._author_of(call, notice.record),
            "reason": notice.reason,
            **subject,
            "record": notice.record.value,
            "isRead": False,
            "indexedAt": timestamp(notice.at),
            "labels": [],
        }

    def _post(self, call: XrpcCall, record: Record) -> dict[str, Any]:
        embed = _embed(call, record)
        return {
            "uri": record.uri,
            "cid": record.cid,
            "author": self._author_of(call, record),
            "record": record.value,
            **({"embed": embed} if embed else {}),
            "replyCount": len(self._repos.replies_to(record.uri)),
            "repostCount": 0,
            "likeCount": 0,
            "quoteCount": 0,
            "indexedAt": timestamp(record.indexed_at),
            "labels": [],
        }

    def _author_of(self, call: XrpcCall, record: Record) -> dict[str, Any]:
        author = call.accounts.on_bluesky(record.did)
        if author is None:
            raise LookupError(record.did)
        return _author(call, author)


def _actor(call: XrpcCall) -> Account:
    account = call.find(call.param("actor"))
    if account is None:
        raise XrpcError("Profile not found")
    if account.state == "takendown":
        raise XrpcError("Account has been suspended", "AccountTakedown")
    if account.state != ACTIVE:
        raise XrpcError("Account is deactivated", "AccountDeactivated")
    return account


def _cursor(call: XrpcCall) -> str:
    cursor = call.request.args.get("cursor", "")
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise XrpcError("Malformed cursor")
    return cursor


def _author(call: XrpcCall, account: Account) -> dict[str, Any]:
    return {
        "did": account.did,
        "handle": account.username,
        "displayName": account.display_name,
        "avatar": call.base_url + account.avatar_path,
        "createdAt": timestamp(account.created_at),
        "labels": [],
        **({"verification": _VERIFIED} if account.verified else {}),
    }


def _described(call: XrpcCall, account: Account) -> dict[str, Any]:
    about = {"description": account.note, "indexedAt": timestamp(account.created_at)}
    return {**_author(call, account), **about}


def _embed(call: XrpcCall, record: Record) -> dict[str, Any] | None:
    """The view of a record's pictures or link card, with addresses of this server's own pages."""

    def address(blob: dict[str, Any]) -> str:
        return call.base_url + blob_path(record.did, blob)

    images, card = images_of(record.value), card_of(record.value)
    if images:
        shown = []
        for image in images:
            url = address(image["image"])
            shape = {"aspectRatio": image["aspectRatio"]} if "aspectRatio" in image else {}
            shown.append({"thumb": url, "fullsize": url, "alt": image["alt"], **shape})
        return {"$type": f"{IMAGES}#view", "images": shown}
    if card:
        thumb = {"thumb": address(card["thumb"])} if "thumb" in card else {}
        external = {name: card[name] for name in ("uri", "title", "description")}
        return {"$type": f"{EXTERNAL}#view", "external": {**external, **thumb}}
    return None
