"""Runs the local platform: python -m infra.local.platform --port 8091 --state DIR."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from infra.local.platform.app import Platform
from infra.local.platform.database import Database
from infra.local.platform.settings import DEFAULT_RATE_LIMIT, DEFAULT_SESSION_LIMIT, Settings
from infra.local.serving.server import Server, log_to, wait_for_signal


def main() -> None:
    """Serve on loopback until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.platform", description=__doc__)
    parser.add_argument("--port", type=int, default=8091, help="0 picks a free one")
    parser.add_argument(
        "--state", type=Path, required=True, help="folder that keeps accounts, posts and media"
    )
    parser.add_argument(
        "--rate-limit", type=int, default=DEFAULT_RATE_LIMIT, help="calls per account in 5 minutes"
    )
    parser.add_argument(
        "--session-limit",
        type=int,
        default=DEFAULT_SESSION_LIMIT,
        help="Bluesky sign-ins per account in 5 minutes",
    )
    parser.add_argument("--log", help="file that gets a line per request")
    options = parser.parse_args()

    def now() -> datetime:
        return datetime.now(UTC)

    log_to(options.log)
    db = Database(options.state, now)
    settings = Settings(rate_limit=options.rate_limit, session_limit=options.session_limit)
    server = Server(options.port, Platform(db, settings).wsgi)
    server.start()
    print(f"local platform ready at {server.url}", flush=True)
    wait_for_signal(then=server.stop)
    db.close()


if __name__ == "__main__":
    main()
