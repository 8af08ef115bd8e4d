"""The part of Mastodon's client API that publishing, reading back and inboxes need.

Source: docs.joinmastodon.org/methods.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from infra.local.platform.accounts import Account, Accounts
from infra.local.platform.database import Database
from infra.local.platform.mastodon import text as texts
from infra.local.platform.mastodon.call import NOT_FOUND, MastodonCall, parse_id
from infra.local.platform.mastodon.model import SHOWN_TO_ALL, VISIBILITIES, Draft, Media, Status
from infra.local.platform.mastodon.statuses import (
    MediaNotReadyError,
    MixedMediaError,
    Statuses,
    UnknownMediaError,
)
from infra.local.platform.media import ATTACHMENTS, DESCRIPTION_CHARACTERS, MediaRefusedError, inspect
from infra.local.platform.misbehave import Rules
from infra.local.platform.settings import Settings, Stats
from infra.local.serving.answers import ApiError, answer

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_UNSUPPORTED = ("poll", "scheduled_at", "quoted_status_id")
Endpoint = Callable[..., Response]


class Api:
    """The endpoints; each takes the call and what its path names."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        statuses: Statuses,
        rules: Rules,
        settings: Settings,
        stats: Stats,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._statuses = statuses
        self._rules = rules
        self._settings = settings
        self._stats = stats

    def routes(self) -> list[Rule]:
        """Every path of the API with its endpoint."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/api/v1/instance", self.instance_v1),
            ("GET", "/api/v2/instance", self.instance),
            ("GET", "/api/v1/accounts/verify_credentials", self.verify_credentials),
            ("GET", "/api/v1/accounts/lookup", self.lookup),
            ("GET", "/api/v1/accounts/<account_id>", self.account),
            ("GET", "/api/v2/search", self.search),
            ("GET", "/api/v1/accounts/<account_id>/statuses", self.account_statuses),
            ("POST", "/api/v1/statuses", self.create_status),
            ("GET", "/api/v1/statuses/<status_id>", self.status),
            ("GET", "/api/v1/statuses/<status_id>/context", self.context),
            ("DELETE", "/api/v1/statuses/<status_id>", self.delete_status),
            ("POST", "/api/v2/media", self.upload),
            ("GET", "/api/v1/media/<media_id>", self.media),
            ("PUT", "/api/v1/media/<media_id>", self.describe),
            ("GET", "/api/v1/notifications", self.notifications),
        ]
        return [Rule(path, methods=[method], endpoint=endpoint) for method, path, endpoint in table]

    def instance(self, call: MastodonCall) -> Response:
        """Name, version and limits."""
        return answer(call.entities.instance())

    def instance_v1(self, call: MastodonCall) -> Response:
        """The same in the older shape."""
        return answer(call.entities.instance_v1())

    def verify_credentials(self, call: MastodonCall) -> Response:
        """The account the token acts for."""
        return answer(call.entities.own_account(call.author))

    def lookup(self, call: MastodonCall) -> Response:
        """An account by name, with or without this server's domain."""
        username, _, domain = call.text("acct").removeprefix("@").partition("@")
        account = self._accounts.on_mastodon(username)
        if account is None or domain not in ("", call.domain):
            raise NOT_FOUND
        return answer(call.entities.account(account))

    def account(self, call: MastodonCall, account_id: str) -> Response:
        """An account by id."""
        return answer(call.entities.account(self._account(account_id)))

    def account_statuses(self, call: MastodonCall, account_id: str) -> Response:
        """An account's posts; a `lag` rule hides the youngest, as a slow replica would."""
        account = self._account(account_id)
        if account.state == "suspended":
            return call.page([], [])
        lag = self._rules.take_lag(account.username)
        if call.flag("only_media") or call.flag("pinned") or call.text("tagged"):
            raise ApiError(422, "The local platform cannot filter by only_media, pinned or tagged")
        statuses = self._statuses.statuses_of(
            account.id,
            call.window(default=20, most=40),
            all_visible=call.account is not None and call.account.id == account.id,
            exclude_replies=call.flag("exclude_replies"),
            created_before=call.now - lag if lag else None,
        )
        shown = [call.entities.status(status, call.account) for status in statuses]
        return call.page(shown, [status.id for status in statuses])

    def search(self, call: MastodonCall) -> Response:
        """Accounts of this server by words; a stranger may neither resolve nor leaf through."""
        refused = {"resolve": "that resolve remote resources are", "offset": "pagination is"}
        for name, what in refused.items():
            if call.account is None and call.flag(name):
                raise ApiError(401, f"Search queries {what} not supported without authentication")
        wanted = call.text("type") or "accounts"
        limit = call.window(default=20, most=40).limit
        found = self._accounts.found("mastodon", call.text("q"), limit) if wanted == "accounts" else []
        shown = [call.entities.account(account) for account in found]
        return answer({"accounts": shown, "statuses": [], "hashtags": []})

    def status(self, call: MastodonCall, status_id: str) -> Response:
        """One post."""
        return answer(call.entities.status(self._status(call, status_id), call.account))

    def context(self, call: MastodonCall, status_id: str) -> Response:
        """What a post answers, and what answers it."""
        status = self._status(call, status_id)
        above: list[Status] = []
        parent = status
        while parent.in_reply_to_id and (found := self._statuses.status(parent.in_reply_to_id)):
            parent = found
            above.insert(0, parent)
        below = self._statuses.replies_to(status.id)
        for reply in below:
            below += self._statuses.replies_to(reply.id)
        return answer(
            {
                "ancestors": [
                    call.entities.status(found, call.account) for found in above if self._shown(call, found)
                ],
                "descendants": [call.entities.status(found, call.account) for found in below],
            }
        )

    def create_status(self, call: MastodonCall) -> Response:
        """Publish; a repeated Idempotency-Key gets the first post again and makes no second one."""
        author, key = call.author, call.request.headers.get("Idempotency-Key")
        with self._db.one_at_a_time():
            known = self._statuses.status_id_for_key(author, key) if key else None
            if known is not None:
                self._stats.count_replay()
                status = self._statuses.status(known)
                if status is None:
                    raise NOT_FOUND
            else:
                status = self._publish(author, self._draft(call), key)
        return answer(call.entities.status(status, author))

    def _publish(self, author: Account, draft: Draft, key: str | None) -> Status:
        try:
            return self._statuses.create_status(author, draft, key)
        except UnknownMediaError as unknown:
            ids = ", ".join(map(str, unknown.ids))
            raise ApiError(422, f"Media {ids} not found or already attached to another post") from None
        except MixedMediaError:
            raise ApiError(422, "Cannot attach a video to a post that already contains images") from None
        except MediaNotReadyError:
            message = "Cannot attach files that have not finished processing. Try again in a moment!"
            raise ApiError(422, message) from None

    def _draft(self, call: MastodonCall) -> Draft:
        for name in _UNSUPPORTED:
            if call.text(name) or call.texts(f"{name}[options]"):
                raise ApiError(422, f"The local platform does not support {name}")
        text, spoiler_text = call.text("status"), call.text("spoiler_text")
        if not text.strip():
            text, spoiler_text = spoiler_text, ""
        media_ids = tuple(dict.fromkeys(parse_id(media_id) for media_id in call.texts("media_ids")))
        visibility = call.text("visibility") or "public"
        if len(media_ids) > ATTACHMENTS:
            raise ApiError(422, f"Cannot attach more than {ATTACHMENTS} files")
        if not text.strip() and not media_ids:
            raise ApiError(422, "Validation failed: Text can't be blank")
        if texts.length(text, spoiler_text) > texts.MAX_CHARACTERS:
            raise ApiError(422, f"Validation failed: Text character limit of {texts.MAX_CHARACTERS} exceeded")
        if visibility not in VISIBILITIES:
            raise ApiError(422, "Validation failed: Visibility is not included in the list")
        parent = self._answered(call)
        notify = {account.id for account in call.entities.mentions(text)}
        return Draft(
            text=text,
            spoiler_text=spoiler_text,
            sensitive=call.flag("sensitive") or bool(spoiler_text),
            visibility=visibility,
            language=call.text("language") if _LANGUAGE.fullmatch(call.text("language")) else "en",
            in_reply_to=parent,
            media_ids=media_ids,
            notify=frozenset(notify | ({parent.account_id} if parent else set())),
        )

    def _answered(self, call: MastodonCall) -> Status | None:
        if not call.text("in_reply_to_id"):
            return None
        try:
            return self._status(call, call.text("in_reply_to_id"))
        except ApiError:
            raise ApiError(404, "The post you are trying to reply to does not appear to exist.") from None

    def delete_status(self, call: MastodonCall, status_id: str) -> Response:
        """Delete an own post; the answer carries its source text so that it can be redrafted."""
        author = call.author
        status = self._status(call, status_id)
        if status.account_id != author.id:
            raise NOT_FOUND
        shown = {**call.entities.status(status, author), "text": status.text}
        self._statuses.delete_status(status)
        return answer(shown)

    def upload(self, call: MastodonCall) -> Response:
        """Take a file: 200 when it is ready at once, 202 while it is processed."""
        author = call.author
        file = call.request.files.get("file")
        if file is None:
            raise ApiError(422, "Validation failed: File can't be blank")
        data = file.stream.read()
        try:
            kind = inspect(data)
        except MediaRefusedError as refused:
            raise ApiError(422, str(refused)) from None
        ready_at = call.now + timedelta(seconds=self._settings.processing_seconds)
        media = self._statuses.save_media(author, data, kind, _description(call), _focus(call), ready_at)
        ready = media.ready_at <= call.now
        return answer(call.entities.media(media, call.now), HTTPStatus.OK if ready else HTTPStatus.ACCEPTED)

    def media(self, call: MastodonCall, media_id: str) -> Response:
        """An own upload: 206 while it is processed, 200 afterwards."""
        media = self._own_media(call, media_id)
        ready = media.ready_at <= call.now
        return answer(
            call.entities.media(media, call.now), HTTPStatus.OK if ready else HTTPStatus.PARTIAL_CONTENT
        )

    def describe(self, call: MastodonCall, media_id: str) -> Response:
        """Change an upload's alt text or focal point before it is posted."""
        media = self._own_media(call, media_id)
        focus = _focus(call) if call.text("focus") else media.focus
        self._statuses.describe_media(media, _description(call) or media.description, focus)
        return self.media(call, media_id)

    def notifications(self, call: MastodonCall) -> Response:
        """Mentions and answers; every notification of this server is of type `mention`."""
        author = call.author
        wanted = call.texts("types")
        if (wanted and "mention" not in wanted) or "mention" in call.texts("exclude_types"):
            return call.page([], [])
        found = self._statuses.notifications_of(author.id, call.window(default=40, most=80))
        shown = [call.entities.notification(notification, author) for notification in found]
        return call.page([item for item in shown if item], [notification.id for notification in found])

    def _account(self, account_id: str) -> Account:
        account = self._accounts.by_id(parse_id(account_id))
        if account is None or account.network != "mastodon":
            raise NOT_FOUND
        return account

    def _own_media(self, call: MastodonCall, media_id: str) -> Media:
        media = self._statuses.media(parse_id(media_id))
        if media is None or media.account_id != call.author.id or media.status_id is not None:
            raise NOT_FOUND
        return media

    def _status(self, call: MastodonCall, status_id: str) -> Status:
        status = self._statuses.status(parse_id(status_id))
        if status is None or not self._shown(call, status):
            raise NOT_FOUND
        return status

    def _shown(self, call: MastodonCall, status: Status) -> bool:
        if status.visibility in SHOWN_TO_ALL:
            return True
        if call.account is None:
            return False
        readers = {status.account_id, *(account.id for account in call.entities.mentions(status.text))}
        return call.account.id in readers


def _description(call: MastodonCall) -> str:
    description = call.text("description")
    if len(description) > DESCRIPTION_CHARACTERS:
        raise ApiError(
            422,
            f"Validation failed: Description is too long (maximum is {DESCRIPTION_CHARACTERS} characters)",
        )
    return description


def _focus(call: MastodonCall) -> tuple[float, float]:
    """Two numbers from -1 to 1, as `x,y`; the middle when nothing usable was sent."""
    try:
        x, y = (max(-1.0, min(1.0, float(part))) for part in call.text("focus").split(","))
    except ValueError:
        return (0.0, 0.0)
    return (x, y)
