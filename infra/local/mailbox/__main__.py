"""Runs the local mailbox: python -m infra.local.mailbox --smtp-port 1025 --port 8092 --state DIR."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from infra.local.mailbox.app import Mailbox
from infra.local.mailbox.mails import Mails
from infra.local.mailbox.smtp import Intake, listen
from infra.local.serving.server import HOST, Server, log_to, wait_for_signal


def main() -> None:
    """Take mail and show it, on loopback, until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.mailbox", description=__doc__)
    parser.add_argument("--smtp-port", type=int, default=1025)
    parser.add_argument("--port", type=int, default=8092, help="0 picks a free one")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps the mails")
    parser.add_argument("--log", help="file that gets a line per request")
    options = parser.parse_args()
    log_to(options.log)
    mails = Mails(options.state, lambda: datetime.now(UTC))
    intake = Intake(mails)
    try:
        smtp = listen(intake, options.smtp_port)
    except OSError as taken:
        sys.exit(f"The mailbox cannot listen on port {options.smtp_port}: {taken.strerror or taken}")
    server = Server(options.port, Mailbox(mails, intake).wsgi)
    server.start()
    print(f"local mailbox ready at {server.url}, taking mail at {HOST}:{options.smtp_port}", flush=True)

    def stop() -> None:
        smtp.stop()
        server.stop()

    wait_for_signal(then=stop)
    mails.close()


if __name__ == "__main__":
    main()
