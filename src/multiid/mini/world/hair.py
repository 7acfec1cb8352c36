"""Hair: for each style what lies behind the head and what lies on it, in half head widths about the face's middle."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from multiid.mini.world.pen import Points, arc, circle, polygon, smooth

__all__ = ["HairStyle", "hair_style"]


@dataclass(frozen=True)
class HairStyle:
    """Shapes of one hair style, as on a round head.

    Attributes:
        behind: drawn before the head.
        front: drawn upon the face, from brow to crown.
        ties: ribbons, drawn last of what is behind.
        shaved: what is drawn in a mixture of hair and skin, before `front`.
    """

    behind: tuple[Points, ...] = ()
    front: tuple[Points, ...] = ()
    ties: tuple[Points, ...] = ()
    shaved: tuple[Points, ...] = ()


def hair_style(name: str) -> HairStyle:
    """The shapes of one of the styles of `people.VALUES`."""
    return _styles()[name]


def _mirrored(points: Points) -> Points:
    return points[::-1] * np.array([-1.0, 1.0])


def _both(points: Points) -> tuple[Points, Points]:
    return points, _mirrored(points)


def _cap(hairline: Points, *, width: float = 1.09, top: float = 1.2, low: float = 8) -> Points:
    """Over the crown from temple to temple, and back along the hairline, which runs from right to left."""
    crown = arc(0, -0.02, width, top, 180 - low, 360 + low, 24)
    return np.concatenate([crown, hairline])


def _wavy(x: float, y: float, r: float, *, bumps: int, depth: float, start: float = 0, end: float = 360) -> Points:
    angles = np.radians(np.linspace(start, end, 72))
    radius = r + depth * np.abs(np.sin(angles * bumps / 2))
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)


def _spikes(x: float, inner: float, outer: float, start: float, end: float, count: int) -> Points:
    angles = np.radians(np.linspace(start, end, 2 * count + 1))
    radius = np.where(np.arange(2 * count + 1) % 2, outer, inner)
    return np.stack([x + radius * np.cos(angles), -0.05 + radius * np.sin(angles)], axis=1)


@cache
def _styles() -> Mapping[str, HairStyle]:
    parted = smooth(polygon((1.02, 0.1), (0.8, -0.25), (0.35, -0.62), (0.05, -0.95), (-0.05, -0.95), (-0.35, -0.62),
                            (-0.8, -0.25), (-1.02, 0.1)), closed=False)  # fmt: skip
    curtain = _cap(np.concatenate([
        smooth(polygon((1.12, 0.75), (0.9, 0.7), (0.84, 0.0), (0.6, -0.55), (0.0, -0.98)), closed=False),
        smooth(polygon((0.0, -0.98), (-0.6, -0.55), (-0.84, 0.0), (-0.9, 0.7), (-1.12, 0.75)), closed=False)]),
        width=1.14)  # fmt: skip
    fringe = _cap(smooth(polygon((1.0, 0.2), (0.84, 0.12), (0.8, -0.34), (-0.8, -0.34), (-0.84, 0.12), (-1.0, 0.2)),
                         closed=False), width=1.12)  # fmt: skip
    high = _cap(smooth(polygon((1.0, 0.0), (0.86, -0.4), (0.4, -0.74), (-0.4, -0.74), (-0.86, -0.4), (-1.0, 0.0)),
                       closed=False))  # fmt: skip
    swept = _cap(smooth(polygon((1.0, 0.1), (0.88, -0.3), (0.2, -0.5), (-0.5, -0.9), (-0.8, -0.5), (-1.0, 0.1)),
                        closed=False))  # fmt: skip
    braid = tuple(circle(side * x, y, 0.27, 0.3) for side in (-1, 1)
                  for x, y in ((1.12, 0.5), (1.22, 0.95), (1.24, 1.4)))  # fmt: skip
    return {
        "crop": HairStyle(front=(_cap(polygon((0.96, -0.12), (0.86, -0.2), (0.78, -0.5), (-0.78, -0.5), (-0.86, -0.2),
                                              (-0.96, -0.12)), top=1.16),)),
        "spiky": HairStyle(front=(np.concatenate([
            _spikes(0, 1.12, 1.68, 178, 362, 7),
            polygon((0.92, -0.2), (0.72, -0.62), (0.5, -0.36), (0.2, -0.66), (-0.05, -0.36), (-0.35, -0.66),
                    (-0.55, -0.36), (-0.78, -0.6), (-0.92, -0.2))]),)),
        "quiff": HairStyle(front=(smooth(polygon(
            (-1.08, 0.1), (-1.12, -0.7), (-1.1, -1.2), (-0.5, -1.5), (0.2, -1.95), (1.1, -2.0), (1.5, -1.6),
            (1.2, -1.1), (1.12, -0.6), (1.08, 0.1), (0.9, -0.1), (0.84, -0.6), (0.1, -0.72), (-0.7, -0.5),
            (-0.9, -0.1))),)),
        "mohawk": HairStyle(
            front=(smooth(polygon((-0.36, -0.42), (-0.34, -1.0), (-0.5, -1.6), (-0.3, -1.95), (0.0, -2.05),
                                  (0.3, -1.95), (0.5, -1.6), (0.34, -1.0), (0.36, -0.42)), rounds=1),),
            shaved=(high,)),
        "tufts": HairStyle(
            behind=_both(_wavy(1.06, -0.05, 0.4, bumps=7, depth=0.12)),
            front=_both(smooth(polygon((0.8, -0.5), (1.1, -0.52), (1.22, 0.0), (1.04, 0.22), (0.92, -0.1))))),
        "curly": HairStyle(
            behind=(_wavy(0, -0.28, 1.42, bumps=13, depth=0.18),),
            front=(np.concatenate([arc(0, -0.3, 1.12, 1.05, 192, 348, 20),
                                   _wavy(0, -1.02, 0.7, bumps=12, depth=0.14, start=10, end=170) * (1.26, 1.0)]),)),
        "long": HairStyle(
            behind=(smooth(polygon((-1.1, -1.0), (-0.6, -1.3), (0.6, -1.3), (1.1, -1.0), (1.3, 0.2), (1.5, 1.95),
                                   (0.7, 2.05), (-0.7, 2.05), (-1.5, 1.95), (-1.3, 0.2))),),
            front=(curtain,)),
        "bob": HairStyle(
            behind=(smooth(polygon((-1.1, -1.1), (-0.5, -1.35), (0.5, -1.35), (1.1, -1.1), (1.4, 0.0), (1.62, 1.12),
                                   (0.8, 1.14), (-0.8, 1.14), (-1.62, 1.12), (-1.4, 0.0))),),
            front=(fringe,)),
        "ponytail": HairStyle(
            behind=(smooth(polygon((0.5, -1.0), (1.0, -1.45), (1.7, -1.2), (2.05, -0.4), (1.95, 0.5), (1.6, 1.15),
                                   (1.5, 0.4), (1.3, -0.3))),),
            ties=(circle(0.98, -0.9, 0.22),),
            front=(swept,)),
        "bun": HairStyle(behind=(circle(0, -1.45, 0.54),), ties=(circle(0, -1.12, 0.42, 0.2),), front=(high,)),
        "pigtails": HairStyle(
            behind=_both(smooth(polygon((0.8, -0.9), (1.4, -1.3), (1.95, -0.9), (2.0, -0.2), (1.72, 0.36),
                                        (1.4, -0.1), (1.1, -0.5)))),
            ties=_both(circle(1.06, -0.72, 0.2)),
            front=(_cap(parted),)),
        "braids": HairStyle(behind=braid, ties=_both(circle(1.24, 1.68, 0.16, 0.13)), front=(fringe,)),
    }  # fmt: skip
