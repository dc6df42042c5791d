"""The command line, `litegate`: see `litegate.cli.commands` for what it can do."""

from __future__ import annotations

from litegate.cli.main import main

__all__ = ["main"]
