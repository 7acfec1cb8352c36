"""Skeletons as readers find them, without the points that no body could have there."""

import math

from multiid.geometry import Size
from multiid.poses.checks import find_faults
from multiid.poses.skeleton import JOINTS, Joint, Place, Pose, Skeleton

__all__ = ["plausible"]

# A joint and what hangs on it.
_LIMBS: dict[Joint, tuple[Joint, ...]] = {
    f"{side}_{joints[at]}": tuple(f"{side}_{joint}" for joint in joints[at:])
    for side in ("right", "left")
    for joints in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
    for at in range(3)
}


def plausible(skeleton: Skeleton, size: Size) -> Skeleton:
    """The skeleton without points that make its limbs impossible: too long for its face, or uneven left and right.

    Such points belong to somebody else, or to nobody. As few as possible go, with what hangs on them; where either
    side could, that which leaves the smaller body. A skeleton without such a fault (`poses.checks.find_faults`) comes
    back as it is. A hand goes with its wrist.

    Args:
        skeleton: as it was read.
        size: of the canvas, in pixels.
    """

    def cost(one: Skeleton) -> tuple[int, int, float]:
        return _limb_faults(one, size), one.points.count(None), _extent(one, size)

    bare = _limb_faults(_without(skeleton, tuple(joint for joints in _LIMBS.values() for joint in joints)), size)
    while _limb_faults(skeleton, size) > bare:
        candidates = [_without(skeleton, joints) for joint, joints in _LIMBS.items() if skeleton[joint] is not None]
        skeleton = min(candidates, key=cost)
    return skeleton


def _limb_faults(skeleton: Skeleton, size: Size) -> int:
    return len(find_faults(Pose(size, (Place(skeleton),))))


def _without(skeleton: Skeleton, joints: tuple[Joint, ...]) -> Skeleton:
    points = (None if joint in joints else point for joint, point in zip(JOINTS, skeleton.points, strict=True))
    return Skeleton(
        tuple(points),
        right_hand=None if "right_wrist" in joints else skeleton.right_hand,
        left_hand=None if "left_wrist" in joints else skeleton.left_hand,
        face=skeleton.face,
    )


def _extent(skeleton: Skeleton, size: Size) -> float:
    """How far the points lie from the middle of them all, added up, in pixels."""
    seen = [(point.x * size.width, point.y * size.height) for point in skeleton.points if point is not None]
    middle = (sum(x for x, _ in seen) / len(seen), sum(y for _, y in seen) / len(seen))
    return sum(math.dist(point, middle) for point in seen)
