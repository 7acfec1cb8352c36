"""A skeleton as a clothed body with a large head upon it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from multiid.geometry import Size
from multiid.mini.world.colours import CLOTHES, INK, SKIN, Colour, darker, lighter
from multiid.mini.world.head import ink_width
from multiid.mini.world.pen import Pen, Points, circle
from multiid.mini.world.people import Person
from multiid.mini.world.view import HeadView
from multiid.mini.world.words import Clothes
from multiid.poses.silhouette import whole_joints
from multiid.poses.skeleton import Joint, Skeleton

__all__ = ["HEAD_GROWTH", "Figure", "draw_body", "draw_neck", "read_figure"]

HEAD_GROWTH = 1.6
"""How much wider a head is drawn than the skeleton's face box."""

_Vector = Float64[np.ndarray, "2"]

# Half widths and thicknesses in torso lengths (neck to hips).
_SHOULDER_RIM, _LEAST_SHOULDER = 0.10, 0.30
_HIP_RIM, _LEAST_HIP = 0.17, 0.24
_ARM, _LEG, _HAND, _FOOT = 0.26, 0.32, 0.145, 0.19
_NECK = 0.30
_ARM_HALF = 0.65  # length of an upper arm or a forearm
# How far below the hips a garment ends, and how much wider it is there.
_HEMS: dict[str, tuple[float, float]] = {"coat": (0.55, 1.12), "shirt": (0.16, 1.0), "dress": (0.85, 1.6)}


@dataclass(frozen=True, eq=False)
class Figure:
    """A skeleton in pixels, ready to be drawn.

    Attributes:
        joints: seen joints and those that can be told.
        torso: length of the torso in pixels.
        head: how the head is seen, None where none is.
        faceless: whether the head looks away, so that its face is unseen.
    """

    joints: Mapping[Joint, _Vector]
    torso: float
    head: HeadView | None
    faceless: bool = False

    @property
    def turned_away(self) -> bool:
        """Whether we see the back of the trunk: the right shoulder is at the right of the left one."""
        if "neck" not in self.joints:
            return False
        hips = (self.joints["right_hip"] + self.joints["left_hip"]) / 2
        down, spread = hips - self.joints["neck"], self.joints["left_shoulder"] - self.joints["right_shoulder"]
        return float(spread[0] * down[1] - spread[1] * down[0]) < 0


def read_figure(skeleton: Skeleton, size: Size) -> Figure:
    """A skeleton's figure on a canvas of `size`; arms that leave the picture go on beyond its edge."""
    joints, torso = whole_joints(skeleton, size)
    joints = dict(joints)
    for side in ("right", "left"):
        shoulder, elbow, wrist = f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"
        if shoulder in joints and "neck" in joints and elbow not in joints:
            _go_on(joints, elbow, joints[shoulder], joints[shoulder] - joints["neck"], torso, size)
        if shoulder in joints and elbow in joints and wrist not in joints:
            _go_on(joints, wrist, joints[elbow], joints[elbow] - joints[shoulder], torso, size)
    faceless = skeleton.face_box(size) is None
    return Figure(joints, torso, _head_view(skeleton, joints, size, faceless=faceless), faceless)


def _go_on(
    joints: dict[Joint, _Vector], joint: Joint, start: _Vector, along: _Vector, torso: float, size: Size
) -> None:
    """Put an unseen joint straight on, if it is unseen because it lies beyond the picture."""
    beyond = start + along * (_ARM_HALF * torso / max(float(np.hypot(*along)), 1e-6))
    if not (0 <= beyond[0] < size.width and 0 <= beyond[1] < size.height):
        joints[joint] = beyond


def _head_view(skeleton: Skeleton, joints: Mapping[Joint, _Vector], size: Size, *, faceless: bool) -> HeadView | None:
    box = skeleton.head_box(size)
    if box is None:
        return None
    x, y = box.centre
    right, left = _pair(joints, "ear") or _pair(joints, "eye") or (None, None)
    tilt = 0.0
    if right is not None and left is not None:
        tilt = math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))
    elif "neck" in joints and "nose" in joints:
        upwards = joints["nose"] - joints["neck"]
        tilt = math.degrees(math.atan2(upwards[0], -upwards[1]))
    if faceless and abs(tilt) > 90:
        tilt -= math.copysign(180.0, tilt)  # the right ear of somebody seen from behind is at the right
    tilt = max(-40.0, min(40.0, tilt))
    ears = [joints[ear] for ear in ("right_ear", "left_ear") if ear in joints]
    turn = 0.0
    if ears and "nose" in joints and not faceless:
        # The nose is 0.8 head widths before the ears; an ear alone is half a head width from between them.
        middle = np.mean(ears, axis=0)
        if len(ears) == 1:
            turn = 60.0 if "left_ear" not in joints else -60.0
        else:
            ahead = float((joints["nose"] - middle)[0]) / (0.8 * box.width)
            turn = math.degrees(math.asin(max(-1.0, min(1.0, ahead))))
    return HeadView(x, y, HEAD_GROWTH * box.width / 2, tilt=tilt, turn=turn)


def _pair(joints: Mapping[Joint, _Vector], name: str) -> tuple[_Vector, _Vector] | None:
    right, left = joints.get(f"right_{name}"), joints.get(f"left_{name}")
    return None if right is None or left is None else (right, left)


def draw_body(pen: Pen, figure: Figure, person: Person, clothes: Clothes, *, trousers: Colour) -> None:
    """Legs, clothes, arms and hands."""
    joints, torso, skin = figure.joints, figure.torso, SKIN[person.skin]
    colour = CLOTHES[clothes.colour]
    ink = ink_width(figure.head) if figure.head else max(0.04 * torso, 0.6)
    bare_legs = clothes.garment == "dress"
    for side in ("right", "left"):
        leg = _chain(joints, f"{side}_hip", f"{side}_knee", f"{side}_ankle")
        if len(leg) > 1:
            pen.tube(leg, skin if bare_legs else trousers, _LEG * torso, outline=ink * 2)
        if len(leg) == 3:
            foot = circle(0, 0, _FOOT * torso, _FOOT * torso * 0.7) + leg[-1] + (0.0, 0.05 * torso)
            pen.fill(foot, (72, 52, 48), outline=ink * 2)
    # Arms are in front of the trunk of somebody who faces us, and behind it of somebody whose back we see.
    if figure.turned_away:
        _draw_arms(pen, figure, clothes, skin, colour, ink)
    if "neck" in joints:
        _draw_garment(pen, figure, clothes, colour, ink)
    if not figure.turned_away:
        _draw_arms(pen, figure, clothes, skin, colour, ink)


def _draw_arms(pen: Pen, figure: Figure, clothes: Clothes, skin: Colour, colour: Colour, ink: float) -> None:
    joints, torso = figure.joints, figure.torso
    sleeve = darker(colour, 0.1)
    for side in ("right", "left"):
        arm = _chain(joints, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
        if len(arm) < 2:
            continue
        width = _ARM * torso
        if len(arm) == 3:
            along = arm[2] - arm[1]
            hand = arm[2] + along * (0.13 * torso / max(float(np.hypot(*along)), 1e-6))
            pen.fill(circle(0, 0, _HAND * torso) + hand, skin, outline=ink * 2)
        if clothes.garment == "coat" or len(arm) < 3:
            pen.tube(arm, sleeve, width, outline=ink * 2)
        else:
            pen.tube(arm[1:], skin, width * 0.8, outline=ink * 2)
            short = np.stack([arm[0], arm[1], arm[1] + (arm[2] - arm[1]) * 0.12])
            pen.tube(short, sleeve, width, outline=ink * 2)


def _chain(joints: Mapping[Joint, _Vector], *names: Joint) -> Points:
    """The limb's joints as far as they are known without a gap."""
    found: list[_Vector] = []
    for name in names:
        if name not in joints:
            break
        found.append(joints[name])
    return np.array(found).reshape(-1, 2)


def _draw_garment(pen: Pen, figure: Figure, clothes: Clothes, colour: Colour, ink: float) -> None:
    joints, torso = figure.joints, figure.torso
    neck = joints["neck"]
    hips = (joints["right_hip"] + joints["left_hip"]) / 2
    down = hips - neck
    down = down / max(float(np.hypot(*down)), 1e-6)
    across = np.array([down[1], -down[0]])
    spread = (joints["left_shoulder"] - joints["right_shoulder"]) / 2
    shoulder = max(abs(float(spread @ across)), _LEAST_SHOULDER * torso) + _SHOULDER_RIM * torso
    hip_spread = (joints["left_hip"] - joints["right_hip"]) / 2
    hip = max(abs(float(hip_spread @ across)), _LEAST_HIP * torso) + _HIP_RIM * torso
    length, flare = _HEMS[clothes.garment]
    # Somebody who sits has their knees near their hips: the cloth ends with the thighs.
    knees = [float((joints[knee] - hips) @ down) for knee in ("right_knee", "left_knee") if knee in joints]
    length = min(length, max(0.16, min(knees, default=torso) / torso))
    hem = hips + down * (length * torso)
    # In units along (across, down) from the neck; the slope of the shoulders follows the skeleton's.
    slope = float(spread @ down) * math.copysign(1.0, float(spread @ across) or 1.0)
    outline = np.array([
        neck - across * shoulder * 0.35 - down * 0.12 * torso,
        neck - across * shoulder * 0.9 - down * (slope - 0.02 * torso),
        neck - across * shoulder - down * (slope - 0.16 * torso),
        hips - across * hip * 0.96 - down * 0.2 * torso,
        hem - across * hip * flare,
        hem + across * hip * flare,
        hips + across * hip * 0.96 - down * 0.2 * torso,
        neck + across * shoulder + down * (slope + 0.16 * torso),
        neck + across * shoulder * 0.9 + down * (slope + 0.02 * torso),
        neck + across * shoulder * 0.35 - down * 0.12 * torso,
    ])  # fmt: skip
    pen.fill(outline, colour, outline=ink * 2)
    if figure.turned_away:
        return
    trim = darker(colour, 0.3) if sum(colour) > 240 else lighter(colour, 0.25)
    if clothes.garment == "coat":
        pen.line(np.stack([neck, hem]), trim, ink)
        for share in (0.4, 0.7, 1.0):
            button = neck + (hips - neck) * share + across * 0.1 * torso
            pen.fill(circle(0, 0, 0.05 * torso, count=8) + button, INK if sum(colour) > 240 else trim)
        for side in (-1, 1):
            tip = neck + down * 0.36 * torso
            lapel = np.stack([neck, neck + across * (side * 0.26 * torso) + down * 0.06 * torso, tip])
            pen.fill(lapel, trim, outline=ink * 0.8)
    elif clothes.garment == "dress":
        pen.line(np.stack([hips - across * hip * 0.9, hips + across * hip * 0.9]) - down * 0.2 * torso, trim, ink * 1.6)
    else:
        pen.line(np.stack([neck - across * 0.22 * torso, neck + down * 0.2 * torso, neck + across * 0.22 * torso]),
                 trim, ink * 1.8)  # fmt: skip


def draw_neck(pen: Pen, figure: Figure, person: Person) -> None:
    """The neck, which comes before hair that lies behind and below the face."""
    if figure.head is None or "neck" not in figure.joints:
        return
    ends = np.stack([np.array([figure.head.x, figure.head.y]), figure.joints["neck"]])
    width = min(_NECK * figure.torso, figure.head.unit * 0.7)
    pen.tube(ends, darker(SKIN[person.skin], 0.2), width, outline=ink_width(figure.head) * 2)
