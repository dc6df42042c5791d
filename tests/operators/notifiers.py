"""Notifiers as a user may write them."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseNotifier


class Broken(BaseNotifier):
    def notify(self, context: Any) -> None:
        raise ConnectionError("the chat is down")


class Picky(BaseNotifier):
    def __init__(self, channel: str) -> None:
        super().__init__()
        if not channel.startswith("#"):
            raise ValueError("a channel begins with #")


class NoNotifier:
    pass
