"""The recipe inside a picture's file: everything needed to make it again, but the people themselves.

A person is named by name, noun and fingerprint; neither embedding nor photo nor path is in it. Making a picture
again takes the same people from a folder of identity files.
"""

import hashlib
import json
import os
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import PIL.Image
from pydantic import (
    BaseModel,
    Field,
    NonNegativeInt,
    PositiveFloat,
    ValidationError,
    model_validator,
)

from multiid.errors import IdentityError, NotAnIdentityError, RecipeError
from multiid.geometry import Size
from multiid.people.identity import Identity
from multiid.pipeline.anchor import Anchor
from multiid.pipeline.recorded import STRICT, RecordedInit, RecordedPerson, RecordedPose
from multiid.pipeline.scene import Lora, Scene
from multiid.pipeline.scene_file import SceneSettings
from multiid.poses.skeleton import Pose
from multiid.validation import describe_error

__all__ = ["DAMAGE", "RECIPE_KEY", "Recipe", "Refinement", "carries_recipe", "find_identities", "read_recipe"]

RECIPE_KEY = "multiid"
"""Keyword of the PNG's text chunk."""

Format = Literal["multiid-recipe-1"]

_RECORDED = ("multiid", "torch", "diffusers", "transformers", "peft")

DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
    PIL.Image.DecompressionBombError,
)
"""What Pillow's reader raises on damaged data, and our own values on data that make no sense."""


class Refinement(BaseModel):
    """How faces were painted anew after the picture was made: what `refine_faces` takes.

    Attributes:
        below: faces less wide than this, in pixels, were small.
        strength: how much of them changed.
        people: names of those whose faces might change; everybody's if None.
    """

    model_config = STRICT

    below: PositiveFloat
    strength: float = Field(gt=0, le=1)
    people: tuple[str, ...] | None = None


class Recipe(BaseModel):
    """How a picture was made.

    Attributes:
        format: of this record.
        preset: name of the preset, or None for a pipeline of the user's own.
        versions: of the libraries that decide about pixels.
        scene: every plain setting of the scene, those from preset and template filled in.
        pose: the skeletons, or None.
        people: who was in it, from left to right.
        init: the picture it was made from: how, and a checksum by which to know that picture again.
        refinements: how faces were painted anew afterwards, if they were, in the order in which it was done.
        index: which picture of the batch this is.
        beside: how many other scenes were made in the same batch.
        unrecorded: what else the caller gave: "latents", "controls", "style_image".
        generated: always true: no camera made this picture.
    """

    model_config = STRICT

    format: Format = "multiid-recipe-1"
    preset: str | None = None
    versions: Mapping[str, str]
    scene: SceneSettings  # type: ignore[valid-type]
    pose: RecordedPose | None = None
    people: tuple[RecordedPerson, ...]
    init: RecordedInit | None = None
    refinements: tuple[Refinement, ...] = ()
    index: NonNegativeInt = 0
    beside: NonNegativeInt = 0
    unrecorded: tuple[str, ...] = ()
    generated: Literal[True] = True

    @model_validator(mode="before")
    @classmethod
    def _once_one_alone(cls, content: Any) -> Any:
        """Reads older recipes too, which had one refinement at most."""
        if not isinstance(content, dict) or "refinement" not in content or "refinements" in content:
            return content
        others = {key: value for key, value in content.items() if key != "refinement"}
        one = content["refinement"]
        return others if one is None else {**others, "refinements": [one]}

    @model_validator(mode="after")
    def _one_of_the_batch(self) -> "Recipe":
        images: int = vars(self.scene)["images"]
        if self.index >= images:
            raise ValueError(f"expected an index below {images}, the number of pictures, but got {self.index}")
        return self

    @classmethod
    def of(
        cls,
        scene: Scene,
        *,
        size: Size,
        pose: Pose | None,
        preset: str | None,
        own_latents: bool = False,
        beside: int = 0,
    ) -> "Recipe":
        """The recipe of a scene whose settings are all filled in, on a canvas of `size`."""
        settings: dict[str, Any] = {name: getattr(scene, name) for name in SceneSettings.model_fields}
        settings |= {"width": size.width, "height": size.height}
        settings["template"] = _library_name(scene.template)
        settings["loras"] = [
            {"source": _public_source(lora.source), "weight": lora.weight, "file": lora.file} for lora in scene.loras
        ]
        return cls(
            preset=preset,
            versions=_versions(),
            scene=SceneSettings.model_validate(settings),
            pose=None if pose is None else RecordedPose.of(pose),
            people=tuple(RecordedPerson.of(person, size) for person in scene.cast),
            init=None if scene.init is None else RecordedInit.of(scene.init),
            beside=beside,
            unrecorded=tuple(
                name
                for name, given in {
                    "latents": own_latents,
                    "controls": bool(scene.controls),
                    "style_image": scene.style_image is not None,
                }.items()
                if given
            ),
        )

    @property
    def seed(self) -> int:
        """The seed of this very picture: of its batch's first, and as many more as it comes after that."""
        return int(vars(self.scene)["seed"]) + self.index

    @property
    def size(self) -> Size:
        """Of the picture."""
        settings = vars(self.scene)
        return Size(settings["width"], settings["height"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before making the picture again: libraries of other versions may give other pixels."""
        here = _versions()
        others = [
            f"{name} {was} (here {here.get(name)})" for name, was in self.versions.items() if here.get(name) != was
        ]
        notes = [f"The picture was made with {', '.join(others)}: pixels may differ."] if others else []
        if self.beside:
            notes.append("The picture was made in a batch with other scenes: pixels differ a little from its own.")
        return tuple(notes)

    def at(self, index: int) -> "Recipe":
        """The recipe of another picture of the same batch."""
        return self.model_copy(update={"index": index})

    def refined(self, refinement: Refinement) -> "Recipe":
        """The recipe of the same picture after some of its faces were painted anew, once more."""
        return self.model_copy(update={"refinements": (*self.refinements, refinement)})

    def anchor_digest(self, name: str) -> str:
        """What an anchor of that person, recorded from this picture, is known by: who keeps to it depends on this.

        Neither the template's name nor faces that were painted anew afterwards count; libraries' versions do.
        """
        content = self.model_dump(mode="json", exclude={"refinements": True, "scene": {"template"}})
        return hashlib.sha256(json.dumps([content, name], sort_keys=True).encode()).hexdigest()

    def to_json(self, indent: int | None = None) -> str:
        """The same text for the same recipe."""
        return self.model_dump_json(exclude_none=True, indent=indent)

    def to_scene(
        self,
        identities: Sequence[Identity],
        init: PIL.Image.Image | None = None,
        anchors: Sequence[Anchor] = (),
    ) -> Scene:
        """The scene, with each person taken from `identities` by fingerprint.

        Args:
            identities: of the people.
            init: the picture it was made from, if it was made from one.
            anchors: those that its people kept to, if they did.

        Raises:
            RecipeError: when somebody, or somebody's anchor, is not among them, `init` is not that picture, the caller
                had given something that is not recorded, or the recipe is damaged.
        """
        if self.unrecorded:
            raise RecipeError(
                f"Expected a picture made from its recipe alone, but this one's {' and '.join(self.unrecorded)} were "
                "given by hand."
            )
        if self.init is None and init is not None:
            raise RecipeError("Expected no picture to start from, as this recipe starts from noise, but got one.")
        known = {identity.fingerprint: identity for identity in identities}
        missing = [person for person in self.people if person.fingerprint not in known]
        if missing:
            raise _absent(missing, identities)
        kept = {anchor.digest: anchor for anchor in anchors}
        adrift = [person for person in self.people if person.anchor is not None and person.anchor not in kept]
        if adrift:
            raise RecipeError(
                f"Expected the anchor that {adrift[0].name} kept to ({str(adrift[0].anchor)[:12]}), but it is not "
                "given: record it again from its own picture's recipe."
            )
        settings: dict[str, Any] = {name: getattr(self.scene, name) for name in SceneSettings.model_fields}
        settings |= {"template": None, "loras": [Lora(**lora.model_dump()) for lora in settings["loras"]]}
        try:
            pose = None if self.pose is None else self.pose.pose()
            people = [person.person(known[person.fingerprint], self.size, kept) for person in self.people]
            start = None if self.init is None else self.init.init(init)
        except DAMAGE as error:
            raise RecipeError(f"Expected a recipe as multiid writes it, but this one is damaged: {error}") from error
        return Scene(**settings, pose=pose, people=people, init=start)

    def require_some_of(self, identities: Sequence[Identity]) -> None:
        """Makes sure that somebody of the picture, if anybody is in it, is among `identities`.

        Raises:
            RecipeError: when nobody is.
        """
        known = {identity.fingerprint for identity in identities}
        if self.people and not any(person.fingerprint in known for person in self.people):
            raise _absent(self.people, identities)


def carries_recipe(path: str | os.PathLike[str]) -> bool:
    """Whether a picture's file, of any format, carries a recipe, readable or not; not where it cannot be read."""
    try:
        with PIL.Image.open(path) as image:
            image.load()
            return RECIPE_KEY in image.info
    except DAMAGE:
        return False


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The recipe in a picture's file.

    Raises:
        RecipeError: when the file is no picture, carries none, or carries one that cannot be read.
    """
    try:
        with PIL.Image.open(path, formats=["PNG"]) as image:
            image.load()
            text = image.info.get(RECIPE_KEY)
    except DAMAGE as error:
        unread = getattr(error, "strerror", None)
        came = f"it cannot be read: {unread}" if unread else "it is none, or damaged"
        raise RecipeError(f"{path}: expected a PNG picture with a recipe, but {came}.") from error
    if text is None:
        raise RecipeError(
            f"{path}: expected a picture with a recipe, but it carries none: other programs drop it when they save."
        )
    try:
        _check_format(text, path)
        return Recipe.model_validate_json(text)
    except ValidationError as error:
        raise RecipeError(describe_error(error, Recipe.model_json_schema(), source=str(path))) from error


def _check_format(text: str, path: str | os.PathLike[str]) -> None:
    """Tells a recipe of another format before its keys are found wanting; what is no JSON is seen later."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return
    known = get_args(Format)[0]
    came = content.get("format") if isinstance(content, dict) else None
    if came != known:
        raise RecipeError(
            f"{path}: expected a recipe of the format {known}, but got {came}: use the version of multiid that made it."
        )


def find_identities(folder: str | os.PathLike[str]) -> list[Identity]:
    """All identities in a folder's .safetensors files, in the order of their names; other weights are passed over.

    Raises:
        IdentityError: when the folder is absent or holds no identity, or a file is damaged.
    """
    place = Path(folder)
    if not place.is_dir():
        raise IdentityError(f"Expected a folder with identity files, but {place} is none.")
    found: list[Identity] = []
    for file in sorted(place.glob("*.safetensors")):
        try:
            found.append(Identity.load(file))
        except NotAnIdentityError:  # a folder may hold other weights as well; who is missing is said by name
            continue
    if not found:
        raise IdentityError(
            f"Expected identity files (.safetensors) in {place}, but found none: see multiid people add."
        )
    return found


def _absent(missing: Sequence[RecordedPerson], identities: Sequence[Identity]) -> RecipeError:
    wanted = ", ".join(f"{person.name} ({person.noun}, {person.fingerprint[:12]})" for person in missing)
    found = ", ".join(f"{other.name} ({other.fingerprint[:12]})" for other in identities) or "nobody"
    return RecipeError(f"Expected the identity files of {wanted}, but found {found}: name the folder with them.")


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _RECORDED}


def _library_name(template: str | os.PathLike[str] | None) -> str | None:
    """A template's name; of a file only that, for no path belongs in a picture."""
    return None if template is None else Path(template).stem


def _public_source(source: str) -> str:
    """A hub repository as it is; of a local file or folder only its name."""
    hub = re.fullmatch(r"[\w.-]+/[\w.-]+", source) and not Path(source).exists()
    return source if hub else Path(source).name
