"""The reply box under a post: whoever looks at the page may say something, and becomes an account by it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from http import HTTPStatus

from infra.local.platform.accounts import Account, Accounts, Wanted
from infra.local.platform.call import Call
from infra.local.serving.answers import ApiError

NAME_CHARACTERS = 60
TEXT_CHARACTERS = 280


@dataclass(frozen=True)
class Said:
    """What a visitor wrote, and the account that it comes from."""

    account: Account
    text: str


class Visitors:
    """Makes an account of each name, the same one when the name comes again."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def said(self, call: Call, network: str) -> Said:
        """What the form sent. Raises ApiError 422 for an empty or long one, 403 for another page's form."""
        origin = call.request.headers.get("Origin", call.base_url)
        if origin != call.base_url:
            raise ApiError(HTTPStatus.FORBIDDEN, "Only the page's own form may post here")
        name = " ".join(call.request.form.get("name", "").split()) or "A visitor"
        text = call.request.form.get("text", "").replace("\r\n", "\n").strip()
        if not text or len(text) > TEXT_CHARACTERS or len(name) > NAME_CHARACTERS:
            raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "A reply needs a text, and not a long one")
        number = f"{zlib.crc32(name.casefold().encode()):08x}"
        username = f"visitor-{number}.test" if network == "bluesky" else f"visitor_{number}"
        account, _ = self._accounts.save(Wanted(network, username, display_name=name))
        return Said(account, text)
