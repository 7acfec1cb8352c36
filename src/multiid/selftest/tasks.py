"""What the selftest makes: ways of composing, numbers of people, words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from multiid.geometry import Size
from multiid.people.identity import Identity
from multiid.pipeline.preset_record import Defaults
from multiid.pipeline.scene import Scene
from multiid.pipeline.sizing import AreaRule
from multiid.poses.row import make_row
from multiid.poses.skeleton import Pose
from multiid.prompts import Subject, name_all

__all__ = ["WAYS", "Task", "Way", "make_scene", "plan_tasks"]


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


_MULTIPLE = 64  # pixels: sides that SDXL was trained on


def plan_tasks(people: int, *, seeds: int) -> list[Task]:
    """Every picture of a selftest with so many people, seed by seed. One person needs no masks to be kept apart."""
    return [
        Task(way, count, seed)
        for seed in range(seeds)
        for count in range(1, people + 1)
        for way in WAYS
        if way.masked or count > 1
    ]


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
    company = name_all([Subject(identity.name, identity.noun) for identity in identities[: task.people]])
    pose = make_row(task.people)
    size = _size(pose, defaults)
    return Scene(
        f"{'a photo of ' if photographic else ''}{company} in a garden",
        identities[: task.people],
        pose=pose,
        layout=task.way.layout,
        mask_rule="additive" if task.way.masked else "none",
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
