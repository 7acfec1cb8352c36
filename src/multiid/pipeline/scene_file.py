"""scene.yaml: a scene as a file, and its published schema."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import yaml
from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from multiid.errors import SceneError
from multiid.geometry import Box
from multiid.people.identity import Identity
from multiid.people.photo import Photo, load_photo, load_photos
from multiid.pipeline.scene import Lora, Person, Scene
from multiid.poses.templates import load_template
from multiid.regions import Region
from multiid.validation import describe_error

__all__ = ["SceneDocument", "SceneFile", "SceneSettings", "load_scene_file", "scene_schema"]


def _model_of(kind: type, name: str, **replaced: Any) -> type[BaseModel]:
    """A pydantic model with a dataclass's fields, ranges, defaults and descriptions; None leaves a field out."""
    hints = get_type_hints(kind, include_extras=True)
    described = dict(re.findall(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", kind.__doc__ or "", flags=re.MULTILINE))
    definitions: dict[str, Any] = {}
    for field in fields(kind):
        hint = replaced.get(field.name, hints[field.name])
        if hint is None:
            continue
        default = ... if field.default is field.default_factory else field.default
        description = re.sub(r"\s+", " ", described.get(field.name, ""))
        definitions[field.name] = (hint, Field(default, description=description))
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), __doc__=kind.__doc__, **definitions)


LoraEntry = _model_of(Lora, "LoraEntry")

SceneSettings = _model_of(
    Scene, "SceneSettings", people=None, pose=None, template=str | None, loras=tuple[LoraEntry, ...]
)
"""The fields of a `Scene` that are plain values."""


class PersonEntry(BaseModel):
    """One person of a scene file: photos with a name and a noun, or an identity file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, description="stands in the prompt as {name}")
    noun: str | None = Field(None, description='the class noun, such as "woman" or "old man"')
    photos: str | list[str] | None = Field(None, description="photo files or folders, relative to the scene file")
    identity: str | None = Field(None, description="an identity file, instead of name, noun and photos")
    phrase: str = Field("", description="what holds for this person alone: in a red coat")
    strength: Annotated[float, Ge(0)] = Field(1.0, description="1 is untouched, 0 leaves the plain noun")
    place: Annotated[int, Ge(0)] | None = Field(None, description="index of the template's place, from the left")
    box: tuple[float, float, float, float] | None = Field(None, description="region: left, top, right, bottom; pixels")
    mask: str | None = Field(None, description="region: a painted mask, white where the person is")

    @model_validator(mode="after")
    def _one_source(self) -> "PersonEntry":
        made = {"name": self.name, "noun": self.noun, "photos": self.photos}
        given = [key for key, value in made.items() if value is not None]
        if self.identity is not None and given:
            raise ValueError(f"expected either identity, or name, noun and photos, but got identity and {given[0]}")
        missing = [key for key, value in made.items() if value is None]
        if self.identity is None and missing:
            raise ValueError(f"expected identity, or name, noun and photos, but {', '.join(missing)} is missing")
        if self.box is not None and self.mask is not None:
            raise ValueError("expected a box or a mask, but got both")
        return self


class SceneFile(SceneSettings):  # type: ignore[misc, valid-type]
    """A scene as a file: the fields of Scene, and its people."""

    people: tuple[PersonEntry, ...] = Field((), description="who is in it, from left to right")


IdentityMaker = Callable[[str, str, Sequence[Photo]], Identity]
"""Makes an identity from a name, a noun and photos: `Composer.identity`."""


@dataclass(frozen=True)
class SceneDocument:
    """A scene file that has been read and checked, with its photos, before any model is loaded.

    Attributes:
        file: where it was read.
        settings: the arguments of `Scene`, but its people.
        people: entries, photos and regions of the people.
    """

    file: Path
    settings: Mapping[str, Any]
    people: "tuple[_ReadPerson, ...]"

    def scene(self, make_identity: IdentityMaker) -> Scene:
        """The scene, with an identity made for each person given by photos.

        Raises:
            SceneError: when the scene's values do not fit each other.
            MultiIDError: what making an identity raises.
        """
        return Scene(**self.settings, people=[person.resolve(make_identity) for person in self.people])


@dataclass(frozen=True)
class _ReadPerson:
    entry: PersonEntry
    photos: Sequence[Photo]
    identity: Identity | None
    region: Region | None

    def resolve(self, make_identity: IdentityMaker) -> Person:
        entry = self.entry
        identity = self.identity or make_identity(entry.name or "", entry.noun or "", self.photos)
        return Person(identity, entry.phrase, entry.strength, self.region, entry.place)


def load_scene_file(path: str | os.PathLike[str]) -> SceneDocument:
    """Reads scene.yaml with the photos, identities, masks and template it names, which are looked for beside it.

    Raises:
        SceneError: naming the file, the key and what was expected; unknown keys name the nearest known one.
        MultiIDError: what a photo, an identity file, a mask or a template raises.
    """
    file = Path(path)
    entry = parse_scene(read_yaml(file), str(file))
    settings: dict[str, Any] = {name: getattr(entry, name) for name in SceneSettings.model_fields}
    settings["loras"] = tuple(Lora(**lora.model_dump()) for lora in settings["loras"])
    template = settings["template"]
    if template is not None:
        if (file.parent / template).is_file():
            settings["template"] = file.parent / template
        load_template(settings["template"])
    try:
        Scene(**settings)
    except SceneError as error:
        raise SceneError(f"{file}: {error}") from error
    return SceneDocument(file, settings, tuple(_read_person(person, file.parent) for person in entry.people))


def read_yaml(file: Path) -> Any:
    """What a YAML file says.

    Raises:
        SceneError: when it is absent, unreadable or not YAML; the line is named.
    """
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SceneError(f"{file}{line}: expected YAML, but {error.problem or 'it cannot be parsed'}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SceneError(f"{file}: expected YAML as UTF-8 text, but it holds other bytes.") from error
    except OSError as error:
        raise SceneError(f"{file}: expected a scene file, but it cannot be read: {error.strerror}.") from error


def parse_scene(data: Any, name: str) -> Any:
    """A `SceneFile` from plain data; `name` stands in errors for where they came from."""
    if not isinstance(data, Mapping):
        raise SceneError(f"{name}: expected keys such as prompt and people, but got {type(data).__name__}.")
    try:
        return SceneFile.model_validate(data)
    except ValidationError as error:
        raise SceneError(describe_error(error, scene_schema(), source=name)) from error


def scene_schema() -> dict[str, Any]:
    """The JSON schema of scene.yaml."""
    return SceneFile.model_json_schema()


def _read_person(entry: PersonEntry, folder: Path) -> _ReadPerson:
    identity = None if entry.identity is None else Identity.load(folder / entry.identity)
    photos = [entry.photos] if isinstance(entry.photos, str) else entry.photos or []
    region = None
    if entry.box is not None:
        try:
            region = Box(*entry.box)
        except ValueError as error:
            raise SceneError(f"{entry.name or entry.identity}'s box: {error}") from error
    elif entry.mask is not None:
        region = load_photo(folder / entry.mask, min_side=8)
    return _ReadPerson(entry, load_photos([folder / photo for photo in photos]) if photos else [], identity, region)
