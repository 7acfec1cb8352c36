"""Where tails may end: at a mouth's side, at a place, or at the panel's edge.

A tail comes in towards the mouth, so that one sees who speaks even where it stops at the cheek.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from multiid.geometry import Size
from multiid.story.seen import SeenFace

__all__ = ["Aims", "aims_at_edges", "aims_at_face", "aims_at_place", "no_aims"]

_ANGLES = (0, 180, -25, 205, -50, 230, -75, 255, -90, 30, 150, 60, 120)  # degrees, 0 to the right, -90 up
_FROM_BELOW = 0.35  # ems: a tail from beneath the chin is rarer than one from above
_LEVELS = 9  # tips along a side of the panel
_GAP = 0.28  # ems: between the tip and what it points to


@dataclass(frozen=True, eq=False)
class Aims:
    """Where the tails of one speaker's balloons may end.

    Attributes:
        tips: their ends in pixels.
        incoming: which way, from each tip, the tail comes from; of length 1.
        costs: in pixels of detour.
        towards: what a tail shows the way to that reaches none of the tips.
    """

    tips: Float64[np.ndarray, "tips 2"]
    incoming: Float64[np.ndarray, "tips 2"]
    costs: Float64[np.ndarray, "tips"]
    towards: tuple[float, float]

    @property
    def middle(self) -> tuple[float, float]:
        """What the balloons should be near to."""
        return self.towards


def no_aims(towards: tuple[float, float]) -> Aims:
    """Only a way to show: for a speaker who is in the panel, nobody knows where."""
    return Aims(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), towards)


def aims_at_face(face: SeenFace, size: Size, *, em: float) -> Aims:
    """Just outside a face, on lines to its mouth."""
    x, y = face.mouth
    box, gap = face.box, _GAP * em
    tips: list[tuple[float, float]] = []
    incoming: list[tuple[float, float]] = []
    costs: list[float] = []
    for angle in _ANGLES:
        across, down = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        far = [math.inf]
        if abs(across) > 1e-6:
            far.append(((box.right if across > 0 else box.left) - x) / across)
        if abs(down) > 1e-6:
            far.append(((box.bottom if down > 0 else box.top) - y) / down)
        reach = max(min(far), 0.0) + gap
        tip = (x + across * reach, y + down * reach)
        if 1 <= tip[0] <= size.width - 1 and 1 <= tip[1] <= size.height - 1:
            tips.append(tip)
            incoming.append((across, down))
            costs.append(0.5 * reach + (_FROM_BELOW * em * 4 if down > 0.1 else 0.0))
    near = (min(max(x, 0.0), float(size.width)), min(max(y, 0.0), float(size.height)))
    if not tips:
        return no_aims(near)
    return Aims(np.array(tips), np.array(incoming), np.array(costs), near)


def aims_at_place(place: tuple[float, float]) -> Aims:
    """A place in the panel itself, from any side but beneath."""
    turns = [math.radians(angle) for angle in _ANGLES if angle <= 0 or angle >= 180]
    incoming = np.array([(math.cos(turn), math.sin(turn)) for turn in turns])
    return Aims(np.repeat(np.array([place], np.float64), len(turns), axis=0), incoming, np.zeros(len(turns)), place)


def aims_at_edges(size: Size) -> Aims:
    """The panel's sides, and its foot at a higher cost: for a speaker outside."""
    tips: list[tuple[float, float]] = []
    incoming: list[tuple[float, float]] = []
    for level in range(1, _LEVELS + 1):
        y = size.height * level / (_LEVELS + 1)
        tips += [(0.0, y), (float(size.width), y)]
        incoming += [(0.8, -0.6), (-0.8, -0.6)]
    costs = [0.0] * len(tips)
    for level in range(1, _LEVELS + 1):
        tips.append((size.width * level / (_LEVELS + 1), float(size.height)))
        incoming.append((0.0, -1.0))
        costs.append(0.15 * size.height)
    return Aims(np.array(tips), np.array(incoming), np.array(costs), (size.width / 2, float(size.height)))
