"""Very many rows into a table of the one-machine AWS, as fast as it takes them."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import boto3
from botocore.config import Config

AT_ONCE = 25  # the most that BatchWriteItem takes
THREADS = 4
T = TypeVar("T")


def put_all(table: str, batches: Iterable[T], made: Callable[[T], Iterable[dict[str, Any]]]) -> None:
    """Put what `made` makes of each batch: typed items, at most AT_ONCE of them."""
    # Checking the parameters would take half of the time.
    dynamodb = boto3.client("dynamodb", config=Config(parameter_validation=False))

    def put(batch: T) -> None:
        requests = [{"PutRequest": {"Item": item}} for item in made(batch)]
        if dynamodb.batch_write_item(RequestItems={table: requests})["UnprocessedItems"]:
            raise RuntimeError("the one-machine AWS left writes undone")

    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        list(pool.map(put, batches))
