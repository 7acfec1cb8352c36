"""The square picture of a head that the recogniser reads, cut from a picture around a face."""

import cv2
import numpy as np
from jaxtyping import UInt8

from multiid.geometry import Box
from multiid.mini.faces.networks import CROP

__all__ = ["cut_head", "cut_square", "to_crop"]

_MARGIN = 2.2
"""Side of the piece in sizes of the face, so that braids, buns and beards are within it."""


def cut_head(picture: UInt8[np.ndarray, "height width 3"], face: Box) -> UInt8[np.ndarray, "side side 3"]:
    """A face with its hair, `networks.CROP` pixels a side; what lies beyond the picture repeats its edge."""
    return to_crop(cut_square(picture, face))


def to_crop(piece: UInt8[np.ndarray, "height height 3"]) -> UInt8[np.ndarray, "side side 3"]:
    """A square piece at `networks.CROP` pixels a side."""
    shrinks = piece.shape[0] > CROP
    return cv2.resize(piece, (CROP, CROP), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def cut_square(picture: UInt8[np.ndarray, "height width 3"], face: Box) -> UInt8[np.ndarray, "side side 3"]:
    """What `cut_head` gives, but at the picture's own scale."""
    side = max(4, round(_MARGIN * (face.width * face.height) ** 0.5))
    x, y = face.centre
    left, top = round(x - side / 2), round(y - side / 2)
    height, width = picture.shape[:2]
    # A face beyond the picture still has the nearest pixels.
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    return picture[rows[:, None], columns]
