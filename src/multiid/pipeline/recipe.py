"""The recipe inside a picture's file: everything needed to make it again, but the people themselves.

A person is named by name, noun and fingerprint; neither embedding nor photo nor path is in it. Making a picture
again takes the same people from a folder of identity files.
"""

import base64
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import PIL.Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from multiid.errors import IdentityError, RecipeError
from multiid.geometry import Box, Point, Size
from multiid.people.identity import Identity
from multiid.pipeline.scene import Lora, Person, Scene
from multiid.pipeline.scene_file import SceneSettings
from multiid.poses.skeleton import Place, Pose, Skeleton
from multiid.validation import describe_error

__all__ = ["RECIPE_KEY", "Recipe", "find_identities", "read_recipe"]

RECIPE_KEY = "multiid"
"""Keyword of the PNG's text chunk."""

_STRICT = ConfigDict(extra="forbid", frozen=True)
_RECORDED = ("multiid", "torch", "diffusers", "transformers", "peft")


class _Person(BaseModel):
    model_config = _STRICT

    name: str
    noun: str
    fingerprint: str
    phrase: str
    strength: float
    place: int | None = None
    box: tuple[float, float, float, float] | None = None
    mask: str | None = Field(None, description="a painted mask as PNG in base64")


class _Place(BaseModel):
    model_config = _STRICT

    keypoints: tuple[tuple[float, float] | None, ...]
    depth: float
    role: str


class _Pose(BaseModel):
    model_config = _STRICT

    size: tuple[int, int]
    places: tuple[_Place, ...]


class Recipe(BaseModel):
    """How a picture was made.

    Attributes:
        format: of this record.
        preset: name of the preset, or None for a pipeline of the user's own.
        versions: of the libraries that decide about pixels.
        scene: every plain setting of the scene, those from preset and template filled in.
        pose: the skeletons, or None.
        people: who was in it, from left to right.
        index: which picture of the batch this is.
        own_latents: whether the caller gave the initial latents, which are not recorded.
        generated: always true: no camera made this picture.
    """

    model_config = _STRICT

    format: Literal["multiid-recipe-1"] = "multiid-recipe-1"
    preset: str | None = None
    versions: Mapping[str, str]
    scene: SceneSettings  # type: ignore[valid-type]
    pose: _Pose | None = None
    people: tuple[_Person, ...]
    index: int = 0
    own_latents: bool = False
    generated: Literal[True] = True

    @classmethod
    def of(cls, scene: Scene, *, size: Size, pose: Pose | None, preset: str | None, own_latents: bool) -> "Recipe":
        """The recipe of a scene whose settings are all filled in, on a canvas of `size`."""
        settings: dict[str, Any] = {name: getattr(scene, name) for name in SceneSettings.model_fields}
        settings |= {"width": size.width, "height": size.height}
        settings["template"] = _library_name(scene.template)
        settings["loras"] = [
            {"source": _public_source(lora.source), "weight": lora.weight, "file": lora.file} for lora in scene.loras
        ]
        return cls(
            preset=preset,
            versions={name: version(name) for name in _RECORDED},
            scene=SceneSettings.model_validate(settings),
            pose=None
            if pose is None
            else _Pose(
                size=(pose.size.width, pose.size.height),
                places=tuple(
                    _Place(keypoints=place.skeleton.points, depth=place.depth, role=place.role) for place in pose.places
                ),
            ),
            people=tuple(_recorded(person) for person in scene.cast),
            own_latents=own_latents,
        )

    def at(self, index: int) -> "Recipe":
        """The recipe of another picture of the same batch."""
        return self.model_copy(update={"index": index})

    def to_json(self, indent: int | None = None) -> str:
        """The same text for the same recipe."""
        return self.model_dump_json(exclude_none=True, indent=indent)

    def to_scene(self, identities: Sequence[Identity]) -> Scene:
        """The scene, with each person taken from `identities` by fingerprint.

        Raises:
            RecipeError: when somebody is not among them, or the picture was made from latents of the caller's own.
        """
        if self.own_latents:
            raise RecipeError("Expected a picture made from a seed, but this one's initial latents were given by hand.")
        known = {identity.fingerprint: identity for identity in identities}
        missing = [person for person in self.people if person.fingerprint not in known]
        if missing:
            wanted = ", ".join(f"{person.name} ({person.noun}, {person.fingerprint[:12]})" for person in missing)
            found = ", ".join(f"{other.name} ({other.fingerprint[:12]})" for other in known.values()) or "nobody"
            raise RecipeError(f"Expected the identity files of {wanted}, but found {found}: name the folder with them.")
        settings: dict[str, Any] = {name: getattr(self.scene, name) for name in SceneSettings.model_fields}
        settings |= {"template": None, "loras": [Lora(**lora.model_dump()) for lora in settings["loras"]]}
        return Scene(
            **settings,
            pose=None if self.pose is None else _pose(self.pose),
            people=[_person(person, known[person.fingerprint]) for person in self.people],
        )


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The recipe in a picture's file.

    Raises:
        RecipeError: when the file is no picture, carries none, or carries one that cannot be read.
    """
    try:
        with PIL.Image.open(path, formats=["PNG"]) as image:
            image.load()
            text = image.info.get(RECIPE_KEY)
    except (OSError, SyntaxError, ValueError) as error:
        raise RecipeError(f"{path}: expected a PNG picture with a recipe, but it cannot be read as one.") from error
    if text is None:
        raise RecipeError(
            f"{path}: expected a picture with a recipe, but it carries none: other programs drop it when they save."
        )
    try:
        return Recipe.model_validate_json(text)
    except ValidationError as error:
        raise RecipeError(describe_error(error, Recipe.model_json_schema(), source=str(path))) from error


def find_identities(folder: str | os.PathLike[str]) -> list[Identity]:
    """All identities in a folder's .safetensors files, in the order of their names; other files are passed over.

    Raises:
        IdentityError: when the folder is absent or holds no identity.
    """
    place = Path(folder)
    if not place.is_dir():
        raise IdentityError(f"Expected a folder with identity files, but {place} is none.")
    found: list[Identity] = []
    for file in sorted(place.glob("*.safetensors")):
        try:
            found.append(Identity.load(file))
        except IdentityError:  # a folder may hold other weights as well; who is missing is said by name
            continue
    if not found:
        raise IdentityError(
            f"Expected identity files (.safetensors) in {place}, but found none: see multiid people add."
        )
    return found


def _recorded(person: Person) -> _Person:
    region = person.region
    return _Person(
        name=person.identity.name,
        noun=person.identity.noun,
        fingerprint=person.identity.fingerprint,
        phrase=person.phrase,
        strength=person.strength,
        place=person.place,
        box=region.corners if isinstance(region, Box) else None,
        mask=None if region is None or isinstance(region, Box) else _mask_to_text(region),
    )


def _person(person: _Person, identity: Identity) -> Person:
    region = None
    if person.box is not None:
        region = Box(*person.box)
    elif person.mask is not None:
        region = PIL.Image.open(io.BytesIO(base64.b64decode(person.mask)), formats=["PNG"])
    # The noun of this picture, should the file by now have another.
    return Person(
        replace(identity, name=person.name, noun=person.noun), person.phrase, person.strength, region, person.place
    )


def _pose(pose: _Pose) -> Pose:
    return Pose(
        Size(*pose.size),
        tuple(
            Place(
                Skeleton(tuple(None if point is None else Point(*point) for point in place.keypoints)),
                place.depth,
                place.role,
            )
            for place in pose.places
        ),
    )


def _mask_to_text(mask: PIL.Image.Image | np.ndarray) -> str:
    if not isinstance(mask, PIL.Image.Image):
        fractions = mask.dtype == bool or np.issubdtype(mask.dtype, np.floating)
        mask = PIL.Image.fromarray((np.asarray(mask >= 0.5) * 255 if fractions else mask).astype(np.uint8))
    buffer = io.BytesIO()
    mask.save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _library_name(template: str | os.PathLike[str] | None) -> str | None:
    """A template's name; of a file only that, for no path belongs in a picture."""
    return None if template is None else Path(template).stem


def _public_source(source: str) -> str:
    """A hub repository as it is; of a local file or folder only its name."""
    return Path(source).name if Path(source).exists() else source
