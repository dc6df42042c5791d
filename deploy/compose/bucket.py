"""bucket.py NAME: make a bucket, unless there is one; waits for the server, which has no health check of its own."""

from __future__ import annotations

import sys
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_TRIES, _PAUSE = 60, 2.0


def make(name: str) -> None:
    """Make it.

    Raises:
        ClientError: the server refuses.
    """
    client = boto3.client("s3")
    for left in reversed(range(_TRIES)):
        try:
            client.create_bucket(Bucket=name)
        except client.exceptions.BucketAlreadyOwnedByYou:
            return
        except (BotoCoreError, ClientError) as error:
            status = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 503)
            if not left or status < 500:
                raise
            time.sleep(_PAUSE)
        else:
            return


if __name__ == "__main__":
    make(sys.argv[1])
