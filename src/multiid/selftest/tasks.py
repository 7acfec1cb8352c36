"""What the selftest makes: ways of composing, numbers of people, poses, words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from multiid.geometry import Point, Size
from multiid.people.identity import Identity
from multiid.pipeline.preset_record import Defaults
from multiid.pipeline.scene import Scene
from multiid.pipeline.sizing import AreaRule
from multiid.poses.body import Body, Limb
from multiid.poses.skeleton import Place, Pose

__all__ = ["WAYS", "Task", "Way", "make_pose", "make_scene", "plan_tasks"]


@dataclass(frozen=True)
class Way:
    """How pictures are composed.

    Attributes:
        layout: where identities go.
        masked: whether everybody is heard in their own place alone, or everywhere.
    """

    layout: Literal["stack", "inline"]
    masked: bool

    def __str__(self) -> str:
        return f"{self.layout}, masks {'on' if self.masked else 'off'}"


WAYS = (Way("stack", True), Way("stack", False), Way("inline", True), Way("inline", False))
"""All ways, in the order of the sheet's rows."""


@dataclass(frozen=True)
class Task:
    """One picture to make."""

    way: Way
    people: int
    seed: int

    @property
    def file(self) -> str:
        """The name of its file."""
        masks = "masks" if self.way.masked else "nomasks"
        return f"{self.way.layout}-{masks}-{self.people}-{self.seed}.png"


_SIZES = {1: Size(896, 1152), 2: Size(1024, 1024), 3: Size(1152, 896), 4: Size(1216, 832)}
_FACE_HEIGHT = 0.3  # of the canvas, where noses are
_STATURES = {1: 1.9, 2: 1.6, 3: 1.5, 4: 1.42}  # in canvas heights
_MULTIPLE = 64  # pixels: sides that SDXL was trained on
_TURN = 14.0  # degrees; those at the ends turn to the middle


def plan_tasks(people: int, *, seeds: int) -> list[Task]:
    """Every picture of a selftest with so many people, seed by seed. One person needs no masks to be kept apart."""
    return [
        Task(way, count, seed)
        for seed in range(seeds)
        for count in range(1, people + 1)
        for way in WAYS
        if way.masked or count > 1
    ]


def make_pose(people: int) -> Pose:
    """So many grown-up people standing in a row, faces to the camera."""
    size = _SIZES[people]
    places: list[Place] = []
    for index in range(people):
        x = (index + 0.5) / people
        body = Body(
            face=Point(x, _FACE_HEIGHT),
            height=_STATURES[people],
            turn=_TURN * (1 - 2 * x),
            right_arm=Limb(out=4.0, bend=16.0, twist=30.0),
            left_arm=Limb(out=4.0, bend=16.0, twist=30.0),
        )
        places.append(Place(body.skeleton(size)))
    return Pose(size, tuple(places))


def make_scene(
    task: Task, identities: Sequence[Identity], *, defaults: Defaults, photographic: bool, steps: int | None
) -> Scene:
    """A task's scene, with the first so many people.

    Args:
        task: what to make.
        identities: of all people.
        defaults: the preset's, for the size of its pictures.
        photographic: whether a photo is asked for.
        steps: denoising steps, in place of the preset's.
    """
    named = [
        f"{'an' if identity.noun[0].lower() in 'aeiou' else 'a'} {{{identity.name}}}"
        for identity in identities[: task.people]
    ]
    company = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    pose = make_pose(task.people)
    size = _size(pose, defaults)
    return Scene(
        f"{'a photo of ' if photographic else ''}{company} in a garden",
        identities[: task.people],
        pose=pose,
        layout=task.way.layout,
        width=size.width,
        height=size.height,
        steps=steps,
        seed=task.seed,
    )


def _size(pose: Pose, defaults: Defaults) -> Size:
    """The pose's shape at the size of pictures that the preset is made for."""
    area = defaults.area
    if area is not None:
        return area.scaled(pose.size, places=len(pose.places), multiple=8)
    side = round(math.sqrt(defaults.size.width * defaults.size.height))
    return AreaRule(side=side, growth=0).scaled(pose.size, places=len(pose.places), multiple=_MULTIPLE)
