"""Secrets live in SSM SecureString parameters and nowhere else; they are cached for minutes, never logged."""

import json
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.core.errors import Misconfigured
from chalicelib.core.settings import Settings

_KEPT_FOR = timedelta(minutes=5)

log = logging.getLogger(__name__)


class Secrets:
    """JSON objects by parameter path, such as `/signalbox/prod/accounts/<account_id>`."""

    def __init__(self, client: Any, settings: Settings, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._kept: dict[str, tuple[datetime, dict[str, str]]] = {}

    def get(self, path: str) -> dict[str, str]:
        """The secret. Raises Misconfigured naming the path (never the value) when there is none."""
        found = self.find(path)
        if found is None:
            raise Misconfigured(f"the secret {path} is not there or not readable; set it with infra/admin.py")
        return found

    def find(self, path: str) -> dict[str, str] | None:
        """The secret, or None."""
        self.prefetch([path])
        kept = self._kept.get(path)
        return kept[1] if kept else None

    def prefetch(self, paths: Iterable[str]) -> None:
        """Read what is not in the cache, ten to a call, so that a batch of posts costs one call."""
        now = self._clock.now()
        missing = [p for p in dict.fromkeys(paths) if not self._is_fresh(p, now)]
        for start in range(0, len(missing), 10):
            answer = self._client.get_parameters(Names=missing[start : start + 10], WithDecryption=True)
            for parameter in answer["Parameters"]:
                self._keep(parameter["Name"], _read(parameter["Value"]), now)
            for path in answer.get("InvalidParameters", []):
                self._kept.pop(path, None)

    def put(self, path: str, values: Mapping[str, str]) -> None:
        """Store a secret, replacing the one before."""
        self._client.put_parameter(
            Name=path, Value=json.dumps(dict(values)), Type="SecureString", Overwrite=True
        )
        self._kept[path] = (self._clock.now(), dict(values))

    def delete(self, path: str) -> None:
        """Delete a secret for good; one that is not there is deleted already."""
        try:
            self._client.delete_parameter(Name=path)
        except self._client.exceptions.ParameterNotFound:
            log.info("a secret was deleted before", extra={"path": path})
        self.forget(path)

    def forget(self, path: str) -> None:
        """Drop the cached copy: the next read asks SSM (a credential was refused, or rotated)."""
        self._kept.pop(path, None)

    def _keep(self, path: str, values: dict[str, str] | None, now: datetime) -> None:
        if values is None:  # one broken secret must not take down the batch it is read with
            self._kept.pop(path, None)
            log.error("a secret is not a JSON object of texts", extra={"path": path})
        else:
            self._kept[path] = (now, values)

    def _is_fresh(self, path: str, now: datetime) -> bool:
        kept = self._kept.get(path)
        return kept is not None and now - kept[0] < _KEPT_FOR


def _read(text: str) -> dict[str, str] | None:
    try:
        values = json.loads(text)
    except ValueError:
        return None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        return None
    return values
