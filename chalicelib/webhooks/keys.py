"""The secrets that webhooks are signed with: two live ones while one is replaced, so that none is refused.

Kept in SSM under webhooks/<platform>/<app> as texts: `secret`, `previous` with `previous_until` (when it
stops counting), and what else a scheme needs, such as `verify_token`. `infra/admin.py webhook-secret` writes
them.
"""

import logging
from datetime import datetime, timedelta

from chalicelib.core.clock import Clock, from_text
from chalicelib.core.errors import Misconfigured
from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings
from chalicelib.platforms import registry
from chalicelib.platforms.inbound import LiveSecrets

DEFAULT_APP = "default"
ASKED_AGAIN_AFTER = timedelta(seconds=10)
_ROTATION = frozenset({"secret", "previous", "previous_until"})

log = logging.getLogger(__name__)


class Keys:
    """Live secrets by platform and app; SSM is asked once in minutes, whoever knocks."""

    def __init__(self, secrets: Secrets, settings: Settings, clock: Clock) -> None:
        self._secrets = secrets
        self._settings = settings
        self._clock = clock
        self._known: dict[str, dict[str, str]] = {}
        self._read_at: dict[str, datetime] = {}
        self._missed_at: datetime | None = None

    def live(self, platform: str, app: str) -> LiveSecrets:
        """What counts now. Raises Misconfigured where nothing is configured, and never goes on without."""
        path = self._path(platform, app)
        values = self._values(path)
        if not values.get("secret"):
            raise Misconfigured(f"the secret {path} is not there; set it with infra/admin.py webhook-secret")
        return _live(values, self._clock.now())

    def fresher(self, platform: str, app: str, seen: LiveSecrets) -> LiveSecrets | None:
        """What counts now if SSM says something new since `seen` was read, or None.

        For a signature that matched nothing: the secret may have been replaced a moment ago. Asked at most
        once in ten seconds, as anybody can send what matches nothing.
        """
        path = self._path(platform, app)
        now = self._clock.now()
        if now - self._read_at.get(path, now) < ASKED_AGAIN_AFTER:
            return None
        self._secrets.forget(path)
        found = self.live(platform, app)
        return found if found != seen else None

    def _values(self, path: str) -> dict[str, str]:
        known = self._known.get(path)
        now = self._clock.now()
        if known is None and self._missed_at is not None and now - self._missed_at < timedelta(seconds=1):
            return {}  # names that lead nowhere must not use up SSM's rate
        try:
            found = self._secrets.find(path)
        except Exception:
            if known is None:
                raise
            log.warning("a webhook's secret could not be read again; the one read before counts on")
            return known
        if found is None:
            self._missed_at = now
            self._known.pop(path, None)
            return {}
        if found is not known:
            self._known[path], self._read_at[path] = found, now
        return found

    def _path(self, platform: str, app: str) -> str:
        shared = registry.has_one_secret(platform)
        return self._settings.secret_path("webhooks", platform, DEFAULT_APP if shared else app)


def _live(values: dict[str, str], now: datetime) -> LiveSecrets:
    keys = [values["secret"]]
    if values.get("previous") and values.get("previous_until") and now < from_text(values["previous_until"]):
        keys.append(values["previous"])
    return LiveSecrets(
        tuple(key.encode() for key in keys), {k: v for k, v in values.items() if k not in _ROTATION}
    )
