"""What our own traffic with a network says of changes there, one value for each thing said."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class SignalKind(StrEnum):
    DEPRECATED = "deprecated"  # an answer's Deprecation header (RFC 9745)
    SUNSET = "sunset"  # an answer's Sunset header (RFC 8594)
    VERSION_GONE = "version_gone"
    UNKNOWN_ERROR = "unknown_error"
    UNKNOWN_FIELD = "unknown_field"
    SMALLER_LIMIT = "smaller_limit"
    UNKNOWN_EVENT = "unknown_event"  # something was sent to us that we cannot read


@dataclass(frozen=True)
class Signal:
    """One sign of a change. `about` is the call it was heard of, as surfaces name it, or the event's type.

    `detail` is what exactly was heard: the day of a header, an error's name, a field, two numbers. It is made
    of names and numbers only, never of a text that somebody wrote. `on` is the day that a header names.
    """

    platform: str
    what: SignalKind
    about: str
    detail: str = ""
    on: date | None = None
