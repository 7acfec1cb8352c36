"""Whose pictures a suite has made: groups of people with photos, words and a pose, the same for every setting."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import PIL.Image

from multiid.geometry import Size
from multiid.mini.world.scene import Scene
from multiid.poses.skeleton import Pose
from multiid.suites.suite import Case

__all__ = ["Group", "People", "Sitter"]


@dataclass(frozen=True, eq=False)
class Sitter:
    """One person of a group.

    Attributes:
        name: stands in the prompt as {name}.
        noun: the class noun.
        given: photos for the generator, at least one; a setting takes the first so many of them.
        kept: photos that the pictures are compared with.
        phrase: what holds for this person alone.
    """

    name: str
    noun: str
    given: tuple[PIL.Image.Image, ...] = field(repr=False)
    kept: tuple[PIL.Image.Image, ...] = field(repr=False)
    phrase: str = ""


@dataclass(frozen=True, eq=False)
class Group:
    """The people of one picture, and what is made of them.

    Attributes:
        people: from left to right.
        prompt: with the people's names in braces.
        pose: where they stand, in this order.
        seed: of the picture.
        size: of the picture; what the preset makes of the pose's canvas if None.
        truth: draws the scene as it should be; None where nobody knows that.
    """

    people: tuple[Sitter, ...]
    prompt: str
    pose: Pose
    seed: int
    size: Size | None = None
    truth: Callable[[], Scene] | None = field(default=None, repr=False)


@runtime_checkable
class People(Protocol):
    """Who there is for a suite's groups. Several processes ask for the same groups, and must get the same ones."""

    @property
    def stamp(self) -> str:
        """Tells these people from others: pictures of others must be made anew."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the report must know of them."""
        ...

    def group(self, case: Case, index: int) -> Group:
        """The group of that number: the same numbers give the same one.

        Raises:
            MultiIDError: when there are too few people or photos for it.
        """
        ...
