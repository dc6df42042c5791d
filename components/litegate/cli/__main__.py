"""`python -m litegate.cli`: the command where no script of it is on the PATH."""

from __future__ import annotations

from litegate.cli import main

if __name__ == "__main__":
    main()
