"""What the machine elsewhere computes, on this one; it does not know every file."""

from __future__ import annotations

from tests.components.evaluation import elsewhere

__all__ = ["load"]


def load(content: bytes, signature: str | None = None) -> elsewhere.Model:
    """From the words of `elsewhere`; it refuses those that say so, and dies where they say `dies_nearer`."""
    if content.startswith(b"refused"):
        raise RuntimeError("it knows no such file")
    does, at, first, *every = content.decode().split()
    does = "SIGKILL" if does == "dies_nearer" else "nothing"
    return elsewhere.Model(does, float(at), int(first), int(every[0]) if every else 10**9)
