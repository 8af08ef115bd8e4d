"""`Idempotency-Key` on creating calls, by Powertools.

Good for answering a caller's retry with the first answer. Never used for publishing: Powertools deletes its
record when the function raises, so a timeout after the platform accepted a post would send it again.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from typing import Any, cast

from chalicelib.core.errors import Busy, Conflict
from chalicelib.core.settings import Settings

KEPT_FOR = 24 * 3600  # seconds a stored answer is repeated
CALL_FOR = 29_000  # milliseconds; the longest an API call runs (.chalice/config.json)


class _ApiTimeout:
    """What Powertools wants of a Lambda context: when a call that died stops counting as under way."""

    def get_remaining_time_in_millis(self) -> int:
        return CALL_FOR


class Idempotency:
    def __init__(self, client: Any, settings: Settings) -> None:
        from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig

        self._layer = DynamoDBPersistenceLayer(
            table_name=settings.table("idempotency"), boto3_client=client, key_attr="id"
        )
        self._config = IdempotencyConfig(
            event_key_jmespath="key",
            payload_validation_jmespath="fingerprint",
            raise_on_no_idempotency_key=True,
            expires_after_seconds=KEPT_FOR,
            hash_function="sha256",
            lambda_context=cast(Any, _ApiTimeout()),
        )

    def once(self, key: str, fingerprint: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer stored under the key, or `make()`'s, which is stored.

        Raises Conflict if the key was used with another body, or if its first call is still running; Busy if
        the database refused.
        """
        from aws_lambda_powertools.utilities.idempotency import idempotent_function
        from aws_lambda_powertools.utilities.idempotency.exceptions import (
            IdempotencyAlreadyInProgressError,
            IdempotencyPersistenceLayerError,
            IdempotencyValidationError,
        )

        @idempotent_function(
            data_keyword_argument="call",
            persistence_store=self._layer,
            config=self._config,
            key_prefix="signalbox",
        )
        def run(call: dict[str, str]) -> dict[str, str]:
            return {"packed": _pack(make())}

        call = {"key": key, "fingerprint": hashlib.sha256(fingerprint.encode()).hexdigest()}
        try:
            kept: dict[str, str] = run(call=call)
        except IdempotencyValidationError:
            raise Conflict("this Idempotency-Key was used for something else; use a new one") from None
        except IdempotencyAlreadyInProgressError:
            raise Conflict("the first call with this Idempotency-Key is still running; ask again") from None
        except IdempotencyPersistenceLayerError as error:
            raise Busy("the database refused for now; ask again with the same Idempotency-Key") from error
        return _unpack(kept["packed"])


def _pack(answer: dict[str, Any]) -> str:
    """The answer as it is kept: a write costs by the kilobyte, and answers repeat themselves."""
    return base64.b85encode(zlib.compress(json.dumps(answer, ensure_ascii=False).encode())).decode()


def _unpack(packed: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(zlib.decompress(base64.b85decode(packed)))
    return answer
