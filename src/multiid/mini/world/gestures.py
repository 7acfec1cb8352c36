"""What people of a random group do with their arms."""

from dataclasses import dataclass, replace

from multiid.mini.world.dice import Dice
from multiid.poses.anatomy import Limb
from multiid.poses.body import Part

__all__ = ["Gesture", "draw_gesture"]


@dataclass(frozen=True)
class Gesture:
    """Both arms, and what is out of sight."""

    right: Limb
    left: Limb
    hidden: tuple[Part, ...] = ()


def draw_gesture(dice: Dice, *, up: tuple[bool, bool], around: tuple[bool, bool]) -> Gesture:
    """A random gesture.

    Args:
        dice: what chooses.
        up: whether the right and the left arm may be raised without covering somebody's face.
        around: whether there is somebody in front, on that arm's side, to lay it around.
    """
    if dice.chance(0.1):
        return Gesture(_folded(dice), _folded(dice))
    if dice.chance(0.06):
        return Gesture(_hanging(dice), _hanging(dice), dice.pick(_HIDDEN))
    arms: dict[str, Limb] = {}
    hidden: list[Part] = []
    for side, hand, may_rise, may_embrace in zip(("right", "left"), _HANDS, up, around, strict=True):
        kind = dice.pick(("hanging", "hip", "front", "wave", "cheer", "around"), (5, 1, 1.5, 1.2, 0.8, 2))
        if kind == "around" and may_embrace:
            arms[side] = _around(dice)
            hidden.append(hand)
        elif kind == "hip":
            arms[side] = _on_hip(dice)
        elif kind == "front":
            arms[side] = _in_front(dice)
        elif kind == "wave" and may_rise:
            arms[side] = _waving(dice)
        elif kind == "cheer" and may_rise:
            arms[side] = _cheering(dice)
        else:
            arms[side] = _hanging(dice)
    return Gesture(arms["right"], arms["left"], tuple(hidden))


_HANDS: tuple[Part, Part] = ("right_hand", "left_hand")
_HIDDEN: tuple[tuple[Part, ...], ...] = (("right_hand",), ("left_hand",), ("right_arm",), ("left_arm",), ("legs",))


def _varied(dice: Dice, limb: Limb, degrees: float) -> Limb:
    """The arm with its angles changed by up to that much."""
    shift = [dice.between(-degrees, degrees) for _ in range(4)]
    return replace(
        limb,
        out=limb.out + shift[0],
        forward=limb.forward + shift[1],
        bend=limb.bend + shift[2],
        twist=limb.twist + shift[3],
    )


def _hanging(dice: Dice) -> Limb:
    return _varied(dice, Limb(out=9, forward=3, bend=18, twist=32), 8)


def _folded(dice: Dice) -> Limb:
    return _varied(dice, Limb(out=5, forward=14, bend=98, twist=72), 5)


def _on_hip(dice: Dice) -> Limb:
    return _varied(dice, Limb(out=46, forward=-6, bend=88, twist=92), 7)


def _in_front(dice: Dice) -> Limb:
    return _varied(dice, Limb(out=6, forward=8, bend=60, twist=66), 9)


def _waving(dice: Dice) -> Limb:
    return _varied(dice, Limb(out=38, forward=12, bend=118, twist=-60), 12)


def _cheering(dice: Dice) -> Limb:
    return _varied(dice, Limb(out=138, forward=0, bend=28, twist=40), 15)


def _around(dice: Dice) -> Limb:
    return _varied(dice, Limb(out=62, forward=-6, bend=30, twist=85), 10)
