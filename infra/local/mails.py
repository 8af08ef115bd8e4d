"""What stands in the local mailbox, and the links in it."""

import html
import re
from typing import Any

from infra.local.api import fetch_json


def last_mail_id(stack: Any) -> Any:
    """What the newest mail is known by; None for an empty mailbox."""
    return max((mail["id"] for mail in fetch_json(f"{stack.mail_url}/api/mails")), default=None)


def mail_to(stack: Any, since: Any, who: str, subject: str = "", path: str = "") -> dict[str, Any] | None:
    """The newest mail after `since` to whoever's address has `who` in it, whose subject has `subject`, and
    which has a link below `path`.
    """
    query = f"?since_id={since}" if since is not None else ""
    for mail in fetch_json(f"{stack.mail_url}/api/mails{query}"):
        found: dict[str, Any] = mail
        if subject in mail["subject"] and any(who in to for to in mail["to"]) and link_in(mail, path):
            return found
    return None


def link_in(mail: dict[str, Any], path: str) -> str:
    """The first link of a mail that has `path` in it; empty if there is none."""
    links = re.findall(r"https?://[^\s\"'<>]+", html.unescape(mail["text"]))
    return next((link for link in links if path in link), "")
