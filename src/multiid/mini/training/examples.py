"""What stages train on: scenes and portraits from a seed, without the people who are kept for evaluation."""

from multiid.geometry import Size
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import Person, is_held_out, make_person
from multiid.mini.world.scene import Cast, Scene, cast_pose, draw_scene
from multiid.poses.skeleton import Pose

__all__ = ["known_cast", "known_person", "known_scene"]


def known_person(seed: int) -> Person:
    """A person who may be trained on."""
    dice = Dice("known person", seed)
    while is_held_out(person := make_person(dice.seed())):
        pass
    return person


def known_cast(pose: Pose, *, seed: int) -> Cast:
    """A cast whose people may all be trained on."""
    dice = Dice("known cast", seed)
    while any(map(is_held_out, (cast := cast_pose(pose, seed=dice.seed())).people)):
        pass
    return cast


def known_scene(pose: Pose, *, seed: int, size: Size | None = None) -> Scene:
    """A scene of people who may be trained on."""
    return draw_scene(pose, known_cast(pose, seed=seed), seed=seed, size=size)
