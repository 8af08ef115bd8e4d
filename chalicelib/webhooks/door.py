"""The one inbound door: prove a delivery, split it into events, put them on the queue, answer.

No table is touched and no platform called; a warm delivery of up to ten events costs one AWS call. Whatever
happens, the answer is a short constant text: nothing of what was sent comes back but a handshake's challenge.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chalicelib.core import log as metrics
from chalicelib.core.clock import Clock
from chalicelib.core.errors import InvalidInput, Misconfigured
from chalicelib.core.queues import MAX_BATCH_BYTES, Queues
from chalicelib.platforms.inbound import BadSignature, Delivery, LiveSecrets, Receiving, Signed
from chalicelib.webhooks.envelope import wrap
from chalicelib.webhooks.keys import DEFAULT_APP, Keys

QUEUE = "inbound"
LARGEST_BYTES = 2_000_000  # of a delivery; the largest that a platform sends is far below 1 MB
_APP = re.compile(r"[A-Za-z0-9_-]{1,64}")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reply:
    """What the platform is answered."""

    status: int
    text: str = ""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Knock:
    """One request as it came; `raw` is None for a body that is not even bytes (half a surrogate pair)."""

    platform: str
    app: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes | None = field(repr=False)


OK = Reply(200, "ok")
NOTHING_HERE = Reply(404, "there is nothing at this address")
NOT_PROVEN = Reply(401, "bad signature")
NOT_READ = Reply(400, "this is not what the platform sends")
TOO_LARGE = Reply(413, "too large")
NOT_SET_UP = Reply(503, "not set up yet; try again later")
TRY_AGAIN = Reply(503, "try again later")


class Door:
    """`schemes` are the platforms' names and what gives each its webhook scheme."""

    def __init__(
        self,
        keys: Keys,
        queues: Queues,
        clock: Clock,
        names: tuple[str, ...],
        schemes: Callable[[str], Receiving],
    ) -> None:
        self._keys = keys
        self._queues = queues
        self._clock = clock
        self._names = names
        self._schemes = schemes

    def handshake(self, knock: Knock) -> Reply:
        """Answer a platform that checks the address. Raises nothing."""
        return self._safely(knock, self._shake)

    def receive(self, knock: Knock) -> Reply:
        """Take a delivery: 200 once every event of it is on the queue. Raises nothing."""
        return self._safely(knock, self._take)

    def _safely(self, knock: Knock, answer: Callable[[Knock], Reply]) -> Reply:
        if knock.platform not in self._names or not _APP.fullmatch(knock.app or DEFAULT_APP):
            return NOTHING_HERE
        try:
            return answer(knock)
        except Misconfigured as error:
            log.error("a webhook is not set up", extra={"platform": knock.platform, "why": error.message})
            return NOT_SET_UP
        except Exception:
            # The last resort, and an AWS that refuses: the platform sends it again.
            log.exception("a delivery could not be taken", extra={"platform": knock.platform})
            metrics.count("deliveries_not_taken")
            return TRY_AGAIN

    def _shake(self, knock: Knock) -> Reply:
        scheme, delivery = self._schemes(knock.platform), self._delivery(knock)
        handshake = scheme.handshake(delivery, self._keys.live(knock.platform, delivery.app))
        if handshake is None:
            return NOTHING_HERE
        if handshake.confirmed is not None:
            body = wrap(
                knock.platform, delivery.app, delivery.received_at, Signed("handshake"), handshake.confirmed
            )
            self._queues.send(QUEUE, [body])
        metrics.count(f"handshakes_{knock.platform}" if handshake.status < 400 else "handshakes_refused")
        return Reply(handshake.status, handshake.body, handshake.content_type)

    def _take(self, knock: Knock) -> Reply:
        scheme, delivery = self._schemes(knock.platform), self._delivery(knock)
        if len(delivery.raw) > LARGEST_BYTES:
            return TOO_LARGE
        signed = self._proven(scheme, delivery) if knock.raw is not None else None
        if signed is None:
            metrics.count("deliveries_refused")
            log.info("a delivery is not proven", extra={"platform": knock.platform})
            return OK if scheme.ignores_bad_signatures else NOT_PROVEN
        try:
            pieces = scheme.split(delivery)
        except InvalidInput as error:
            log.warning(
                "a proven delivery cannot be read", extra={"platform": knock.platform, "why": str(error)}
            )
            metrics.count("deliveries_unreadable")
            return NOT_READ
        at = delivery.received_at
        bodies = [wrap(knock.platform, delivery.app, at, signed, piece) for piece in pieces]
        if any(len(body) > MAX_BATCH_BYTES for body in bodies):  # they are ASCII
            return TOO_LARGE
        self._queues.send(QUEUE, bodies)
        metrics.count(f"deliveries_{knock.platform}")
        metrics.count(f"signed_{knock.platform}_{signed.form}")
        if signed.stale:
            metrics.count("deliveries_stale")
        return OK

    def _proven(self, scheme: Receiving, delivery: Delivery) -> Signed | None:
        """How the delivery is signed; None when it is not, by any secret that counts now."""
        live: LiveSecrets | None = self._keys.live(scheme.platform, delivery.app)
        while live is not None:
            try:
                return scheme.verify(delivery, live)
            except BadSignature:
                live = self._keys.fresher(scheme.platform, delivery.app, live)
        return None

    def _delivery(self, knock: Knock) -> Delivery:
        return Delivery(
            knock.app or DEFAULT_APP, knock.query, knock.headers, knock.raw or b"", self._clock.now()
        )
