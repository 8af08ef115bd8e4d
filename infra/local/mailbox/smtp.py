"""The SMTP side: takes every mail for everybody, or refuses every mail when told to."""

from __future__ import annotations

import threading
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.local.mailbox.mails import Mails
from infra.local.serving.server import HOST

MODES = ("reject", "none")


class Intake:
    """Stores what arrives; `mode` is one of MODES and counts what it turned away."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails
        self._lock = threading.Lock()
        self.mode = "none"
        self.rejected = 0

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        """Accept a recipient, or answer 550 as a mailbox that is not there does (RFC 5321, 4.2.3)."""
        if self.mode == "reject":
            with self._lock:
                self.rejected += 1
            return "550 5.1.1 Requested action not taken: mailbox unavailable"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        mail_id = self._mails.add(envelope.mail_from or "", envelope.rcpt_tos, raw)
        return f"250 OK kept as {mail_id}"


def listen(intake: Intake, port: int) -> Controller:
    """Start taking mail on loopback. Raises OSError when the port is taken."""
    controller = Controller(intake, hostname=HOST, port=port, ident="local mailbox", enable_SMTPUTF8=True)
    controller.start()
    return controller
