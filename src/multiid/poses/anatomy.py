"""What bodies are like: proportions by age, points of the head, and how arms and legs bend.

Lengths are shares of the person's stature. The axes are the camera's: x to the right of the picture, y up,
z towards the viewer. Right and left in names are the person's own.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float64

from multiid.poses.skeleton import Joint

__all__ = [
    "FORMAT",
    "HEAD",
    "HEAD_PIVOT",
    "PROPORTIONS",
    "Age",
    "Limb",
    "Matrix",
    "Proportions",
    "Vector",
    "check_range",
    "reach",
    "rotation",
]

Age = Literal["adult", "child", "elder"]
Vector = Float64[np.ndarray, "3"]
Matrix = Float64[np.ndarray, "3 3"]

FORMAT = {"extra": "forbid", "strict": True, "allow_inf_nan": False, "use_attribute_docstrings": True}
"""How pydantic reads these classes from a template: unknown keys, texts for numbers and NaN are errors."""


@dataclass(frozen=True)
class Proportions:
    """Heights above the ground, widths and lengths of an upright body, as shares of its stature."""

    eyes: float
    head: float
    """Ear to ear; the unit of everything on the head."""
    shoulders: float
    shoulder_width: float
    """Joint to joint, as `hip_width`."""
    hips: float
    hip_width: float
    knees: float
    ankles: float
    upper_arm: float
    forearm: float
    stoop: float
    """How far the spine bends forward when the person stands straight, in degrees."""


PROPORTIONS: dict[Age, Proportions] = {
    "adult": Proportions(0.936, 0.085, 0.805, 0.206, 0.515, 0.110, 0.280, 0.040, 0.180, 0.146, 0.0),
    "child": Proportions(0.912, 0.104, 0.762, 0.198, 0.485, 0.108, 0.265, 0.045, 0.168, 0.136, 0.0),
    "elder": Proportions(0.932, 0.087, 0.800, 0.202, 0.510, 0.112, 0.277, 0.040, 0.182, 0.148, 6.0),
}
"""Adult: after Drillis and Contini's segment lengths (Body Segment Parameters, 1966), with the shoulder and hip
points moved from the skin to the joints, as OpenPose sees them. The child is about seven years old, six heads tall."""

HEAD: dict[Joint, tuple[tuple[float, float, float], tuple[float, ...]]] = {
    "nose": ((0.0, -0.31, 0.80), (0.0,)),
    "right_eye": ((-0.225, 0.0, 0.58), (-30.0,)),
    "left_eye": ((0.225, 0.0, 0.58), (30.0,)),
    "right_ear": ((-0.5, -0.13, 0.0), (-70.0, -110.0)),
    "left_ear": ((0.5, -0.13, 0.0), (70.0, 110.0)),
}
"""Where each point of the head is, in head widths from the level of the eyes (y) and the middle of the ears (x, z);
and which ways it faces, in degrees from straight ahead: it is seen while any of them points to the camera. Ears stand
out from the head, so that they show their fronts and their backs: from straight behind both are seen, as from ahead."""

HEAD_PIVOT = (0.0, -0.6, 0.0)
"""The point about which the head turns and tilts, as the points of `HEAD`."""

_ELBOW_HANGS = (0.1, -0.7, -1.0)  # where the elbow of a reaching left arm goes: down and back, hardly out


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Refuses a number outside `low` to `high`.

    Raises:
        ValueError: naming the number and the range.
    """
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low:g} to {high:g}, but got {value:g}")


@dataclass(frozen=True)
class Limb:
    """Angles of an arm or a leg in degrees; all 0 hangs straight down.

    Raises:
        ValueError: when an angle is beyond what a joint can do.
    """

    __pydantic_config__: ClassVar[Any] = FORMAT

    out: float = 0.0
    """Lifted sideways, away from the body; -60 to 180."""
    forward: float = 0.0
    """Lifted forward; -60 to 180."""
    bend: float = 0.0
    """Bent at the elbow (forward) or the knee (backward); 0 to 155."""
    twist: float = 0.0
    """Where the bend goes, turned about the upper half: 90 takes a forearm across the body; -90 to 120."""

    def __post_init__(self) -> None:
        check_range("out", self.out, -60.0, 180.0)
        check_range("forward", self.forward, -60.0, 180.0)
        check_range("bend", self.bend, 0.0, 155.0)
        check_range("twist", self.twist, -90.0, 120.0)

    def directions(self, *, side: int, knee: bool) -> tuple[Vector, Vector]:
        """Unit vectors of the upper and the lower half, in the frame of the body.

        Args:
            side: 1 for a left limb, -1 for a right one.
            knee: whether it is a leg, which bends backward.
        """
        (so, co), (sf, cf) = _sin_cos(self.out), _sin_cos(self.forward)
        (st, ct), (sb, cb) = _sin_cos(self.twist), _sin_cos(self.bend)
        upper = np.array([so, -co * cf, co * sf])
        ahead = np.array([0.0, sf, cf])
        across = np.array([-co, -so * cf, so * sf])
        lower = cb * upper + sb * (-1 if knee else 1) * (ct * ahead + st * across)
        mirror = np.array([side, 1.0, 1.0])
        return upper * mirror, lower * mirror


def rotation(*, turn: float = 0.0, tilt: float = 0.0, nod: float = 0.0) -> Matrix:
    """Bends forward by `nod`, then turns and then tilts towards the right of the picture; degrees."""
    (sn, cn), (st, ct), (sr, cr) = _sin_cos(nod), _sin_cos(turn), _sin_cos(tilt)
    bend = np.array([[1.0, 0.0, 0.0], [0.0, cn, -sn], [0.0, sn, cn]])
    yaw = np.array([[ct, 0.0, st], [0.0, 1.0, 0.0], [-st, 0.0, ct]])
    roll = np.array([[cr, sr, 0.0], [-sr, cr, 0.0], [0.0, 0.0, 1.0]])
    return roll @ yaw @ bend


def reach(offset: Vector, body: Proportions, *, side: int, facing: int = 1) -> tuple[Vector, Vector]:
    """Unit vectors of upper arm and forearm that bring the wrist to `offset` from the shoulder (law of cosines).

    Args:
        offset: where the wrist goes, in the camera's axes.
        body: how long the halves of the arm are.
        side: 1 for a left arm, -1 for a right one.
        facing: 1 where the chest is towards the camera, -1 where the back is.

    Raises:
        ValueError: when the place is farther than the arm is long, or closer than it can fold.
    """
    upper, lower = body.upper_arm, body.forearm
    distance = float(np.linalg.norm(offset))
    if not upper - lower <= distance <= upper + lower:
        raise ValueError(
            f"expected a place {upper - lower:.3f} to {upper + lower:.3f} statures from the shoulder, "
            f"but got one {distance:.3f} away; move the hand or the person"
        )
    along = offset / distance
    hangs = np.array(_ELBOW_HANGS) * np.array([side * facing, 1.0, facing])
    aside = hangs - (hangs @ along) * along
    aside /= np.linalg.norm(aside)
    cos = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)
    direction = cos * along + math.sqrt(max(0.0, 1 - cos**2)) * aside
    return direction, (offset - upper * direction) / lower


def _sin_cos(degrees: float) -> tuple[float, float]:
    return math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
