"""One call of Mastodon's API: who makes it, what it carries, and the errors it can end in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Response

from infra.local.platform.accounts import Account
from infra.local.platform.call import Call, as_id
from infra.local.platform.mastodon.entities import Entities
from infra.local.platform.mastodon.model import Window
from infra.local.serving.answers import NOT_READABLE, ApiError, answer, json_body

NOT_FOUND = ApiError(HTTPStatus.NOT_FOUND, "Record not found")
_FALSE = ("false", "0", "f", "off", "")


@dataclass
class MastodonCall(Call):
    """A request with its account and the means to answer it."""

    account: Account | None
    entities: Entities

    @property
    def author(self) -> Account:
        """The account that calls. Raises ApiError 401 without a valid token, 403 when it is suspended."""
        if self.account is None:
            raise ApiError(HTTPStatus.UNAUTHORIZED, "The access token is invalid")
        if self.account.state == "suspended":
            raise ApiError(HTTPStatus.FORBIDDEN, "Your login is currently disabled")
        return self.account

    @cached_property
    def _fields(self) -> Mapping[str, Any]:
        if self.request.method in ("GET", "HEAD", "DELETE"):
            return dict(self.request.args.lists())
        if self.request.mimetype == "application/json":
            body = json_body(self.request)
            return {name: value if isinstance(value, list) else [value] for name, value in body.items()}
        return dict(self.request.form.lists())

    def texts(self, name: str) -> list[str]:
        """All values of a list field, sent as `name`, `name[]` or `name[0]`, `name[1]`..."""
        found: list[Any] = [*self._fields.get(name, []), *self._fields.get(f"{name}[]", [])]
        indexed = [
            key for key in self._fields if key.startswith(f"{name}[") and key[len(name) + 1 : -1].isdecimal()
        ]
        for key in sorted(indexed, key=lambda key: int(key[len(name) + 1 : -1])):
            found += self._fields[key]
        return [_text(value) for value in found if value is not None]

    def text(self, name: str) -> str:
        """One field, or nothing."""
        found = self.texts(name)
        return found[-1] if found else ""

    def flag(self, name: str) -> bool:
        """A field that says yes; Rails reads 0, f, false and off as no."""
        return self.text(name).lower() not in _FALSE

    def id_of(self, name: str) -> int | None:
        """A field that holds an id. Raises ApiError 404 for what cannot be one."""
        value = self.text(name)
        return parse_id(value) if value else None

    def window(self, default: int, most: int) -> Window:
        """Which part of a list the client wants."""
        limit = self.text("limit")
        wanted = int(limit) if limit.isdecimal() and len(limit) < 9 else default
        return Window(
            limit=max(1, min(wanted, most)),
            max_id=self.id_of("max_id"),
            since_id=self.id_of("since_id"),
            min_id=self.id_of("min_id"),
        )

    def page(self, items: Sequence[Any], ids: Sequence[int]) -> Response:
        """A list with the Link header to the pages on either side (RFC 8288, rel next and prev)."""
        response = answer(items)
        if ids:
            links = [
                f'<{self._page_url("max_id", min(ids))}>; rel="next"',
                f'<{self._page_url("min_id", max(ids))}>; rel="prev"',
            ]
            response.headers["Link"] = ", ".join(links)
        return response

    def _page_url(self, bound: str, value: int) -> str:
        kept = [
            (name, text)
            for name, text in self.request.args.items(multi=True)
            if name not in ("max_id", "since_id", "min_id")
        ]
        return f"{self.base_url}{self.request.path}?{urlencode([*kept, (bound, value)])}"


def parse_id(value: str) -> int:
    """An id from a path or a field. Raises ApiError 404 for what no record can have."""
    found = as_id(value)
    if found is None:
        raise NOT_FOUND
    return found


def _text(value: object) -> str:
    if isinstance(value, (dict, list)):
        raise NOT_READABLE
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NOT_READABLE from None
    return text
