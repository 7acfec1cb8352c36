"""A small parametric person: proportions, joint angles and a place on the canvas give a skeleton.

Axes and units are those of `anatomy`: statures, x to the right of the picture, y up, z towards the viewer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from multiid.geometry import Point, Size
from multiid.poses.anatomy import (
    FORMAT,
    HEAD,
    HEAD_PIVOT,
    PROPORTIONS,
    Age,
    Limb,
    Matrix,
    Proportions,
    Vector,
    check_range,
    reach,
    rotation,
)
from multiid.poses.skeleton import FAR, JOINTS, Joint, Skeleton

__all__ = ["Age", "Body", "Limb", "Part", "Stance"]

Stance = Literal["standing", "sitting"]
Part = Literal["right_hand", "left_hand", "right_arm", "left_arm", "hips", "legs"]

_STANCES: dict[Stance, tuple[Limb, Limb]] = {
    "standing": (Limb(out=9.0, bend=14.0, twist=35.0), Limb(out=3.0)),
    "sitting": (Limb(out=10.0, forward=12.0, bend=62.0, twist=20.0), Limb(out=12.0, forward=78.0, bend=76.0)),
}
"""The arms and the legs a stance begins with."""

_PARTS: dict[Part, tuple[Joint, ...]] = {
    "right_hand": ("right_wrist",),
    "left_hand": ("left_wrist",),
    "right_arm": ("right_elbow", "right_wrist"),
    "left_arm": ("left_elbow", "left_wrist"),
    "hips": ("right_hip", "left_hip"),  # and so the legs
    "legs": ("right_knee", "right_ankle", "left_knee", "left_ankle"),
}
# OpenPose follows a limb outwards, so it sees no wrist where it sees no elbow.
_HANGS_ON: dict[Joint, Joint] = {
    f"{side}_{joint}": f"{side}_{inner}"
    for side in ("right", "left")
    for joint, inner in (("elbow", "shoulder"), ("wrist", "elbow"), ("knee", "hip"), ("ankle", "knee"))
}
_MOST_TWISTED = 120.0  # degrees between face and hips: somebody who looks back over the shoulder
_CAMERA_DISTANCE = 4.0  # in statures; about seven metres, the mild perspective of a portrait lens


@dataclass(frozen=True, kw_only=True)
class Body:
    """One person. Exactly one of `face`, `hips` and `feet` says where they stand.

    Angles are degrees. Places and lengths on the canvas are fractions: x of its width, y and `height` of its height.

    Raises:
        ValueError: when a number is out of its range, or not exactly one of the three places is given.
    """

    __pydantic_config__: ClassVar[Any] = FORMAT

    height: float
    """How tall the person is when standing upright, in canvas heights; above 1 the legs fall out of the frame."""
    face: Point | None = None
    """Where the tip of the nose is, or would be if the head were not before it."""
    hips: Point | None = None
    """Where the middle between the hips is."""
    feet: Point | None = None
    """Where the middle between the ankles is."""
    stance: Stance = "standing"
    """What arms and legs do unless said otherwise."""
    turn: float = 0.0
    """The whole body turned towards the right of the picture; -180 to 180, 0 faces the camera, either end is seen from
    behind."""
    lean: float = 0.0
    """The torso leaning towards the right of the picture; -45 to 45."""
    bow: float = 0.0
    """The torso bent forward; -30 to 60."""
    head_turn: float = 0.0
    """The face turned towards the right of the picture; -180 to 180, 0 looks into the camera whatever the body does,
    which must not be turned away from it by more than a neck and a back can twist, 120."""
    head_tilt: float = 0.0
    """The head tilted towards the right of the picture; -45 to 45, 0 is upright."""
    head_nod: float = 0.0
    """The face lowered; -40 to 40."""
    right_arm: Limb | None = None
    """The person's own right arm, at the left of the picture when they face the camera."""
    left_arm: Limb | None = None
    right_leg: Limb | None = None
    left_leg: Limb | None = None
    right_hand: Point | None = None
    """Where on the canvas (or beyond it) the wrist reaches to; overrides `right_arm`."""
    left_hand: Point | None = None
    """Where on the canvas (or beyond it) the wrist reaches to; overrides `left_arm`."""
    hidden: tuple[Part, ...] = ()
    """Parts that something hides, such as the legs of a person behind a table; without hips there are no legs."""

    def __post_init__(self) -> None:
        if [self.face, self.hips, self.feet].count(None) != 2:
            raise ValueError("expected exactly one of face, hips and feet, to say where the person stands")
        check_range("height", self.height, 0.05, 10.0)
        check_range("turn", self.turn, -180.0, 180.0)
        check_range("lean", self.lean, -45.0, 45.0)
        check_range("bow", self.bow, -30.0, 60.0)
        check_range("head_turn", self.head_turn, -180.0, 180.0)
        twist = abs((self.head_turn - self.turn + 180.0) % 360.0 - 180.0)
        if twist > _MOST_TWISTED:
            raise ValueError(
                f"head_turn: expected at most {_MOST_TWISTED:g} degrees from turn, {self.turn:g}, but got "
                f"{self.head_turn:g}; whoever is seen from behind turns the head too"
            )
        check_range("head_tilt", self.head_tilt, -45.0, 45.0)
        check_range("head_nod", self.head_nod, -40.0, 40.0)

    def skeleton(self, size: Size, *, age: Age = "adult", beyond: bool = False) -> Skeleton:
        """The person as OpenPose would see them on a canvas of `size` (only its aspect matters).

        Points outside the canvas, hidden parts, limbs beyond an unseen joint, and what is on the far side of a turned
        head are `None`: first the far ear, then the far eye, beyond the profile the nose and beyond that the other eye.
        From behind the ears alone are seen, and the person's right is at the right of the picture.

        Args:
            size: of the canvas.
            age: whose proportions the body has.
            beyond: whether points outside the canvas are there too, up to four canvases away.

        Raises:
            ValueError: when a hand is asked to reach farther than the arm is long.
        """
        body = PROPORTIONS[age]
        torso = rotation(turn=self.turn, tilt=self.lean, nod=self.bow + body.stoop)
        joints = self._trunk_and_legs(body, torso)
        head = rotation(turn=self.head_turn, tilt=self.head_tilt, nod=self.head_nod)
        joints |= _head(body, joints["neck"], torso, head)
        project, unproject = self._camera(joints, size)
        joints |= self._arms(body, torso, joints, unproject)

        hidden = {joint for part in self.hidden for joint in _PARTS[part]}
        hidden |= {
            joint
            for joint, (_, ways) in HEAD.items()
            if all((head @ rotation(turn=facing))[2, 2] <= 0 for facing in ways)
        }
        points: dict[Joint, Point | None] = {}
        for joint in JOINTS:
            point = project(joints[joint])
            inside = all(-FAR < value < 1 + FAR if beyond else 0 <= value < 1 for value in point)
            cut_off = joint in _HANGS_ON and points[_HANGS_ON[joint]] is None
            points[joint] = None if joint in hidden or not inside or cut_off else point
        return Skeleton(tuple(points.values()))

    def _trunk_and_legs(self, body: Proportions, torso: Matrix) -> dict[Joint, Vector]:
        """Everything but head and arms; the middle between the hips is the origin."""
        pelvis = rotation(turn=self.turn)
        neck = torso @ np.array([0.0, body.shoulders - body.hips, 0.0])
        joints: dict[Joint, Vector] = {"neck": neck}
        for side, name, leg in ((-1, "right", self.right_leg), (1, "left", self.left_leg)):
            joints[f"{name}_shoulder"] = neck + torso @ np.array([side * body.shoulder_width / 2, 0.0, 0.0])
            thigh, shank = (leg or _STANCES[self.stance][1]).directions(side=side, knee=True)
            hip = pelvis @ np.array([side * body.hip_width / 2, 0.0, 0.0])
            knee = hip + (body.hips - body.knees) * pelvis @ thigh
            ankle = knee + (body.knees - body.ankles) * pelvis @ shank
            joints |= {f"{name}_hip": hip, f"{name}_knee": knee, f"{name}_ankle": ankle}
        return joints

    def _arms(
        self,
        body: Proportions,
        torso: Matrix,
        joints: dict[Joint, Vector],
        unproject: Callable[[Point, float], Vector],
    ) -> dict[Joint, Vector]:
        """Elbows and wrists; a reaching hand stays as far from the camera as its shoulder."""
        arms: dict[Joint, Vector] = {}
        facing = 1 if abs(self.turn) <= 90 else -1
        for side, name, arm, hand in (
            (-1, "right", self.right_arm, self.right_hand),
            (1, "left", self.left_arm, self.left_hand),
        ):
            shoulder = joints[f"{name}_shoulder"]
            if hand is not None:
                try:
                    upper, lower = reach(unproject(hand, float(shoulder[2])) - shoulder, body, side=side, facing=facing)
                except ValueError as error:
                    raise ValueError(f"{name}_hand: {error}") from error
            else:
                directions = (arm or _STANCES[self.stance][0]).directions(side=side, knee=False)
                upper, lower = (torso @ direction for direction in directions)
            elbow = shoulder + body.upper_arm * upper
            arms |= {f"{name}_elbow": elbow, f"{name}_wrist": elbow + body.forearm * lower}
        return arms

    def _camera(
        self, joints: dict[Joint, Vector], size: Size
    ) -> tuple[Callable[[Vector], Point], Callable[[Point, float], Vector]]:
        """From statures to the canvas, and back at a known depth. The camera is level with the neck."""
        anchors: tuple[tuple[Point | None, tuple[Joint, ...]], ...] = (
            (self.face, ("nose",)),
            (self.hips, ("right_hip", "left_hip")),
            (self.feet, ("right_ankle", "left_ankle")),
        )
        place, anchor = next((place, anchor) for place, anchor in anchors if place is not None)
        centre = joints["neck"]

        def flat(position: Vector) -> tuple[float, float]:
            factor = _magnified(float(position[2] - centre[2]))
            return float((position[0] - centre[0]) * factor), float((position[1] - centre[1]) * factor)

        anchor_x, anchor_y = flat(np.mean([joints[joint] for joint in anchor], axis=0))

        def project(position: Vector) -> Point:
            x, y = flat(position)
            return Point(place.x + (x - anchor_x) * self.height / size.aspect, place.y - (y - anchor_y) * self.height)

        def unproject(point: Point, z: float) -> Vector:
            factor = _magnified(z - float(centre[2]))
            x = (anchor_x + (point.x - place.x) * size.aspect / self.height) / factor
            y = (anchor_y - (point.y - place.y) / self.height) / factor
            return centre + np.array([x, y, z - centre[2]])

        return project, unproject


def _head(body: Proportions, neck: Vector, torso: Matrix, head: Matrix) -> dict[Joint, Vector]:
    pivot_height = body.eyes - body.shoulders + HEAD_PIVOT[1] * body.head
    pivot = neck + torso @ np.array([0.0, pivot_height, 0.0])
    return {
        joint: pivot + head @ (np.subtract(position, HEAD_PIVOT) * body.head) for joint, (position, _) in HEAD.items()
    }


def _magnified(z: float) -> float:
    """How much larger something is in the picture that is nearer to the camera by `z` statures."""
    return _CAMERA_DISTANCE / (_CAMERA_DISTANCE - z)
