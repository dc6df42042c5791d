"""Every command of the command line, in the order in which `litegate --help` lists them.

A group of commands is a module with a table `COMMANDS`; nothing in it may be slow to import, so what a command
does is imported when it is run.
"""

from __future__ import annotations

from litegate.cli.commands import (
    channels,
    comparing,
    evidence,
    installation,
    pipelines,
    servers,
    specs,
    verification,
    workspace,
)
from litegate.cli.commands.command import Command

__all__ = ["COMMANDS", "Command"]

COMMANDS: tuple[Command, ...] = (
    *pipelines.COMMANDS,
    *comparing.COMMANDS,
    *evidence.COMMANDS,
    *specs.COMMANDS,
    *channels.COMMANDS,
    *verification.COMMANDS,
    *servers.COMMANDS,
    *workspace.COMMANDS,
    *installation.COMMANDS,
)
