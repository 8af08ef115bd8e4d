"""Polls a channel's comments: WebSub says nothing of them. A quiet poll is one call, which costs one unit.

https://developers.google.com/youtube/v3/docs/commentThreads/list and /comments/list. Threads come newest
first, each with a few of its answers and with how many there are: only where that number has grown by more
than is shown are all answers of the thread read. Edits and answers are seen under the newest hundred threads;
deletions, and answers under older threads, are out of a poll's reach.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from chalicelib.core.clock import Clock, from_text, to_text
from chalicelib.core.http import HttpClient
from chalicelib.platforms.calls import time_of
from chalicelib.platforms.errors import AdapterError, Rejected, Unavailable
from chalicelib.platforms.inbound import Piece, Polled
from chalicelib.platforms.port import AccountRef, SessionStore
from chalicelib.platforms.youtube.reader import DataApi

_PAGE = "100"
_WALKED_FOR = timedelta(seconds=15)
_ANSWER_PAGES_MOST = 10  # YouTube shows no more than 500 answers of a comment
# A comment may appear a while after the time that it carries, when it was looked at before it was shown.
_SETTLES_FOR = timedelta(minutes=10)
_SEEN_MOST = 1_000
_UNDOCUMENTED = "YouTube's comments are not of the form that it documents; they are asked for again later."


@dataclass(frozen=True)
class _Place:
    """Where a poll goes on: with what was written or edited from `after` on and is not among the `seen`.

    `answers`: how many each thread had. `back` is YouTube's token of the next page when a poll stopped before
    it came down to `after`; `newest` is then the latest time it saw, from which the next `after` follows.
    """

    after: str
    seen: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, int] = field(default_factory=dict)
    back: str = ""
    newest: str = ""

    @classmethod
    def of(cls, cursor: str) -> Self:
        return cls(**json.loads(cursor))

    def as_cursor(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True)
class _Comment:
    """A comment as it was said, with the time of its latest version."""

    at: datetime
    made_at: datetime
    digest: str
    piece: Piece


@dataclass(frozen=True)
class _Thread:
    thread_id: str
    top: _Comment
    shown: tuple[_Comment, ...]
    answers: int


class YouTubeComments:
    """Implements `Polling` with the account's `access_token`, or an `api_key` of the application."""

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._api = DataApi(http, clock)

    def poll(self, account: AccountRef, cursor: str) -> Polled:
        """As `Polling.poll` says. What was read before a failure is given; the failure comes next time."""
        if not (account.credentials.get("access_token") or account.credentials.get("api_key")):
            raise Rejected(
                "The channel's comments cannot be read: add api_key or access_token to its credentials."
            )
        if not cursor:
            threads, _ = self._page(account, "")
            there = {c.digest: c for thread in threads for c in (thread.top, *thread.shown)}
            answers = {thread.thread_id: thread.answers for thread in threads}
            start = _Place(to_text(self._clock.now() - _SETTLES_FOR), answers=answers)
            return Polled((), self._next(start, there).as_cursor())
        place = _Place.of(cursor)
        try:
            found, walked = self._walk(account, place)
        except Rejected:
            if not place.back:
                raise
            # The token of the next page has ended: from the top again, past what is known.
            return Polled((), replace(place, back="", newest="").as_cursor(), more=True)
        fresh = sorted((c for c in found.values() if c.digest not in place.seen), key=lambda c: c.at)
        return Polled(tuple(c.piece for c in fresh), walked.as_cursor(), bool(walked.back))

    def _walk(self, account: AccountRef, place: _Place) -> tuple[dict[str, _Comment], _Place]:
        """What was written since, by digest, and the place after it."""
        after, token = from_text(place.after), place.back
        found: dict[str, _Comment] = {}
        answers = dict(place.answers) if token else {}
        started, is_first = self._clock.now(), True
        while is_first or (token and self._clock.now() - started < _WALKED_FOR):
            try:
                threads, following = self._page(account, token)
                for thread in threads:
                    found |= {c.digest: c for c in self._new_in(account, place, thread) if c.at >= after}
            except AdapterError:
                if is_first:
                    raise
                break
            answers |= {thread.thread_id: thread.answers for thread in threads}
            is_there = bool(threads) and threads[-1].top.made_at < after
            token, is_first = "" if is_there or following == token else following, False
        return found, self._next(replace(place, answers=answers, back=token), found)

    def _new_in(self, account: AccountRef, place: _Place, thread: _Thread) -> Iterator[_Comment]:
        """The thread's first comment and its answers: those that came with it, or all if new ones did not."""
        yield thread.top
        after = from_text(place.after)
        new = sum(answer.made_at >= after and answer.digest not in place.seen for answer in thread.shown)
        grown = thread.answers - place.answers.get(thread.thread_id, 0)
        if thread.answers > len(thread.shown) and grown > new:
            yield from self._answers(account, thread)
        else:
            yield from thread.shown

    def _answers(self, account: AccountRef, thread: _Thread) -> Iterator[_Comment]:
        token = ""  # nosec B105 - of the first page
        for _ in range(_ANSWER_PAGES_MOST):
            items, token = self._ask(account, "comments", token, parentId=thread.thread_id, part="snippet")
            for item in items:
                yield _comment(account, item, thread.thread_id, thread.top.piece["video"])
            if not token:
                return

    def _page(self, account: AccountRef, token: str) -> tuple[list[_Thread], str]:
        items, following = self._ask(
            account,
            "commentThreads",
            token,
            allThreadsRelatedToChannelId=account.external_id,
            part="snippet,replies",
            order="time",
        )
        return [_thread(account, item) for item in items], following

    def _ask(
        self, account: AccountRef, name: str, token: str, **params: str
    ) -> tuple[list[dict[str, Any]], str]:
        params |= {"maxResults": _PAGE, "textFormat": "plainText"} | ({"pageToken": token} if token else {})
        return self._api.page(account.server, account.credentials, name, **params)

    def _next(self, place: _Place, found: Mapping[str, _Comment]) -> _Place:
        """The place after a walk: its `after` moves on when it came down to the last one's."""
        told = {**place.seen, **{c.digest: to_text(c.at) for c in found.values()}}
        seen = sorted(((at, digest) for digest, at in told.items()), reverse=True)[:_SEEN_MOST]
        # A time ahead of ours would hide everything until then.
        latest = max((min(c.at, self._clock.now()) for c in found.values()), default=None)
        newest = max(place.newest, place.after, to_text(latest) if latest else "")
        if place.back:
            return replace(place, seen={digest: at for at, digest in seen}, newest=newest)
        after = max(place.after, to_text(from_text(newest) - _SETTLES_FOR))
        if len(seen) == _SEEN_MOST:  # what is older than all of them was told, too
            after = max(after, seen[-1][0])
        return _Place(after, {digest: at for at, digest in seen if at >= after}, place.answers)


def _thread(account: AccountRef, item: Mapping[str, Any]) -> _Thread:
    """Raises Unavailable for what cannot be put in order."""
    thread_id, said = item.get("id"), item.get("snippet")
    if not isinstance(thread_id, str) or not isinstance(said, dict):
        raise Unavailable(_UNDOCUMENTED)
    video, answers, shown = said.get("videoId", ""), said.get("totalReplyCount"), item.get("replies") or {}
    listed = shown.get("comments", []) if isinstance(shown, dict) else None
    if not isinstance(video, str) or not isinstance(answers, int) or not isinstance(listed, list):
        raise Unavailable(_UNDOCUMENTED)
    top = _comment(account, said.get("topLevelComment"), thread_id, video)
    return _Thread(thread_id, top, tuple(_comment(account, c, thread_id, video) for c in listed), answers)


def _comment(account: AccountRef, item: Any, thread_id: str, video: str) -> _Comment:
    """Raises Unavailable for what cannot be put in order."""
    comment_id = item.get("id") if isinstance(item, dict) else None
    said = item.get("snippet") if isinstance(item, dict) else None
    made_at = time_of(said.get("publishedAt")) if isinstance(said, dict) else None
    if not isinstance(comment_id, str) or not isinstance(said, dict) or made_at is None:
        raise Unavailable(_UNDOCUMENTED)
    at = max(time_of(said.get("updatedAt")) or made_at, made_at)
    digest = sha256(f"{comment_id} {to_text(at)}".encode()).hexdigest()[:16]
    about = {"account": account.external_id, "thread": thread_id, "video": video}
    return _Comment(at, made_at, digest, {**about, "comment": {"id": comment_id, "snippet": said}})
