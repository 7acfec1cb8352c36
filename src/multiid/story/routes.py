"""Which way a tail takes: the cheapest curve from a balloon to where it may end that crosses nothing."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from multiid.geometry import Size
from multiid.story.aims import Aims
from multiid.story.balloons import Outline, exits, farness
from multiid.story.tails import points_along

__all__ = ["Routes", "crossed", "find_routes"]

_BEND = 0.4  # how far from the tip the handle is, as a share of the tail's length
_CRAMPED = 4.0  # pixels of tail that each pixel it is shorter costs
_STUB = (1.5, 1.1, 0.75)  # ems: a tail that only shows the way
_STUB_TURNS = (0, 25, -25, 50, -50, 80, -80)  # degrees
_STUB_COST = 14.0  # ems, of a tail that cannot reach whom it points to
_CLEAR = 0.12  # ems: between a tail and what it passes, less than between its tip and the face
_SEGMENTS = 6  # straight pieces that a curve is tested in


@dataclass(frozen=True, eq=False)
class Routes:
    """A tail for each of several balloons.

    Attributes:
        curves: root, handle and tip of each.
        costs: in pixels; infinite where there is no way at all.
        reaching: whether it ends where it should, and not on the way.
    """

    curves: Float64[np.ndarray, "balloons 3 2"]
    costs: Float64[np.ndarray, "balloons"]
    reaching: Bool[np.ndarray, "balloons"]

    def only(self, kept: Int64[np.ndarray, "kept"]) -> "Routes":
        """Some of them, by index."""
        return Routes(self.curves[kept], self.costs[kept], self.reaching[kept])


def find_routes(
    middles: Float64[np.ndarray, "balloons 2"],
    rims: Float64[np.ndarray, "balloons 2"],
    aims: Aims,
    obstacles: Float64[np.ndarray, "boxes 4"],
    size: Size,
    *,
    em: float,
    base: float,
    shortest: float,
) -> Routes:
    """The cheapest tail of each balloon that crosses nothing.

    Args:
        middles: of the balloons' superellipses.
        rims: half their widths and heights.
        aims: where the tails may end.
        obstacles: boxes that no tail may enter: faces, and other balloons; the speaker's own face among them.
        size: of the panel.
        em: the text's size in pixels.
        base: half a tail's width at its root, in pixels.
        shortest: how long a tail is at least where there is room, in pixels.

    Returns:
        A tail for each balloon: to one of the tips, or else a short one that shows the way.
    """
    curves, costs = np.zeros((len(middles), 3, 2)), np.full(len(middles), np.inf)
    if len(aims.tips):
        whole = _to_tips(middles, rims, aims)  # (balloons, tips, 3, 2)
        reach = np.hypot(*np.moveaxis(whole[..., 2, :] - whole[..., 0, :], -1, 0))
        cramped = _CRAMPED * np.maximum(shortest - reach, 0)
        points = points_along(whole, _SEGMENTS + 1)
        every = _lengths(points) + aims.costs + cramped + _turning(whole) * em
        every = np.where(_free(points, middles, rims, obstacles, size, em=em, base=base), every, np.inf)
        best = np.argmin(np.round(every, 3), axis=1)
        rows = np.arange(len(middles))
        curves, costs = whole[rows, best], every[rows, best]
    reaching = np.isfinite(costs)
    rest = ~reaching
    if rest.any():
        curves[rest], costs[rest] = _stubs(middles[rest], rims[rest], aims.towards, obstacles, size, em=em, base=base)
        if len(aims.tips):
            # A tail that only shows the way is no bargain beside a long one that arrives.
            away = np.hypot(*(middles[rest] - np.array(aims.towards)).T)
            costs[rest] += away + _STUB_COST * em
    return Routes(curves, costs, reaching)


def _to_tips(middles: Outline, rims: Outline, aims: Aims) -> Float64[np.ndarray, "balloons tips 3 2"]:
    tips = aims.tips[None]
    far = np.hypot(*np.moveaxis(tips - middles[:, None], -1, 0))
    handles = tips + aims.incoming[None] * (_BEND * far)[..., None]
    ways = 0.7 * (handles - middles[:, None]) + 0.3 * (tips - middles[:, None])
    ways = np.where(np.abs(ways).sum(axis=-1, keepdims=True) < 1e-6, [0.0, 1.0], ways)
    roots = middles[:, None] + exits(ways, np.broadcast_to(rims[:, None], ways.shape))
    # The handle bends in proportion to what is left of the way outside of the balloon.
    outside = np.hypot(*np.moveaxis(tips - roots, -1, 0))
    handles = tips + aims.incoming[None] * (_BEND * outside)[..., None]
    return np.stack([roots, handles, np.broadcast_to(tips, roots.shape)], axis=-2)


def _stubs(
    middles: Outline,
    rims: Outline,
    towards: tuple[float, float],
    obstacles: Float64[np.ndarray, "boxes 4"],
    size: Size,
    *,
    em: float,
    base: float,
) -> tuple[Float64[np.ndarray, "balloons 3 2"], Float64[np.ndarray, "balloons"]]:
    """Short tails that show the way, turned aside or shortened where something is in it."""
    ways = np.array(towards) - middles
    angles = np.arctan2(ways[:, 1], ways[:, 0])
    curves: list[Float64[np.ndarray, "balloons 3 2"]] = []
    costs: list[float] = []
    for length in _STUB:
        for turn in _STUB_TURNS:
            turned = angles + math.radians(turn)
            across = np.stack([np.cos(turned), np.sin(turned)], axis=1)
            roots = middles + exits(across, rims)
            curves.append(np.stack([roots, roots + across * (length * em / 2), roots + across * (length * em)], axis=1))
            costs.append(abs(turn) / 25 * em + (_STUB[0] - length) * em)
    options = np.stack(curves, axis=1)  # (balloons, options, 3, 2)
    free = _free(points_along(options, _SEGMENTS + 1), middles, rims, obstacles, size, em=em, base=base)
    option_costs = np.where(free, np.array(costs)[None], np.inf)
    best = np.argmin(option_costs, axis=1)
    rows = np.arange(len(middles))
    return options[rows, best], option_costs[rows, best]


def _lengths(points: Float64[np.ndarray, "*any points 2"]) -> Float64[np.ndarray, "*any"]:
    steps = np.diff(points, axis=-2)
    return np.hypot(steps[..., 0], steps[..., 1]).sum(axis=-1)


def _turning(curves: Float64[np.ndarray, "*any 3 2"]) -> Float64[np.ndarray, "*any"]:
    """How sharply curves bend: 0 is straight, 4 turns back."""
    first, last = curves[..., 1, :] - curves[..., 0, :], curves[..., 2, :] - curves[..., 1, :]
    size = np.hypot(first[..., 0], first[..., 1]) * np.hypot(last[..., 0], last[..., 1])
    return 2 * (1 - (first * last).sum(axis=-1) / np.maximum(size, 1e-9))


def _free(
    points: Float64[np.ndarray, "balloons ways points 2"],
    middles: Outline,
    rims: Outline,
    obstacles: Float64[np.ndarray, "boxes 4"],
    size: Size,
    *,
    em: float,
    base: float,
) -> Bool[np.ndarray, "balloons ways"]:
    """Whether tails along such points cross nothing, stay in the panel and do not run back through their balloons."""
    inside = (points >= 0) & (points <= np.array([size.width, size.height]))
    later = points[..., 2:, :] - middles[:, None, None]
    apart = (farness(later, np.broadcast_to(rims[:, None, None], later.shape)) > 1.0).all(axis=-1)
    # The wedge is broad at its root and nothing at its tip.
    margins = base * (1 - np.arange(_SEGMENTS) / _SEGMENTS) + _CLEAR * em
    grown = obstacles + margins[:, None, None] * np.array([-1, -1, 1, 1])
    hit = np.logical_or.reduce(crossed(points[..., :-1, :], points[..., 1:, :], grown), axis=(-1, -2))
    return inside.all(axis=(-1, -2)) & apart & ~hit


def crossed(
    starts: Float64[np.ndarray, "*any 2"],
    ends: Float64[np.ndarray, "*any 2"],
    boxes: Float64[np.ndarray, "*#any boxes 4"],
) -> Bool[np.ndarray, "*any boxes"]:
    """Which boxes straight lines enter, all alike or each its own: the slab method of Kay and Kajiya (1986)."""
    enter, leave = np.array(0.0), np.array(1.0)
    for axis in (0, 1):
        start, way = starts[..., axis, None], (ends - starts)[..., axis, None]
        way = np.where(np.abs(way) < 1e-9, 1e-9, way)
        first, second = (boxes[..., axis] - start) / way, (boxes[..., axis + 2] - start) / way
        enter = np.maximum(enter, np.minimum(first, second))
        leave = np.minimum(leave, np.maximum(first, second))
    return enter < leave
