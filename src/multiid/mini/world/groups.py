"""Random groups of people, posed by the project's parametric body: what the miniature learns from.

Lengths are in head widths, as heads are drawn (`figure.HEAD_GROWTH`), unless said otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from multiid.geometry import Point, Size
from multiid.mini.world.dice import Dice
from multiid.mini.world.figure import HEAD_GROWTH
from multiid.mini.world.gestures import draw_gesture
from multiid.poses.body import Age, Body
from multiid.poses.skeleton import Place, Pose

__all__ = ["LEARNT_TEMPLATES", "group_sizes", "make_group"]

LEARNT_TEMPLATES = (
    "couple-selfie", "couple-standing", "family-five", "family-four", "family-three", "friends-six", "single-portrait",
    "team-eight",
)  # fmt: skip
"""Names of the library's poses that the miniature learns from and is measured on: always the same, so that its recipes
and figures stay what they are while the library grows."""

_CLOSE: Mapping[int, tuple[Size, ...]] = {
    1: (Size(80, 96), Size(96, 112), Size(112, 128)),
    2: (Size(112, 96), Size(144, 112)),
    3: (Size(152, 96), Size(176, 112)),
    4: (Size(192, 96), Size(160, 136)),
    5: (Size(232, 104), Size(184, 136)),
    6: (Size(272, 104), Size(208, 136)),
    7: (Size(240, 136), Size(224, 144)),
    8: (Size(240, 136), Size(256, 144)),
}
"""People from the chest or the waist up, shoulder to shoulder."""
_WHOLE: Mapping[int, tuple[Size, ...]] = {
    1: (Size(112, 144), Size(96, 184)),
    2: (Size(160, 160), Size(144, 184)),
    3: (Size(208, 152), Size(176, 184)),
    4: (Size(232, 160), Size(200, 192)),
    5: (Size(248, 168), Size(216, 200)),
    6: (Size(288, 168), Size(240, 200)),
    7: (Size(288, 184), Size(256, 208)),
    8: (Size(312, 184), Size(272, 208)),
}
"""As the templates: most of the figure, standing or sitting, about 128 x 128 x people ** 0.6 pixels."""
_CLOSE_SHARE = 0.7
_UNIT = Size(1, 1)

_SMALLEST, _LARGEST = 28.0, 62.0  # pixels; an oval face is a seventh narrower than its head
_ABOVE, _BESIDE = 0.98, 0.64  # from the middle of a face to the picture's edge: what hair takes up
_BELOW = {"close": 1.25, "whole": 2.2}  # so that clothes are seen
_APART = 1.12  # between neighbours of a row: faces clear, hair and shoulders touch
_OVERLAPPED_APART = 1.0  # neighbours' heads with hair share 30 % of their width then
_ROWS_APART = 1.5
_IN_ROWS_APART = 1.36


@dataclass(frozen=True)
class _Slot:
    """A head: the middle of its face and its width in pixels, who it is, and in which row it stands."""

    x: float
    y: float
    width: float
    role: Age
    depth: float


def group_sizes(count: int) -> tuple[Size, ...]:
    """The sizes of picture that groups of that many people come in, in pixels: the close ones, then the whole ones.

    Raises:
        ValueError: when `count` is not 1 to 8.
    """
    if count not in _CLOSE:
        raise ValueError(f"count: expected 1 to {len(_CLOSE)} people, but got {count}")
    return _CLOSE[count] + _WHOLE[count]


def make_group(count: int, seed: int, *, overlap: bool = False, size: Size | None = None) -> Pose:
    """A random group on a canvas of the miniature's sizes; heads are drawn 28 to 62 pixels wide.

    Seven in ten groups are close (bust or half-length, shoulder to shoulder), the others show most of the figure.
    Faces lie within the picture and hardly cover one another. Nothing prefers left to right.

    Args:
        count: of people, 1 to 8.
        seed: the same seed gives the same group.
        overlap: put all in one row so close that neighbours' heads, with hair, share about 30 % of their width;
            each but the foremost is partly covered by one neighbour. Needs at least 2 people to show.
        size: one of `group_sizes(count)`, drawn as well unless given.

    Raises:
        ValueError: when `count` is not 1 to 8, or `size` is not among its sizes.
    """
    sizes = group_sizes(count)
    if size is not None and size not in sizes:
        raise ValueError(f"size: expected {', '.join(map(str, sizes))} for {count} people, but got {size}")
    dice = Dice("group", seed)
    if size is None:
        size = dice.pick(_CLOSE[count] if dice.chance(_CLOSE_SHARE) else _WHOLE[count])
    framing = "close" if size in _CLOSE[count] else "whole"
    slots = _lay_out(count, size, framing, overlap, dice)
    return Pose(size, tuple(_stand(slots, index, size, framing, dice) for index in range(count)))


def _lay_out(count: int, size: Size, framing: str, overlap: bool, dice: Dice) -> list[_Slot]:
    """The heads from left to right, in one row or in two."""
    apart = _OVERLAPPED_APART if overlap else _APART
    below, below_front = _BELOW[framing], min(_BELOW[framing], 1.5)
    one_row = min(size.width / ((count - 1) * apart + 2 * _BESIDE), size.height / (_ABOVE + below))
    columns = (count - 1) / 2
    two_rows = min(
        size.width / (columns * _IN_ROWS_APART + 2 * _BESIDE), size.height / (_ABOVE + _ROWS_APART + below_front)
    )
    in_rows = not overlap and count >= 3 and two_rows >= _SMALLEST and dice.chance(0.5 if one_row > two_rows else 0.9)
    shrunk = dice.between(0.85 if framing == "close" or in_rows else 0.6, 1.0)
    width = max(_SMALLEST, min(_LARGEST, two_rows if in_rows else one_row) * shrunk)
    roles: list[Age] = [dice.pick(("adult", "child", "elder"), (0.6, 0.25, 0.15)) for _ in range(count)]
    xs = _spread(count, size.width, width, _IN_ROWS_APART / 2 if in_rows else apart, tight=overlap, dice=dice)
    top, bottom = _ABOVE * width, size.height - (below_front if in_rows else below) * width
    lowest = size.height - 1.05 * width
    if in_rows:
        ys, depths = _two_rows(count, top, bottom, width, framing, dice)
    else:
        level = dice.between(top, max(top, min(bottom, size.height * 0.45)))
        ys, depths = (_crowd if overlap else _one_row)(roles, level, width, dice)
    ys = [max(top, min(y, lowest)) for y in ys]
    least = 0.95 if overlap else 0.86  # so that all overlap alike
    widths = [max(_SMALLEST, width * dice.between(least, 1.0) * (0.94 if role == "child" else 1.0)) for role in roles]
    return [_Slot(*slot) for slot in zip(xs, ys, widths, roles, depths, strict=True)]


def _two_rows(
    count: int, top: float, bottom: float, width: float, framing: str, dice: Dice
) -> tuple[list[float], list[float]]:
    """Heights and depths of people who stand in front and behind by turns."""
    front_first = dice.chance(0.5)
    depths = [0.0 if (index % 2 == 0) == front_first else 1.0 for index in range(count)]
    room = max(0.0, bottom - top - _ROWS_APART * width)
    back = top + dice.between(0.0, room if framing == "close" else 0.6 * room)
    ys = [back + ((1 - depth) * _ROWS_APART + dice.between(-0.12, 0.12)) * width for depth in depths]
    return ys, depths


def _one_row(roles: list[Age], level: float, width: float, dice: Dice) -> tuple[list[float], list[float]]:
    """Heights and depths of people side by side; children are lower."""
    mixed = dice.chance(0.75)
    ys = [
        level + (dice.between(-0.22, 0.22) + (dice.between(0.1, 0.6) if role == "child" else 0.0)) * width
        for role in roles
    ]
    # Who is lower stands in front, so that nobody's shoulder covers a face.
    middle = sum(ys) / len(ys)
    return ys, [1.0 if mixed and y < middle else 0.0 for y in ys]


def _crowd(roles: list[Age], level: float, width: float, dice: Dice) -> tuple[list[float], list[float]]:
    """Heights and depths of people who cover each other: farther back the farther from the foremost of them, so that
    nobody is covered from both sides."""
    foremost = dice.pick(range(len(roles)))
    depths = [float(abs(index - foremost)) for index in range(len(roles))]
    return [level + dice.between(-0.06, 0.06) * width for _ in roles], depths


def _spread(count: int, canvas: int, width: float, apart: float, *, tight: bool, dice: Dice) -> list[float]:
    """Where the faces are from left to right in pixels: at least that far apart, what room is left at random."""
    free = max(0.0, canvas - ((count - 1) * apart + 2 * _BESIDE) * width)
    shares = [dice.between(0.0, 1.0) for _ in range(count + 1)]
    if tight:
        shares[1:-1] = [0.0] * (count - 1)
    scale = free / max(sum(shares), 1e-6)
    step = min(apart * width, (canvas - 2 * _BESIDE * width) / max(1, count - 1))
    x = _BESIDE * width
    xs: list[float] = []
    for share in shares[:-1]:
        x += share * scale
        xs.append(x)
        x += step
    return xs


def _stand(slots: list[_Slot], index: int, size: Size, framing: str, dice: Dice) -> Place:
    """The person of a slot, their face where the slot says and as wide as it says."""
    slot = slots[index]
    aside = slot.x / size.width * 2 - 1
    beside = tuple(slots[other] if 0 <= other < len(slots) else None for other in (index - 1, index + 1))
    farthest = slot.depth == max(other.depth for other in slots)
    gesture = draw_gesture(
        dice,
        up=(farthest or beside[0] is None, farthest or beside[1] is None),
        around=(_is_behind(slot, beside[0]), _is_behind(slot, beside[1])),
    )
    looks_away = dice.chance(0.2)
    body = Body(
        height=0.5,
        face=Point(0.5, 0.5),
        stance="sitting" if framing == "whole" and slot.depth == 0 and dice.chance(0.35) else "standing",
        turn=dice.between(-14, 14) - 16 * aside,  # towards the middle of the group
        lean=dice.between(-5, 5),
        bow=dice.between(-3, 6),
        head_turn=dice.between(-42, 42) if looks_away else dice.between(-14, 14) - 5 * aside,
        head_tilt=dice.between(-13, 13),
        head_nod=dice.between(-9, 9),
        right_arm=gesture.right,
        left_arm=gesture.left,
        hidden=gesture.hidden,
    )
    # All of a body grows with its height, so one look at a small one tells where the nose has to be.
    face = body.skeleton(_UNIT, age=slot.role).face_box(_UNIT)
    if face is None:
        raise RuntimeError("a face turned by less than 45 degrees was not seen")
    growth = slot.width / (HEAD_GROWTH * face.width)
    nose_x, nose_y = (0.5 - face.centre[0]) * growth, (0.5 - face.centre[1]) * growth
    body = replace(
        body,
        height=0.5 * growth / size.height,
        face=Point((slot.x + nose_x) / size.width, (slot.y + nose_y) / size.height),
    )
    return Place(body.skeleton(size, age=slot.role), depth=slot.depth, role=slot.role)


def _is_behind(slot: _Slot, other: _Slot | None) -> bool:
    return other is not None and slot.depth > other.depth
