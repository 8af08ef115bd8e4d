"""What a platform can answer, sorted into the few classes that decide what happens next.

    RateLimited     nothing was written; try again at `until`
    AuthExpired     nothing was written; pause the account until a person connects it again
    OutOfCredit     nothing was written; pause until somebody pays
    Rejected        nothing was written, and never will be as it stands
    Unavailable     nothing was written; try again later
    VersionGone     nothing was written; the API version in use has ended
    NotReady        nothing was written; the platform is still working on the media
    OutcomeUnknown  it may have been written: look before anything else is done

Messages say what happened in plain words; the caller, who knows the account and the post, adds which.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.errors import PlatformError


class AdapterError(PlatformError):
    """Base of every answer that is not a success.

    `checkpoint` is set when it leaves `prepare`: what was done so far, to be stored for the next attempt.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.checkpoint: Mapping[str, Any] | None = None


class RateLimited(AdapterError):
    """Too many calls. `whole_app` is True when the limit is the application's and not the account's."""

    status = 503
    code = "platform_rate_limited"

    def __init__(self, until: datetime, whole_app: bool = False) -> None:
        at = to_text(until)
        super().__init__(f"Too many calls for now; the next is allowed at {at}.", until=at)
        self.until = until
        self.whole_app = whole_app


class AuthExpired(AdapterError):
    code = "platform_auth_expired"


class OutOfCredit(AdapterError):
    code = "platform_out_of_credit"


class Rejected(AdapterError):
    code = "platform_rejected"


class Unavailable(AdapterError):
    status = 503
    code = "platform_unavailable"


class VersionGone(AdapterError):
    code = "platform_version_gone"


class OutcomeUnknown(AdapterError):
    code = "platform_outcome_unknown"


class NotReady(AdapterError):
    """The platform is still processing media; call `prepare` again at `until` with this checkpoint."""

    status = 503
    code = "platform_not_ready"

    def __init__(self, until: datetime, checkpoint: Mapping[str, Any]) -> None:
        super().__init__("The platform is still processing the media.", until=to_text(until))
        self.until = until
        self.checkpoint = checkpoint
