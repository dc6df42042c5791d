"""Quantization-aware training: the user's own training on a model that simulates 8 bits, and the file made of it."""

from __future__ import annotations

from litegate.fine_tuning.tuning import fine_tuned

__all__ = ["fine_tuned"]
