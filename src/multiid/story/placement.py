"""Where a panel's balloons and captions go: a search over a fixed grid that gives the same places everywhere.

Blocks are placed one after another, captions first, and the cheapest ways so far are carried on (a beam search).
Hard rules: inside the panel, no face covered, no two overlap, no tail is covered, captions lie at their edge, and what
is read earlier lies higher, or at the same height further to the side where reading starts. Within these, tails are
short, and what matters in the picture stays in view. Costs are compared in whole thousandths of a pixel and ties go to
the first, so that the last digits of a machine's arithmetic do not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, Int64

from multiid.geometry import Box, Size
from multiid.story.places import Block, Boxes, Ground, Places, Reading, edge_places, free_places, overlap
from multiid.story.routes import Routes, find_routes
from multiid.story.tails import Curve, boxes_array, half_base, shortest, tail_boxes

__all__ = ["Placed", "place_blocks", "reads_before"]

_SECTORS = 6  # the cheapest place in each of 6 x 6 parts of the panel is looked at closely
_LOOKED_AT = 24  # of these, for each way so far
_BEAM = 8  # ways that are carried on
_LEVEL = 0.5  # of the lower of two boxes: how much lower the earlier may begin on the side where reading starts
_HIGHER, _MIDDLE_HIGHER = 0.75, 0.5  # the same: how much higher it begins on the other side, and its middle lies
_AGAINST = 10.0  # ems: what it costs when only its height says that a balloon is read first


@dataclass(frozen=True)
class Placed:
    """Where a block is.

    Attributes:
        shape: index of its shape.
        middle: of the text, in pixels.
        box: around the outline, without its tail.
        tail: root, handle and tip of the tail's curve; None where it has none.
        reaching: whether the tail ends where it should, rather than only showing the way.
    """

    shape: int
    middle: tuple[float, float]
    box: Box
    tail: Curve | None
    reaching: bool


@dataclass(frozen=True, eq=False)
class _Left:
    """A block's places, and what the blocks placed so far leave of them."""

    places: Places
    fits: Bool[np.ndarray, "boxes"]
    extra: Float64[np.ndarray, "boxes"]  # what each costs more beside those blocks

    @classmethod
    def whole(cls, places: Places) -> "_Left":
        """Everything, as long as nothing is placed."""
        return cls(places, np.ones(len(places.boxes), bool), np.zeros(len(places.boxes)))

    def beside(self, other: Placed, tails: Boxes, ground: Ground, *, earlier: bool) -> "_Left":
        """What another block and some tails leave of it; `earlier` tells that the other block is read first."""
        box, boxes = np.array([other.box.corners]), self.places.boxes
        first, second = (box, boxes) if earlier else (boxes, box)
        hidden = overlap(boxes, box, ground.gap)[:, 0] | overlap(boxes, tails, 0.0).any(axis=1)
        fits = self.fits & ~hidden & reads_before(first, second, ground.reading)
        extra = self.extra + _AGAINST * ground.em * _only_higher(first, second, ground.reading)
        return _Left(self.places, fits, extra)


@dataclass(frozen=True, eq=False)
class _Way:
    """Some blocks placed, and what is left for those that wait."""

    waiting: dict[int, _Left]
    cost: float = 0.0
    placed: dict[int, Placed] = field(default_factory=dict[int, Placed])
    tails: Boxes = field(default_factory=lambda: np.zeros((0, 4)))

    def left_for(self, index: int, blocks: Sequence[Block], ground: Ground) -> _Left:
        """Where a block may go: a caption's places follow from those at the same edge."""
        if index in self.waiting:
            return self.waiting[index]
        already = [placed.box for other, placed in self.placed.items() if blocks[other].edge == blocks[index].edge]
        left = _Left.whole(edge_places(blocks[index], already, ground))
        for other, placed in self.placed.items():
            left = left.beside(placed, self.tails, ground, earlier=other < index)
        return left

    def with_block(self, index: int, placed: Placed, tails: Boxes, cost: float, ground: Ground) -> "_Way | None":
        """The way with one more block and its tail; None where it leaves another block no place at all."""
        waiting: dict[int, _Left] = {}
        for other, left in self.waiting.items():
            if other != index:
                waiting[other] = left.beside(placed, tails, ground, earlier=index < other)
                if not waiting[other].fits.any():
                    return None
        return _Way(waiting, cost, {**self.placed, index: placed}, np.concatenate([self.tails, tails]))


@dataclass(frozen=True, eq=False)
class _Steps:
    """Where a way may go on: its next block's places, what each costs in all, and the tails there."""

    way: _Way
    places: Places
    costs: Float64[np.ndarray, "boxes"]
    routes: Routes | None
    base: float  # half the tails' width at their roots

    def taken(self, row: int, index: int, ground: Ground) -> _Way | None:
        """The way with the block `index` in one of the places; None where that leaves another block none."""
        tail, reaching, tails = None, False, np.zeros((0, 4))
        if self.routes is not None:
            curve = self.routes.curves[row]
            root, handle, tip = ((float(x), float(y)) for x, y in curve)
            tail, reaching = (root, handle, tip), bool(self.routes.reaching[row])
            tails = tail_boxes(curve, base=self.base)
        x, y = self.places.middles[row]
        box = Box(*(float(side) for side in self.places.boxes[row]))
        placed = Placed(int(self.places.shapes[row]), (float(x), float(y)), box, tail, reaching)
        return self.way.with_block(index, placed, tails, float(self.costs[row]), ground)


def reads_before(
    earlier: Float64[np.ndarray, "*#any 4"], later: Float64[np.ndarray, "*#any 4"], reading: Reading
) -> Bool[np.ndarray, "*_"]:
    """Whether a reader comes to one box before another: it is above it, or beside it on the side where they start.

    On the starting side an earlier box may begin somewhat lower, by up to half the height of the lower of the two. On
    the other side it must begin three quarters of that height higher, and its middle must be half of it higher.
    """
    least = np.minimum(earlier[..., 3] - earlier[..., 1], later[..., 3] - later[..., 1])
    lower = earlier[..., 1] - later[..., 1]
    middle_lower = (lower + earlier[..., 3] - later[..., 3]) / 2
    leftwards = reading == "right-to-left"
    starts = earlier[..., 0] >= later[..., 2] if leftwards else earlier[..., 2] <= later[..., 0]
    above = earlier[..., 3] <= later[..., 1]
    higher = (lower <= -_HIGHER * least) & (middle_lower <= -_MIDDLE_HIGHER * least)
    return above | np.where(starts, lower <= _LEVEL * least, higher)


def _only_higher(
    earlier: Float64[np.ndarray, "*#any 4"], later: Float64[np.ndarray, "*#any 4"], reading: Reading
) -> Bool[np.ndarray, "*_"]:
    """Whether the earlier of two boxes beside one another stands on the side where reading ends."""
    leftwards = reading == "right-to-left"
    ends = earlier[..., 2] <= later[..., 0] if leftwards else earlier[..., 0] >= later[..., 2]
    return ends & (earlier[..., 3] > later[..., 1])


def place_blocks(blocks: Sequence[Block], ground: Ground, *, patience: int = 1) -> tuple[Placed, ...] | None:
    """A place for each block, in order; None where no way was found.

    Args:
        blocks: in the order in which they are read: captions at the top, dialogue, captions at the foot.
        ground: the panel.
        patience: how many times as many ways are carried on as usual.
    """
    # Captions have the least choice; those at the foot are stacked from the last upwards.
    order = [index for index, block in enumerate(blocks) if block.edge == "top"]
    order += [index for index in reversed(range(len(blocks))) if blocks[index].edge == "bottom"]
    waiting = {
        index: _Left.whole(free_places(block, ground)) for index, block in enumerate(blocks) if block.edge is None
    }
    order += list(waiting)
    ways = [_Way(waiting)]
    for index in order:
        steps = [_next_steps(way, index, blocks, ground, patience) for way in ways]
        ways = _best_ways(steps, index, ground, most=_BEAM * patience)
    return tuple(ways[0].placed[index] for index in range(len(blocks))) if ways else None


def _best_ways(steps: Sequence[_Steps], index: int, ground: Ground, *, most: int) -> list[_Way]:
    """The cheapest steps that leave each of the waiting blocks some place."""
    if not steps:
        return []
    costs = np.concatenate([step.costs for step in steps])
    owners = np.repeat(np.arange(len(steps)), [len(step.costs) for step in steps])
    rows = np.concatenate([np.arange(len(step.costs)) for step in steps])
    ways: list[_Way] = []
    for rank in np.argsort(_whole(costs), kind="stable"):
        way = steps[int(owners[rank])].taken(int(rows[rank]), index, ground)
        if way is not None:
            ways.append(way)
        if len(ways) == most:
            break
    return ways


def _whole(costs: Float64[np.ndarray, "any"]) -> Int64[np.ndarray, "any"]:
    return np.rint(costs * 1000).astype(np.int64)


def _next_steps(way: _Way, index: int, blocks: Sequence[Block], ground: Ground, patience: int) -> _Steps:
    """The best places that the way so far leaves for a block."""
    block = blocks[index]
    left = way.left_for(index, blocks, ground)
    places = left.places
    promised = places.costs + places.near + left.extra
    chosen = _most_promising(places, promised, left.fits, ground.size, patience)
    near = places.only(chosen)
    costs = way.cost + near.costs + left.extra[chosen]
    if block.aims is None or len(costs) == 0:
        return _Steps(way, near, costs, None, 0.0)
    others = boxes_array([*ground.faces, *ground.taken, *(placed.box for placed in way.placed.values())])
    obstacles = np.concatenate([others, way.tails])
    form = block.shapes[0].form
    base, least = half_base(form, em=ground.em), shortest(form, em=ground.em)
    routes = find_routes(
        near.middles, near.rims, block.aims, obstacles, ground.size, em=ground.em, base=base, shortest=least
    )
    open_ = np.nonzero(np.isfinite(routes.costs))[0]
    return _Steps(way, near.only(open_), (costs + routes.costs)[open_], routes.only(open_), base)


def _most_promising(
    places: Places, costs: Float64[np.ndarray, "boxes"], fits: Bool[np.ndarray, "boxes"], size: Size, patience: int
) -> Int64[np.ndarray, "kept"]:
    """The cheapest places in different parts of the panel and of different shapes, cheapest first."""
    rows = np.nonzero(fits)[0]
    rows = rows[np.argsort(_whole(costs[rows]), kind="stable")]
    parts = np.floor(places.middles[rows] * _SECTORS / np.array([size.width, size.height])).astype(np.int64)
    kinds = (places.shapes[rows] * _SECTORS + parts[:, 0]) * _SECTORS + parts[:, 1]
    firsts = np.sort(np.unique(kinds, return_index=True)[1])
    return rows[firsts[: _LOOKED_AT * patience]]
