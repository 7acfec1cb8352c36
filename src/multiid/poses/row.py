"""A row of people: the plainest pose for any small number of them."""

from collections.abc import Mapping

from multiid.geometry import Point, Size
from multiid.poses.body import Body, Limb
from multiid.poses.skeleton import Place, Pose

__all__ = ["MOST_IN_A_ROW", "make_row"]

_ROWS: Mapping[int, tuple[Size, float]] = {
    1: (Size(896, 1152), 1.9),
    2: (Size(1024, 1024), 1.6),
    3: (Size(1152, 896), 1.5),
    4: (Size(1216, 832), 1.42),
    5: (Size(1344, 768), 1.35),
    6: (Size(1344, 768), 1.15),
    7: (Size(1536, 640), 1.3),
    8: (Size(1536, 640), 1.2),
}
"""The canvas, one of those that SDXL was trained on, and how tall people are in canvas heights."""

MOST_IN_A_ROW = max(_ROWS)
"""People for whom there is a row."""

_FACE_HEIGHT = 0.3  # of the canvas, where noses are
_TURN = 14.0  # degrees; those at the ends turn to the middle


def make_row(people: int) -> Pose:
    """So many grown-up people standing in a row, faces to the camera.

    Raises:
        ValueError: when there are fewer than 1 or more than `MOST_IN_A_ROW`.
    """
    if people not in _ROWS:
        raise ValueError(f"people: expected 1 to {MOST_IN_A_ROW}, but got {people}")
    size, stature = _ROWS[people]
    places: list[Place] = []
    for index in range(people):
        x = (index + 0.5) / people
        body = Body(
            face=Point(x, _FACE_HEIGHT),
            height=stature,
            turn=_TURN * (1 - 2 * x),
            right_arm=Limb(out=4.0, bend=16.0, twist=30.0),
            left_arm=Limb(out=4.0, bend=16.0, twist=30.0),
        )
        places.append(Place(body.skeleton(size)))
    return Pose(size, tuple(places))
