"""How a head is seen: where, how large, which way it looks; and what it does with its mouth."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from multiid.mini.world.pen import Points

__all__ = ["SURFACE", "Expression", "HeadView"]

SURFACE = 0.8
"""How far in front of the head's middle the features of a face are, in half head widths."""

_MOST_TURNED = 48.0  # degrees; beyond, half of the face would be out of sight


@dataclass(frozen=True)
class Expression:
    """What a face does: `smile` from 0 (earnest) to 1 (beaming), and how far the mouth is `open`, 0 to 1."""

    smile: float = 0.6
    open: float = 0.0


@dataclass(frozen=True)
class HeadView:
    """A head on the picture.

    Attributes:
        x, y: the middle of the face in pixels.
        unit: half the width of a head in pixels; the unit of everything on it.
        tilt: degrees towards the right of the picture.
        turn: degrees the face looks to the right of the picture; beyond three quarters it stays there.
        nod: degrees the face is lowered.
    """

    x: float
    y: float
    unit: float
    tilt: float = 0.0
    turn: float = 0.0
    nod: float = 0.0

    def project(
        self, shape: Points, depth: float | Float64[np.ndarray, " points"] = 0.0, *, at: tuple[float, float] = (0, 0)
    ) -> Points:
        """From half head widths about the middle of the face to pixels.

        Args:
            shape: points as they are on a head that looks into the camera.
            depth: how far in front of the middle they are, in half head widths. What is in front moves to where the
                face looks, what is behind moves the other way, and the outline (depth 0) stays.
            at: where on the face the shape's own middle is.
        """
        turn = math.radians(max(-_MOST_TURNED, min(_MOST_TURNED, self.turn)))
        narrowed, aside = 1 - math.cos(turn), math.sin(turn) * 0.55
        down = math.sin(math.radians(self.nod)) * 0.5
        sine, cosine = math.sin(math.radians(self.tilt)) * self.unit, math.cos(math.radians(self.tilt)) * self.unit
        if not isinstance(depth, np.ndarray):
            # One matrix for all points: most shapes lie at one depth.
            width = 1 - depth * narrowed
            x, y = at[0] * width + depth * aside, at[1] + depth * down
            matrix = np.array([[width * cosine, width * sine], [-sine, cosine]])
            return shape @ matrix + np.array([self.x + x * cosine - y * sine, self.y + x * sine + y * cosine])
        xs = (shape[:, 0] + at[0]) * (1 - depth * narrowed) + depth * aside
        ys = shape[:, 1] + at[1] + depth * down
        return np.stack([self.x + xs * cosine - ys * sine, self.y + xs * sine + ys * cosine], axis=1)
