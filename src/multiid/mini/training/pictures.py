"""Pixels to tensors and back, a measure of their likeness, and sheets of them."""

import math
from collections.abc import Sequence

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

__all__ = ["grid", "psnr", "to_pixels", "to_unit"]


def to_unit(pictures: UInt8[Tensor, "batch height width 3"]) -> Float[Tensor, "batch 3 height width"]:
    """Bytes to numbers from -1 to 1."""
    return (pictures.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous()


def to_pixels(pictures: Float[Tensor, "batch 3 height width"]) -> UInt8[np.ndarray, "batch height width 3"]:
    """Numbers from -1 to 1 to bytes."""
    pixels = ((pictures.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).cpu().numpy()


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in decibels of two arrays of bytes; infinite where they are equal."""
    error = float(np.square(one.astype(np.float64) - other).mean())
    return 10 * math.log10(255**2 / error) if error else math.inf


def grid(pictures: Sequence[np.ndarray], *, columns: int, zoom: int = 1) -> PIL.Image.Image:
    """Pictures of one size in rows, each pixel drawn as a square of `zoom`."""
    height, width = pictures[0].shape[:2]
    rows = math.ceil(len(pictures) / columns)
    sheet = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
    return PIL.Image.fromarray(sheet.repeat(zoom, 0).repeat(zoom, 1))
