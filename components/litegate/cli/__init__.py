"""The command line: `litegate run`, `demo`, `start`, `stop`, `status`, `clean` and `env`."""

from __future__ import annotations

from litegate.cli.main import main

__all__ = ["main"]
