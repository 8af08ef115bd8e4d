"""The JSON shapes of the Mastodon API (docs.joinmastodon.org/entities)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup

from infra.local.platform import media as limits
from infra.local.platform.accounts import Account, Accounts
from infra.local.platform.mastodon import text as texts
from infra.local.platform.mastodon.model import Media, Notification, Status
from infra.local.platform.mastodon.statuses import Statuses
from infra.local.platform.mastodon.text import Piece
from infra.local.serving.answers import timestamp

VERSION = "4.5.0"
API_VERSION = 7
TITLE = "Local platform"
DESCRIPTION = "A stand-in for a Mastodon server, for development on one machine."

Json = dict[str, Any]
# What a server no longer shows of a suspended account.
_BLANK: Json = {
    "display_name": "",
    "note": "",
    "followers_count": 0,
    "following_count": 0,
    "statuses_count": 0,
    "last_status_at": None,
    "fields": [],
}


class Entities:
    """Turns what the store keeps into what a client expects; made anew for each request."""

    def __init__(self, accounts: Accounts, statuses: Statuses, base_url: str) -> None:
        self._accounts = accounts
        self._statuses = statuses
        self._shown: dict[int, Json] = {}
        self.base_url = base_url
        self.domain = base_url.partition("://")[2]

    def mentioned(self, piece: Piece) -> Account | None:
        """The account of this server that a mention means."""
        if piece.host not in ("", self.domain):
            return None
        return self._accounts.on_mastodon(piece.name)

    def mentions(self, text: str) -> list[Account]:
        """Accounts of this server that a text mentions, each once, in order."""
        found = [self.mentioned(piece) for piece in texts.pieces(text) if piece.kind == "mention"]
        return list({account.id: account for account in found if account}.values())

    def content(self, text: str) -> Markup:
        """A status's text or an account's note as safe HTML."""
        return texts.content(text, self._profile_url, lambda tag: f"{self.base_url}/tags/{tag}")

    def _profile_url(self, piece: Piece) -> str | None:
        account = self.mentioned(piece)
        return f"{self.base_url}/@{account.username}" if account else None

    def account(self, account: Account) -> Json:
        """The Account entity."""
        if account.id not in self._shown:
            self._shown[account.id] = self._account(account)
        return self._shown[account.id]

    def _account(self, account: Account) -> Json:
        count, last_at = self._statuses.activity(account.id)
        url = f"{self.base_url}/@{account.username}"
        avatar = self.base_url + account.avatar_path
        website = Markup('<a href="{0}" rel="me nofollow noopener noreferrer" target="_blank">{0}</a>')
        shown = {
            "id": str(account.id),
            "username": account.username,
            "acct": account.username,
            "display_name": account.display_name,
            "locked": False,
            "bot": False,
            "discoverable": True,
            "indexable": False,
            "group": False,
            "created_at": timestamp(account.created_at.replace(hour=0, minute=0, second=0, microsecond=0)),
            "note": str(self.content(account.note)),
            "url": url,
            "uri": f"{self.base_url}/users/{account.username}",
            "avatar": avatar,
            "avatar_static": avatar,
            "header": avatar,
            "header_static": avatar,
            "followers_count": account.followers,
            "following_count": 0,
            "statuses_count": count,
            "last_status_at": last_at.date().isoformat() if last_at else None,
            "hide_collections": None,
            "noindex": False,
            "emojis": [],
            "roles": [],
            "fields": [
                {"name": "Website", "value": str(website.format(account.website)), "verified_at": None}
            ][: bool(account.website)],
        }
        if account.state == "suspended":
            return {**shown, **_BLANK, "suspended": True}
        return {**shown, "limited": True} if account.state == "limited" else shown

    def own_account(self, account: Account) -> Json:
        """The CredentialAccount entity."""
        return {
            **self.account(account),
            "source": {
                "privacy": "public",
                "sensitive": False,
                "language": None,
                "note": account.note,
                "fields": [],
                "follow_requests_count": 0,
            },
            "role": {"id": "-99", "name": "", "permissions": "65536", "color": "", "highlighted": False},
        }

    def media(self, media: Media, now: datetime) -> Json:
        """The MediaAttachment entity; `url` is null until the file is processed."""
        url = f"{self.base_url}/media/{media.id}"
        size: Json = {}
        if media.width:
            size = {
                "width": media.width,
                "height": media.height,
                "size": f"{media.width}x{media.height}",
                "aspect": media.width / media.height,
            }
        return {
            "id": str(media.id),
            "type": media.kind,
            "url": url if media.ready_at <= now else None,
            "preview_url": url,
            "remote_url": None,
            "preview_remote_url": None,
            "text_url": None,
            "meta": {"original": size, "small": size, "focus": {"x": media.focus[0], "y": media.focus[1]}},
            "description": media.description or None,
            "blurhash": None,
        }

    def status(self, status: Status, reader: Account | None) -> Json:
        """The Status entity as `reader` sees it."""
        author = self._accounts.by_id(status.account_id)
        if author is None:
            raise LookupError(status.account_id)
        tags = {piece.name.lower() for piece in texts.pieces(status.text) if piece.kind == "tag"}
        own: Json = {}
        if reader:
            own = {
                "favourited": False,
                "reblogged": False,
                "muted": False,
                "bookmarked": False,
                "pinned": False,
            }
        return {
            "id": str(status.id),
            "created_at": timestamp(status.created_at),
            "in_reply_to_id": _text_or_none(status.in_reply_to_id),
            "in_reply_to_account_id": _text_or_none(status.in_reply_to_account_id),
            "sensitive": status.sensitive,
            "spoiler_text": status.spoiler_text,
            "visibility": status.visibility,
            "language": status.language or None,
            "uri": f"{self.base_url}/users/{author.username}/statuses/{status.id}",
            "url": f"{self.base_url}/@{author.username}/{status.id}",
            "replies_count": len(self._statuses.replies_to(status.id)),
            "reblogs_count": 0,
            "favourites_count": 0,
            "edited_at": None,
            "content": str(self.content(status.text)),
            "reblog": None,
            "application": {"name": TITLE, "website": None},
            "account": self.account(author),
            "media_attachments": [
                self.media(media, media.ready_at) for media in self._statuses.attached_to(status.id)
            ],
            "mentions": [
                {
                    "id": str(account.id),
                    "username": account.username,
                    "url": f"{self.base_url}/@{account.username}",
                    "acct": account.username,
                }
                for account in self.mentions(status.text)
            ],
            "tags": [{"name": tag, "url": f"{self.base_url}/tags/{tag}"} for tag in sorted(tags)],
            "emojis": [],
            "card": None,
            "poll": None,
            **own,
        }

    def notification(self, notification: Notification, reader: Account) -> Json | None:
        """The Notification entity; None when its status went away meanwhile."""
        status = self._statuses.status(notification.status_id)
        if status is None:
            return None
        shown = self.status(status, reader)
        return {
            "id": str(notification.id),
            "type": "mention",
            "created_at": timestamp(notification.created_at),
            "group_key": f"ungrouped-{notification.id}",
            "account": shown["account"],
            "status": shown,
        }

    def instance(self) -> Json:
        """The Instance entity of API version 2."""
        return {
            "domain": self.domain,
            "title": TITLE,
            "version": VERSION,
            "source_url": "https://github.com/mastodon/mastodon",
            "description": DESCRIPTION,
            "usage": {"users": {"active_month": self._users()}},
            "thumbnail": {"url": f"{self.base_url}/avatars/local.svg", "blurhash": None, "versions": {}},
            "icon": [],
            "languages": ["en"],
            "configuration": {
                "urls": {"streaming": None, "status": None},
                "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
                "statuses": {
                    "max_characters": texts.MAX_CHARACTERS,
                    "max_media_attachments": limits.ATTACHMENTS,
                    "characters_reserved_per_url": texts.CHARACTERS_PER_URL,
                },
                "media_attachments": {
                    "supported_mime_types": list(limits.MIMES),
                    "description_limit": limits.DESCRIPTION_CHARACTERS,
                    "image_size_limit": limits.IMAGE_BYTES,
                    "image_matrix_limit": limits.MATRIX_PIXELS,
                    "video_size_limit": limits.VIDEO_BYTES,
                    "video_frame_rate_limit": 120,
                    "video_matrix_limit": limits.MATRIX_PIXELS,
                },
                "polls": {
                    "max_options": 4,
                    "max_characters_per_option": 50,
                    "min_expiration": 300,
                    "max_expiration": 2_629_746,
                },
                "translation": {"enabled": False},
            },
            "registrations": {"enabled": False, "approval_required": False, "message": None, "url": None},
            "api_versions": {"mastodon": API_VERSION},
            "contact": {"email": "", "account": None},
            "rules": [],
        }

    def _users(self) -> int:
        return sum(account.network == "mastodon" for account in self._accounts.all())

    def instance_v1(self) -> Json:
        """The V1::Instance entity, which clients still ask to learn the version."""
        now = self.instance()
        return {
            "uri": self.domain,
            "title": now["title"],
            "short_description": now["description"],
            "description": now["description"],
            "email": "",
            "version": now["version"],
            "urls": {"streaming_api": None},
            "stats": {"user_count": self._users(), "status_count": 0, "domain_count": 0},
            "thumbnail": now["thumbnail"]["url"],
            "languages": now["languages"],
            "registrations": False,
            "approval_required": False,
            "invites_enabled": False,
            "configuration": now["configuration"],
            "contact_account": None,
            "rules": [],
        }


def _text_or_none(number: int | None) -> str | None:
    return None if number is None else str(number)
