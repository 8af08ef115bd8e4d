"""The app's own credentials with each network: what reading and searching others' profiles takes."""

from collections.abc import Mapping

from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings
from chalicelib.platforms import registry


class AppKeys:
    def __init__(self, secrets: Secrets, settings: Settings) -> None:
        self._secrets = secrets
        self._settings = settings

    def of(self, platform: str) -> Mapping[str, str] | None:
        """The secret at apps/<platform>; empty where a network asks for none, None where one is missing."""
        found = self._secrets.find(self._settings.secret_path("apps", platform))
        needed = registry.read_traits(platform).app_credentials
        if needed and not (found and all(found.get(name) for name in needed)):
            return None
        return found or {}
