"""`python -m litegate.stack HOME`: supervise the stack that `start` has planned for this home."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from litegate.errors import StackError
from litegate.stack.home import Home
from litegate.stack.state import Stack
from litegate.stack.supervisor import Supervisor

logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
home = Home(Path(sys.argv[1]))
stack = Stack.read(home)
if stack is None:
    raise StackError(f"no planned stack in {home.state}")
sys.exit(Supervisor(home, stack).run())
