"""What is wrong with a pose: heads cut off, faces that overlap, limbs no person has, places out of order."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from multiid.geometry import Box
from multiid.poses.skeleton import Joint, Pose, Skeleton

__all__ = ["find_faults"]

# The longest a limb can be, in widths of the head box. The body's proportions give about three quarters of these; the
# rest allows for faces drawn small, for the wide shoulders of some people and for perspective.
_LONGEST: dict[tuple[Joint, Joint], float] = {
    ("shoulder", "elbow"): 3.0,
    ("elbow", "wrist"): 2.6,
    ("neck", "shoulder"): 2.0,
    ("neck", "hip"): 5.0,
    ("hip", "knee"): 4.0,
    ("knee", "ankle"): 4.0,
}
# Neck to shoulder and neck to hip are foreshortened alike on both sides, so their lengths must agree to this factor.
_UNEVEN = {("neck", "shoulder"): 3.0, ("neck", "hip"): 1.6}
_SLACK = 0.3  # face widths by which they may differ anyway: from the side both are short


def find_faults(pose: Pose) -> list[str]:
    """Faults of a pose meant as a template, one sentence each without a full stop; empty where all is well.

    Checked for each place: a face lies inside the canvas (a head seen from behind may be cut by its edge), no limb is
    longer than the size of the head allows, left and right are of consistent length. Checked between places: heads do
    not overlap, and places are listed from left to right by their heads, extras after all others. Places are counted
    from 0, as keys of a template are.
    """
    faults: list[str] = []
    heads: list[_Head] = []
    for index, place in enumerate(pose.places):
        box = place.skeleton.head_box(pose.size)
        if box is None:
            faults.append(f"places.{index}: expected a visible head, but its points are missing")
            continue
        head = _Head(index, box, faces_us=place.skeleton.face_box(pose.size) is not None, extra=place.extra)
        if head.faces_us and not box.inside(pose.size):
            corners = ", ".join(f"{value:.0f}" for value in box.corners)
            faults.append(
                f"places.{index}: expected the face inside the canvas of {pose.size}, but its box is ({corners})"
            )
        heads.append(head)
        faults += [f"places.{index}: {fault}" for fault in _limb_faults(place.skeleton, pose, box.width)]
    return faults + _between(heads)


@dataclass(frozen=True)
class _Head:
    """Of the place at `index`; without a face where `faces_us` is false."""

    index: int
    box: Box
    faces_us: bool
    extra: bool


def _between(heads: Sequence[_Head]) -> list[str]:
    """Heads that overlap, and places that are not in order."""
    faults: list[str] = []
    for one, other in combinations(heads, 2):
        if one.box.overlaps(other.box):
            kind = "face" if one.faces_us and other.faces_us else "head"
            faults.append(
                f"places.{other.index}: expected {kind}s apart, but this one overlaps the {kind} of places.{one.index}"
            )
    for one, other in pairwise(heads):
        if one.extra and not other.extra:
            faults.append(f"places.{other.index}: expected extras after all others, but places.{one.index} is one")
        elif one.extra == other.extra and other.box.centre[0] <= one.box.centre[0]:
            faults.append(
                f"places.{other.index}: expected places from left to right, but it is left of places.{one.index}"
            )
    return faults


def _limb_faults(skeleton: Skeleton, pose: Pose, head_width: float) -> list[str]:
    def length(start: Joint, end: Joint) -> float | None:
        a, b = skeleton[start], skeleton[end]
        if a is None or b is None:
            return None
        return math.hypot((a.x - b.x) * pose.size.width, (a.y - b.y) * pose.size.height) / head_width

    faults: list[str] = []
    for (start, end), longest in _LONGEST.items():
        lengths: dict[str, float] = {}
        for side in ("right", "left"):
            first = start if start == "neck" else f"{side}_{start}"
            measured = length(first, f"{side}_{end}")
            if measured is None:
                continue
            lengths[side] = measured
            if measured > longest:
                faults.append(
                    f"expected {first} to {side}_{end} of at most {longest:g} face widths, but it is {measured:.1f}"
                )
        ratio = _UNEVEN.get((start, end))
        if ratio is not None and len(lengths) == 2 and max(lengths.values()) > ratio * min(lengths.values()) + _SLACK:
            faults.append(
                f"expected {start} to {end} about as long on both sides, but it is "
                f"{lengths['right']:.1f} face widths on the right and {lengths['left']:.1f} on the left"
            )
    return faults
