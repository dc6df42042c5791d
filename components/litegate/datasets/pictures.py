"""Encoded images as arrays."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from litegate.errors import DataError

__all__ = ["MAX_PIXELS", "decode_image", "decode_mask"]

Array = np.ndarray[Any, np.dtype[Any]]
MAX_PIXELS = 64_000_000


def decode_image(data: bytes, channels: int, place: str) -> Array:
    """Float32 values in 0..255 of shape (height, width, channels), with 1 or 3 channels.

    Raises:
        DataError: the bytes are no image that Pillow can read, or a huge one.
    """
    pixels = _pixels(data, place, "L" if channels == 1 else "RGB").astype(np.float32)
    return pixels.reshape(*pixels.shape[:2], channels)


def decode_mask(data: bytes, place: str) -> Array:
    """The numbers that an image of one channel holds, of shape (height, width): grey values or palette indices.

    Raises:
        DataError: the bytes are no image of one channel.
    """
    pixels = _pixels(data, place, None)
    if pixels.ndim != 2:
        raise DataError(place, "numbers, or an image of one channel, as label", f"an image of shape {pixels.shape}")
    return pixels


def _pixels(data: bytes, place: str, mode: str | None) -> Array:
    from PIL import Image

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(place, f"an image of at most {MAX_PIXELS:,} pixels", f"{image.width} x {image.height}")
            return np.asarray(image if mode in (None, image.mode) else image.convert(mode))  # which copies it
    except (OSError, ValueError, SyntaxError, *bombs) as error:
        raise DataError(place, "a readable image", str(error)) from None
