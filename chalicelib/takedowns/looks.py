"""Looking at a profile that is not ours: whether it is there, and what it says of itself."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from chalicelib.accounts.model import Account
from chalicelib.core.errors import SignalboxError
from chalicelib.core.secrets import Secrets
from chalicelib.core.settings import Settings
from chalicelib.platforms import registry
from chalicelib.platforms.errors import AuthExpired, OutOfCredit, Rejected, VersionGone
from chalicelib.platforms.port import AccountRef, Profile, Reading

_GONE = frozenset({"not found", "takendown", "suspended", "deactivated", "deleted", "closed"})
"""The readers' words for a profile that nobody is shown any more."""


class There(StrEnum):
    YES = "yes"
    GONE = "gone"
    UNSURE = "unsure"  # the platform shows something, and does not say that it is in use


class CannotLook(SignalboxError):
    """We cannot read profiles there: a person has to look. The message says why."""

    status = 409
    code = "cannot_look"


class Looks:
    """`readers` gives what reads a network's profiles; only those that anybody may read are read."""

    def __init__(
        self, readers: Callable[[str], Reading | None], secrets: Secrets, settings: Settings
    ) -> None:
        self._readers = readers
        self._secrets = secrets
        self._settings = settings

    def profile(self, account: Account) -> Profile:
        """What the network says of it now; where its id is gone, of whoever bears its name.

        Raises CannotLook, and RateLimited and Unavailable: it may work later.
        """
        credentials = self._credentials(account.platform)
        found = self._ask(account, account.external_id, credentials)
        if is_there(found) == There.GONE and account.external_id:
            return self._ask(account, "", credentials)
        return found

    def _ask(self, account: Account, external_id: str, credentials: Mapping[str, str]) -> Profile:
        reader, handle, server = self._readers(account.platform), account.handle, account.server
        if reader is None:
            raise CannotLook(f"{account.platform}: profiles there cannot be read")
        ref = AccountRef(account.account_id, account.platform, handle, server, external_id, credentials)
        try:
            return reader.profile(ref)
        except (AuthExpired, OutOfCredit, Rejected, VersionGone) as error:
            raise CannotLook(f"{account.platform}: {error.message}") from error

    def _credentials(self, platform: str) -> Mapping[str, str]:
        if platform not in registry.reading_names():
            raise CannotLook(f"{platform}: profiles there cannot be read")
        traits = registry.read_traits(platform)
        if not traits.anyone:
            raise CannotLook(f"{traits.name}: only the account's own profile can be read")
        if not traits.app_credentials:
            return {}
        path = self._settings.secret_path("apps", platform)
        found = self._secrets.find(path) or {}
        if not all(found.get(name) for name in traits.app_credentials):
            raise CannotLook(f"{traits.name}: the application's credentials are missing ({path})")
        return found


def is_there(profile: Profile) -> There:
    """What the network's word for a profile means for a case."""
    if profile.status in _GONE:
        return There.GONE
    return There.YES if profile.status == "active" else There.UNSURE
