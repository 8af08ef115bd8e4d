"""The mails that arrived: kept raw in one SQLite file, read into something people and tests can use."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

_TABLE = """
create table if not exists mails (
    id integer primary key autoincrement, at text not null, sender text not null, recipients text not null,
    raw blob not null);
"""
_SELECT = "select id, at, sender, recipients, raw from mails "
_URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,:;!?')\]}]")


@dataclass(frozen=True)
class Part:
    """One piece of a mail that is neither its text nor its HTML: a picture or an attachment."""

    mime: str
    name: str
    content_id: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """A mail as it came: `sender` and `recipients` are the envelope's, so blind copies show too."""

    id: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        """The parsed message; the parser takes anything and marks defects instead of failing."""
        return message_from_bytes(self.raw, policy=policy.default)

    @cached_property
    def headers(self) -> dict[str, str]:
        """Decoded headers in order; one that repeats (such as Received) holds a line for each."""
        found: dict[str, str] = {}
        for name, value in self.message.items():
            found[name] = f"{found[name]}\n{value}" if name in found else str(value)
        return found

    @property
    def subject(self) -> str:
        """The Subject header, decoded."""
        return str(self.message["Subject"] or "")

    @property
    def from_(self) -> str:
        """The From header, decoded, or the envelope's sender."""
        return str(self.message["From"] or self.sender)

    @cached_property
    def text(self) -> str:
        """The plain text part with lines ending in a newline alone, or nothing."""
        return self._body("plain")

    @cached_property
    def html(self) -> str:
        """The HTML part, or nothing."""
        return self._body("html")

    def _body(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        if part is None:
            return ""
        data = _decoded(part)
        try:
            text = data.decode(part.get_content_charset("utf-8"), "replace")
        except LookupError:
            text = data.decode("utf-8", "replace")
        return text.replace("\r\n", "\n")

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Pictures and attachments, in order."""
        bodies = {id(self.message.get_body((kind,))) for kind in ("plain", "html")}
        return tuple(
            Part(
                mime=part.get_content_type(),
                name=part.get_filename() or "",
                content_id=str(part["Content-ID"] or "").strip().strip("<>"),
                data=_decoded(part),
            )
            for part in self.message.walk()
            if not part.is_multipart() and id(part) not in bodies
        )

    @cached_property
    def links(self) -> list[str]:
        """Every http address in the HTML and in the text, each once, in order."""
        reader = _LinkReader()
        reader.feed(self.html)
        return list(dict.fromkeys([*reader.links, *_URL.findall(self.text)]))


def _decoded(part: MIMEPart) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [
            value
            for name, value in attrs
            if tag == "a" and name == "href" and value and value.startswith("http")
        ]


class Mails:
    """Keeps mails over restarts; every method may be called from any thread."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._now = now
        self._lock = threading.Lock()
        self._db = sqlite3.connect(folder / "mailbox.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=off")
        self._db.executescript(_TABLE)

    def close(self) -> None:
        """Write everything out."""
        with self._lock:
            self._db.close()

    def add(self, sender: str, recipients: list[str], raw: bytes) -> int:
        """Keep a mail and return its id; ids grow and are never used again."""
        at = self._now().isoformat(timespec="milliseconds")
        with self._lock:
            cursor = self._db.execute(
                "insert into mails (at, sender, recipients, raw) values (?, ?, ?, ?)",
                (at, sender, "\n".join(recipients), raw),
            )
        return int(cursor.lastrowid or 0)

    def get(self, mail_id: int) -> Mail | None:
        """The mail of that id."""
        return next(self._read("where id = ?", mail_id), None)

    def newest_first(self, to: str | None = None, since_id: int = 0, limit: int = -1) -> list[Mail]:
        """Mails after `since_id`, to one address (whatever its case) if given; a negative limit means all."""
        found = self._read("where id > ? order by id desc", since_id)
        wanted = [mail for mail in found if to is None or to.lower() in map(str.lower, mail.recipients)]
        return wanted if limit < 0 else wanted[:limit]

    def _read(self, condition: str, *values: object) -> Iterator[Mail]:
        with self._lock:
            rows = self._db.execute(_SELECT + condition, values).fetchall()
        for mail_id, at, sender, recipients, raw in rows:
            yield Mail(
                mail_id,
                datetime.fromisoformat(at).astimezone(UTC),
                sender,
                tuple(recipients.split("\n")),
                raw,
            )

    def clear(self) -> None:
        """Throw all mails away."""
        with self._lock:
            self._db.execute("delete from mails")
