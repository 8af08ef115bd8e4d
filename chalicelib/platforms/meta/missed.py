"""Comments and visitors' posts that an outage kept from a Facebook page, in the form that its webhook sends.

https://developers.facebook.com/docs/graph-api/reference/page/feed. Meta has no history of events, so what is
there now is listed: edits, removals, reactions and messages of that time are not, nor comments on old posts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.asking import pieces_of
from chalicelib.platforms.calls import time_of
from chalicelib.platforms.errors import AuthExpired
from chalicelib.platforms.inbound import Piece
from chalicelib.platforms.meta.configuration import (
    COMMENTS_AT_ONCE,
    COMMENTS_MOST,
    POSTS_AT_ONCE,
    RECENT_POSTS,
)
from chalicelib.platforms.meta.facebook import FacebookWebhook
from chalicelib.platforms.meta.graph import Graph, next_of
from chalicelib.platforms.port import AccountRef, SessionStore

_WRITTEN = "id,from,message,created_time,permalink_url"
_COMMENT = f"{_WRITTEN},parent{{id}}"
_POST = re.compile(r"[0-9_]{1,64}", re.ASCII)


class FacebookMissed:
    """Implements `BackFilling` with the credential `access_token` of the page."""

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._graph = Graph(http, clock)

    def missed(self, account: AccountRef, since: datetime, until: datetime) -> Sequence[Piece]:
        """What was written in that time on the page's latest posts, and by others on the page itself.

        A piece has the key that its delivery had. Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        if not account.credentials.get("access_token"):
            raise AuthExpired("There is no access token for this Facebook page; connect it again.")
        first, last = int(since.timestamp()), int(until.timestamp())
        entries = (
            {
                "id": account.external_id,
                "time": value["created_time"],
                "changes": [{"field": "feed", "value": value}],
            }
            for value in self._written(account, first)
            if first <= value["created_time"] <= last
        )
        bodies = ({"object": "page", "entry": [entry]} for entry in entries)
        return pieces_of(FacebookWebhook(), bodies, self._clock.now())

    def _written(self, account: AccountRef, since: int) -> Iterator[dict[str, Any]]:
        """What the webhook has as `value`, of posts and of comments made since that Unix time."""
        comments = f"comments.filter(stream).since({since}).limit({COMMENTS_AT_ONCE}){{{_COMMENT}}}"
        params = {"fields": f"{_WRITTEN},{comments}", "limit": str(POSTS_AT_ONCE)}
        for post in self._graph.items(account, f"{account.external_id}/feed", params, RECENT_POSTS):
            post_id = post.get("id")
            if not isinstance(post_id, str) or not _POST.fullmatch(post_id):
                continue
            about = {"post_id": post_id}
            if isinstance(post.get("from"), dict):  # else it may be the page's own, which says nothing
                yield from _value(post, {**about, "item": "post"})
            for comment in self._comments(account, post_id, post.get("comments"), since):
                parent = comment.get("parent")
                above = parent.get("id") if isinstance(parent, dict) else post_id
                ids = {"comment_id": comment.get("id"), "parent_id": above}
                yield from _value(comment, {**about, **ids, "item": "comment"})

    def _comments(
        self, account: AccountRef, post_id: str, first: Any, since: int
    ) -> Iterator[Mapping[str, Any]]:
        """Those that came with the post; all of them from the beginning where these were not all."""
        if not isinstance(first, dict):
            return
        if next_of(first):
            params = {"filter": "stream", "since": str(since), "limit": str(COMMENTS_AT_ONCE)}
            params["fields"] = _COMMENT
            yield from self._graph.items(account, f"{post_id}/comments", params, COMMENTS_MOST)
        elif isinstance(first.get("data"), list):
            yield from (each for each in first["data"] if isinstance(each, dict))


def _value(written: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Nothing for what has no time. The webhook writes as Unix seconds what is a text here."""
    made = time_of(written.get("created_time"))
    if made is not None:
        said = {name: written[name] for name in ("from", "message", "permalink_url") if name in written}
        yield {**said, **about, "verb": "add", "created_time": int(made.timestamp())}
