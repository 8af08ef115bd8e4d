"""The error tree; each class knows its HTTP status, and every message is written for a colleague.

SignalboxError
  InvalidInput 400    all problems at once, each with its field
  NotSignedIn 401     no token, or one that no longer works
  NotAllowed 403      known, but may not
  NotFound 404
  Conflict 409        somebody was first, or the state does not allow it
  Gone 410            a link or a cursor that no longer leads anywhere
  TooLarge 413
  Misconfigured 503   a secret or a setting that ops must supply
  Busy 503            the database refused for now; the same call may succeed in a moment
  PlatformError 502   see platforms/errors.py
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input: where, what, and what to do about it."""

    field: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return {"field": self.field, "message": self.message}


class SignalboxError(Exception):
    """Base of every error this application raises on purpose."""

    status = 500
    code = "error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Any] = details

    def as_dict(self) -> dict[str, Any]:
        return {"error": self.code, "message": self.message, **self.details}


class InvalidInput(SignalboxError):
    """The input has problems; all of them are in `problems`."""

    status = 400
    code = "invalid_input"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in self.problems))

    def as_dict(self) -> dict[str, Any]:
        count = len(self.problems)
        return {
            "error": self.code,
            "message": f"{count} problem{'' if count == 1 else 's'} in what was sent.",
            "problems": [p.as_dict() for p in self.problems],
        }


class NotSignedIn(SignalboxError):
    status = 401
    code = "not_signed_in"


class NotAllowed(SignalboxError):
    status = 403
    code = "not_allowed"


class NotFound(SignalboxError):
    status = 404
    code = "not_found"


class Conflict(SignalboxError):
    status = 409
    code = "conflict"


class Gone(SignalboxError):
    status = 410
    code = "gone"


class TooLarge(SignalboxError):
    status = 413
    code = "too_large"


class Misconfigured(SignalboxError):
    status = 503
    code = "misconfigured"


class Busy(SignalboxError):
    status = 503
    code = "busy"


class PlatformError(SignalboxError):
    status = 502
    code = "platform_error"
