"""A small parametric person: proportions, joint angles and a place on the canvas give a skeleton.

Lengths are shares of the person's stature. The axes are the camera's: x to the right of the picture, y up,
z towards the viewer. Right and left in names are the person's own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import Float64

from multiid.geometry import Point, Size
from multiid.poses.skeleton import JOINTS, Joint, Skeleton

__all__ = ["Age", "Body", "Limb", "Part", "Proportions", "Stance"]

Age = Literal["adult", "child", "elder"]
Stance = Literal["standing", "sitting"]
Part = Literal["right_hand", "left_hand", "right_arm", "left_arm", "hips", "legs"]
Vector = Float64[np.ndarray, "3"]
Matrix = Float64[np.ndarray, "3 3"]

# How the template format reads these classes: unknown keys, texts for numbers and NaN are errors.
_FORMAT = {"extra": "forbid", "strict": True, "allow_inf_nan": False, "use_attribute_docstrings": True}


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

# Points of the head in head widths from between the eyes (y) and the ears (x, z), and the direction each faces in
# degrees from straight ahead: it is seen while that direction points to the camera.
_HEAD: dict[Joint, tuple[tuple[float, float, float], float]] = {
    "nose": ((0.0, -0.31, 0.80), 0.0),
    "right_eye": ((-0.225, 0.0, 0.58), -30.0),
    "left_eye": ((0.225, 0.0, 0.58), 30.0),
    "right_ear": ((-0.5, -0.13, 0.0), -70.0),
    "left_ear": ((0.5, -0.13, 0.0), 70.0),
}
_NECK_PIVOT = -0.6  # where the head turns and tilts, in head widths above the eyes
_CAMERA_DISTANCE = 4.0  # in statures; about seven metres, the mild perspective of a portrait lens
_ELBOW_HANGS = (0.3, -0.7, -1.0)  # where the elbow of a reaching left arm goes: a little out, down and back

_PARTS: dict[Part, tuple[Joint, ...]] = {
    "right_hand": ("right_wrist",),
    "left_hand": ("left_wrist",),
    "right_arm": ("right_elbow", "right_wrist"),
    "left_arm": ("left_elbow", "left_wrist"),
    "hips": ("right_hip", "left_hip"),
    "legs": ("right_knee", "right_ankle", "left_knee", "left_ankle"),
}


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low:g} to {high:g}, but got {value:g}")


@dataclass(frozen=True)
class Limb:
    """Angles of an arm or a leg in degrees; all 0 hangs straight down.

    Raises:
        ValueError: when an angle is beyond what a joint can do.
    """

    __pydantic_config__: ClassVar[Any] = _FORMAT

    out: float = 0.0
    """Lifted sideways, away from the body; -60 to 180."""
    forward: float = 0.0
    """Lifted forward; -60 to 180."""
    bend: float = 0.0
    """Bent at the elbow (forward) or the knee (backward); 0 to 155."""
    twist: float = 0.0
    """Where the bend goes: 0 straight ahead of the upper half, 90 across the body; -90 to 120."""

    def __post_init__(self) -> None:
        _check_range("out", self.out, -60, 180)
        _check_range("forward", self.forward, -60, 180)
        _check_range("bend", self.bend, 0, 155)
        _check_range("twist", self.twist, -90, 120)

    def directions(self, *, side: int, knee: bool) -> tuple[Vector, Vector]:
        """Unit vectors of the upper and the lower half. `side`: 1 for the left limb, -1 for the right one."""
        (so, co), (sf, cf) = _sin_cos(self.out), _sin_cos(self.forward)
        (st, ct), (sb, cb) = _sin_cos(self.twist), _sin_cos(self.bend)
        upper = np.array([so, -co * cf, co * sf])
        ahead = np.array([0.0, sf, cf])
        across = np.array([-co, -so * cf, so * sf])
        lower = cb * upper + sb * (-1 if knee else 1) * (ct * ahead + st * across)
        mirror = np.array([side, 1.0, 1.0])
        return upper * mirror, lower * mirror


_STANCES: dict[Stance, tuple[Limb, Limb]] = {
    "standing": (Limb(out=9.0, bend=14.0, twist=35.0), Limb(out=3.0)),
    "sitting": (Limb(out=10.0, forward=12.0, bend=62.0, twist=20.0), Limb(out=12.0, forward=78.0, bend=76.0)),
}
"""The arms and the legs a stance begins with."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """One person. Exactly one of `face`, `hips` and `feet` says where they stand.

    Angles are degrees. Places and lengths on the canvas are fractions: x of its width, y and `height` of its height.

    Raises:
        ValueError: when a number is out of its range, or not exactly one of the three places is given.
    """

    __pydantic_config__: ClassVar[Any] = _FORMAT

    height: float
    """How tall the person is when standing upright, in canvas heights; above 1 the legs fall out of the frame."""
    face: Point | None = None
    """Where the tip of the nose is."""
    hips: Point | None = None
    """Where the middle between the hips is."""
    feet: Point | None = None
    """Where the middle between the ankles is."""
    stance: Stance = "standing"
    """What arms and legs do unless said otherwise."""
    turn: float = 0.0
    """The whole body turned towards the right of the picture; -90 to 90, 0 faces the camera."""
    lean: float = 0.0
    """The torso leaning towards the right of the picture; -45 to 45."""
    bow: float = 0.0
    """The torso bent forward; -30 to 60."""
    head_turn: float = 0.0
    """The face turned towards the right of the picture; -90 to 90, 0 looks into the camera whatever the body does."""
    head_tilt: float = 0.0
    """The head tilted towards the right of the picture; -45 to 45, 0 is upright."""
    head_nod: float = 0.0
    """The face lowered; -40 to 40."""
    right_arm: Limb | None = None
    left_arm: Limb | None = None
    right_leg: Limb | None = None
    left_leg: Limb | None = None
    right_hand: Point | None = None
    """Where on the canvas (or beyond it) the wrist reaches to; overrides `right_arm`."""
    left_hand: Point | None = None
    """Where on the canvas (or beyond it) the wrist reaches to; overrides `left_arm`."""
    hidden: tuple[Part, ...] = ()
    """Parts that something hides, such as the legs of a person behind a table."""

    def __post_init__(self) -> None:
        if [self.face, self.hips, self.feet].count(None) != 2:
            raise ValueError("expected exactly one of face, hips and feet, to say where the person stands")
        _check_range("height", self.height, 0.05, 10)
        _check_range("turn", self.turn, -90, 90)
        _check_range("lean", self.lean, -45, 45)
        _check_range("bow", self.bow, -30, 60)
        _check_range("head_turn", self.head_turn, -90, 90)
        _check_range("head_tilt", self.head_tilt, -45, 45)
        _check_range("head_nod", self.head_nod, -40, 40)

    def skeleton(self, size: Size, *, age: Age = "adult") -> Skeleton:
        """The person as OpenPose would see them on a canvas of `size` (only its aspect matters).

        Points outside the canvas, hidden parts, and eyes and ears on the far side of a turned head are `None`.

        Raises:
            ValueError: when a hand is asked to reach farther than the arm is long.
        """
        body = PROPORTIONS[age]
        joints = self._trunk_and_legs(body)
        head, seen = self._head(body, joints["neck"])
        joints |= head
        project, unproject = self._camera(joints, size)
        for side, name, arm, hand in (
            (-1, "right", self.right_arm, self.right_hand),
            (1, "left", self.left_arm, self.left_hand),
        ):
            shoulder = joints[f"{name}_shoulder"]
            if hand is not None:
                target = unproject(hand, float(shoulder[2]))
                upper, lower = _reach(target - shoulder, body, side=side, name=f"{name}_hand")
            else:
                torso = _rotation(self.turn, self.lean, self.bow + body.stoop)
                upper, lower = _posed(arm or _STANCES[self.stance][0], torso, side=side, knee=False)
            joints[f"{name}_elbow"] = shoulder + body.upper_arm * upper
            joints[f"{name}_wrist"] = shoulder + body.upper_arm * upper + body.forearm * lower

        hidden = {joint for part in self.hidden for joint in _PARTS[part]} | (set(_HEAD) - seen)
        points = (None if joint in hidden else project(joints[joint]) for joint in JOINTS)
        return Skeleton(tuple(p if p is not None and 0 <= p.x < 1 and 0 <= p.y < 1 else None for p in points))

    def _trunk_and_legs(self, body: Proportions) -> dict[Joint, Vector]:
        pelvis = _rotation(self.turn, 0.0, 0.0)
        torso = _rotation(self.turn, self.lean, self.bow + body.stoop)
        neck = torso @ np.array([0.0, body.shoulders - body.hips, 0.0])
        joints: dict[Joint, Vector] = {"neck": neck}
        for side, name, leg in ((-1, "right", self.right_leg), (1, "left", self.left_leg)):
            joints[f"{name}_shoulder"] = neck + torso @ np.array([side * body.shoulder_width / 2, 0.0, 0.0])
            hip = pelvis @ np.array([side * body.hip_width / 2, 0.0, 0.0])
            thigh, shank = _posed(leg or _STANCES[self.stance][1], pelvis, side=side, knee=True)
            knee = hip + (body.hips - body.knees) * thigh
            ankle = knee + (body.knees - body.ankles) * shank
            joints |= {f"{name}_hip": hip, f"{name}_knee": knee, f"{name}_ankle": ankle}
        return joints

    def _head(self, body: Proportions, neck: Vector) -> tuple[dict[Joint, Vector], set[Joint]]:
        """The points of the head, and which of them face the camera."""
        torso = _rotation(self.turn, self.lean, self.bow + body.stoop)
        head = _rotation(self.head_turn, self.head_tilt, self.head_nod)
        pivot = neck + torso @ np.array([0.0, body.eyes - body.shoulders + _NECK_PIVOT * body.head, 0.0])
        joints: dict[Joint, Vector] = {}
        seen: set[Joint] = set()
        for joint, ((x, y, z), facing) in _HEAD.items():
            joints[joint] = pivot + head @ (np.array([x, y - _NECK_PIVOT, z]) * body.head)
            sin, cos = _sin_cos(facing)
            if (head @ np.array([sin, 0.0, cos]))[2] > 0.0:
                seen.add(joint)
        return joints, seen

    def _camera(
        self, joints: dict[Joint, Vector], size: Size
    ) -> tuple[Callable[[Vector], Point], Callable[[Point, float], Vector]]:
        """From statures to the canvas, and back at a known depth. The camera is level with the neck."""
        if self.face is not None:
            anchor, place = joints["nose"], self.face
        elif self.hips is not None:
            anchor, place = (joints["right_hip"] + joints["left_hip"]) / 2, self.hips
        elif self.feet is not None:
            anchor, place = (joints["right_ankle"] + joints["left_ankle"]) / 2, self.feet
        else:
            raise ValueError("expected one of face, hips and feet")

        centre = joints["neck"]

        def flat(position: Vector) -> tuple[float, float]:
            factor = _magnified(position[2] - centre[2])
            return float((position[0] - centre[0]) * factor), float((position[1] - centre[1]) * factor)

        anchor_x, anchor_y = flat(anchor)

        def project(position: Vector) -> Point:
            x, y = flat(position)
            return Point(place.x + (x - anchor_x) * self.height / size.aspect, place.y - (y - anchor_y) * self.height)

        def unproject(point: Point, z: float) -> Vector:
            factor = _magnified(z - centre[2])
            x = (anchor_x + (point.x - place.x) * size.aspect / self.height) / factor
            y = (anchor_y - (point.y - place.y) / self.height) / factor
            return centre + np.array([x, y, z - centre[2]])

        return project, unproject


def _sin_cos(degrees: float) -> tuple[float, float]:
    return math.sin(math.radians(degrees)), math.cos(math.radians(degrees))


def _magnified(z: float) -> float:
    """How much larger something is in the picture that is nearer to the camera by `z` statures."""
    return _CAMERA_DISTANCE / (_CAMERA_DISTANCE - z)


def _rotation(turn: float, tilt: float, nod: float) -> Matrix:
    """Bends forward by `nod`, then turns and then tilts towards the right of the picture, in degrees."""
    (sn, cn), (st, ct), (sr, cr) = _sin_cos(nod), _sin_cos(turn), _sin_cos(tilt)
    bend = np.array([[1.0, 0.0, 0.0], [0.0, cn, -sn], [0.0, sn, cn]])
    yaw = np.array([[ct, 0.0, st], [0.0, 1.0, 0.0], [-st, 0.0, ct]])
    roll = np.array([[cr, sr, 0.0], [-sr, cr, 0.0], [0.0, 0.0, 1.0]])
    return roll @ yaw @ bend


def _posed(limb: Limb, frame: Matrix, *, side: int, knee: bool) -> tuple[Vector, Vector]:
    upper, lower = limb.directions(side=side, knee=knee)
    return frame @ upper, frame @ lower


def _reach(offset: Vector, body: Proportions, *, side: int, name: str) -> tuple[Vector, Vector]:
    """Unit vectors of upper arm and forearm that bring the wrist to `offset` from the shoulder (law of cosines)."""
    upper, lower = body.upper_arm, body.forearm
    distance = float(np.linalg.norm(offset))
    if not abs(upper - lower) <= distance <= upper + lower:
        raise ValueError(
            f"{name}: expected a place {abs(upper - lower):.3f} to {upper + lower:.3f} statures from the shoulder, "
            f"but got one {distance:.3f} away; move the hand or the person"
        )
    along = offset / distance
    hangs = np.array(_ELBOW_HANGS) * np.array([side, 1.0, 1.0])
    aside = hangs - (hangs @ along) * along
    aside /= np.linalg.norm(aside)
    cos = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)
    direction = cos * along + math.sqrt(max(0.0, 1 - cos**2)) * aside
    return direction, (offset - upper * direction) / lower
