"""Whether a network itself still refuses a second post under the same checkpoint."""

from datetime import datetime, timedelta

from chalicelib.platforms.port import FOREVER, Traits

CLOCK_MARGIN_FOR = timedelta(minutes=5)  # between our clock and the network's, when its window ends


def is_safe_again(traits: Traits, first_at: datetime | None, last_at: datetime | None, now: datetime) -> bool:
    """Whether `publish` may be called again after a first and a last attempt without posting twice."""
    window = traits.idempotent_for
    if window is None or first_at is None or last_at is None:
        return False
    if now - last_at < traits.visible_after_for:
        return False
    return window == FOREVER or now + CLOCK_MARGIN_FOR < first_at + window
