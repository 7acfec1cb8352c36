"""scene.yaml: a scene as a file, and its published schema."""

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import PIL.Image
import torch
from annotated_types import Gt, Le, Len
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from multiid.errors import IdentityError, PromptError, RegionError, SceneError, TemplateError
from multiid.geometry import Box
from multiid.people.identity import Identity
from multiid.people.photo import Photo, load_photo, load_photos
from multiid.pipeline.init_image import InitImage
from multiid.pipeline.presets import Defaults
from multiid.pipeline.scene import Lora, Person, PlaceIndex, Scene, Strength
from multiid.pipeline.staging import arrange, set_stage
from multiid.pipeline.yaml_file import read_yaml
from multiid.prompts import Subject, bind
from multiid.regions import Region
from multiid.validation import Misfit, describe_error, find_misfits, suggest

__all__ = [
    "SceneDocument",
    "SceneFile",
    "SceneSettings",
    "find_setting_misfits",
    "load_scene_file",
    "scene_schema",
    "source_beside",
    "template_beside",
]

# Strict: neither "3" nor true is a number.
_CONFIG = ConfigDict(extra="forbid", frozen=True, strict=True)

_SIDE_MULTIPLE = 8  # pixels per latent


def _model_of(kind: type, name: str, **replaced: Any) -> type[BaseModel]:
    """A pydantic model with a dataclass's fields, ranges, defaults and descriptions; None leaves a field out."""
    hints = get_type_hints(kind, include_extras=True)
    doc = kind.__doc__ or ""
    described = dict(re.findall(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", doc, flags=re.MULTILINE))
    definitions: dict[str, Any] = {}
    for field in fields(kind):
        hint = replaced.get(field.name, hints[field.name])
        if hint is None:
            continue
        default = ... if field.default is field.default_factory else field.default
        description = re.sub(r"\s+", " ", described.get(field.name, "")).removesuffix(".")
        definitions[field.name] = (hint, Field(default, description=description))
    return create_model(name, __config__=_CONFIG, __doc__=doc.partition("\n\n")[0], **definitions)


LoraEntry = _model_of(Lora, "LoraEntry")

SceneSettings = _model_of(
    Scene,
    "SceneSettings",
    people=None,
    pose=None,
    template=str | None,
    loras=list[LoraEntry],
    controls=None,
    style_image=None,
    init=None,
)
"""The fields of a `Scene` that are plain values."""


def _area(box: list[float] | None) -> list[float] | None:
    """The box, if it has any area."""
    if box is not None:
        Box(*box)
    return box


class PersonEntry(BaseModel):
    """One person of a scene file: photos with a name and a noun, or an identity file."""

    model_config = _CONFIG

    name: str | None = Field(None, description="stands in the prompt as {name}")
    noun: str | None = Field(None, description='the class noun, such as "woman" or "old man"')
    photos: str | list[str] | None = Field(None, description="photo files or folders, relative to the scene file")
    identity: str | None = Field(None, description="an identity file, instead of name, noun and photos")
    phrase: str = Field("", description="what holds for this person alone: in a red coat")
    strength: Strength = Field(1.0, description="1 is untouched, 0 leaves the plain noun")
    place: PlaceIndex | None = Field(None, description="index of the template's place, from the left")
    box: Annotated[list[float], Len(4, 4)] | None = Field(
        None, description="region: left, top, right, bottom, in pixels"
    )
    mask: str | None = Field(None, description="region: a painted mask, white where the person is")

    @field_validator("photos", mode="before")
    @classmethod
    def _some_photos(cls, photos: Any) -> Any:
        paths: Any = [photos] if isinstance(photos, str) else photos
        if photos is not None and not (
            isinstance(paths, list) and paths and all(isinstance(p, str) and p for p in paths)
        ):
            raise ValueError(f"expected a photo or a folder, or a list of them, but got {photos!r}")
        return photos

    @field_validator("box")
    @classmethod
    def _some_area(cls, box: list[float] | None) -> list[float] | None:
        return _area(box)

    @model_validator(mode="after")
    def _one_source(self) -> "PersonEntry":
        made = {"name": self.name, "noun": self.noun, "photos": self.photos}
        given = [key for key, value in made.items() if value is not None]
        if self.identity is not None and given:
            raise ValueError(f"expected either identity, or name, noun and photos, but got identity and {given[0]}")
        missing = [key for key, value in made.items() if value is None]
        if self.identity is None and missing:
            raise ValueError(f"expected identity, or name, noun and photos, but without {' and '.join(missing)}")
        if self.box is not None and self.mask is not None:
            raise ValueError("expected a box or a mask, but got both")
        return self


class InitEntry(BaseModel):
    """A picture to start from, and where it may change."""

    model_config = _CONFIG

    image: str = Field(description="the picture, relative to the scene file")
    strength: Annotated[float, Gt(0), Le(1)] = Field(
        0.6, description="how much of it changes: little keeps it, 1 keeps nothing of what is painted anew"
    )
    box: Annotated[list[float], Len(4, 4)] | None = Field(
        None, description="the part to paint anew: left, top, right, bottom, in pixels"
    )
    mask: str | None = Field(None, description="the part to paint anew: a painted mask, white where it may change")
    people: list[str] = Field([], description="the part to paint anew: the regions of these people")

    @field_validator("box")
    @classmethod
    def _some_area(cls, box: list[float] | None) -> list[float] | None:
        return _area(box)

    @model_validator(mode="after")
    def _one_part(self) -> "InitEntry":
        if sum(bool(part) for part in (self.box, self.mask, self.people)) > 1:
            raise ValueError("expected a box, a mask or people, but got more than one of them")
        return self


class SceneFile(SceneSettings):  # type: ignore[misc, valid-type]
    """A scene as a file: the fields of Scene, and its people."""

    people: list[PersonEntry] = Field([], description="who is in it, from left to right")
    init: InitEntry | None = Field(None, description="a picture to start from, in place of noise")


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


def load_scene_file(path: str | os.PathLike[str], *, defaults: Defaults | None = None) -> SceneDocument:
    """Reads scene.yaml with the photos, identities, masks, LoRAs and template it names, which lie beside it.

    All that needs no model is checked here: names, prompt, sampler, and who stands where.

    Args:
        path: the file.
        defaults: of the composer that is to make the scene: boxes and masks must fit the size of its pictures. Those
            of full SDXL models if None.

    Raises:
        SceneError: naming the file, the key and what was expected; unknown keys name the nearest known one.
        MultiIDError: what a name, the prompt, a photo, an identity file, a mask or a template raises.
    """
    file = Path(path)
    entry = parse_scene(read_yaml(file), str(file))
    settings: dict[str, Any] = {name: getattr(entry, name) for name in SceneSettings.model_fields}
    settings["loras"] = tuple(
        Lora(source_beside(file, lora.source), lora.weight, lora.file) for lora in settings["loras"]
    )
    settings["template"] = template_beside(file, settings["template"])
    settings["init"] = None if entry.init is None else _read_init(entry.init, file.parent)
    document = SceneDocument(file, settings, tuple(_read_person(person, file.parent) for person in entry.people))
    try:
        _rehearse(document, defaults or Defaults())
    except (SceneError, PromptError, IdentityError, RegionError, TemplateError) as error:
        raise type(error)(f"{file}: {error}") from error
    return document


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


def find_setting_misfits(settings: Mapping[str, Any], *, taken: Collection[str]) -> list[Misfit]:
    """Everything wrong with keys of a scene file that other files hold, such as `{steps: 30, mask_rule: none}`.

    Args:
        settings: the keys and their values.
        taken: keys that do not stand there.
    """
    known = sorted(set(SceneSettings.model_fields) - set(taken))
    misfits = [
        Misfit((key,), f"unknown key{suggest(key, known)}".removesuffix("."), unknown_key=True)
        for key in settings
        if key not in known
    ]
    rest = {key: value for key, value in settings.items() if key in known}
    try:
        SceneSettings.model_validate({"prompt": "", **rest})
        Scene("", [], **rest)  # knows which of them go together
    except ValidationError as error:
        misfits += find_misfits(error, SceneSettings.model_json_schema())
    except SceneError as error:
        key, _, problem = str(error).removesuffix(".").partition(": ")
        misfits.append(Misfit((key,), problem))
    return misfits


def _read_person(entry: PersonEntry, folder: Path) -> _ReadPerson:
    identity = None if entry.identity is None else Identity.load(folder / entry.identity)
    photos = [entry.photos] if isinstance(entry.photos, str) else entry.photos or []
    region = None
    if entry.box is not None:
        region = Box(*entry.box)
    elif entry.mask is not None:
        region = _read_mask(folder / entry.mask)
    return _ReadPerson(entry, load_photos([folder / photo for photo in photos]) if photos else [], identity, region)


def _read_init(entry: InitEntry, folder: Path) -> InitImage:
    mask = None if entry.mask is None else _read_mask(folder / entry.mask)
    return InitImage(
        load_photo(folder / entry.image, min_side=_SIDE_MULTIPLE),
        entry.strength,
        mask if entry.box is None else Box(*entry.box),
        entry.people,
    )


def _read_mask(path: Path) -> PIL.Image.Image:
    """A painted mask; transparency, which a photo loses, is kept: it counts as black."""
    checked = load_photo(path, min_side=_SIDE_MULTIPLE)
    with suppress(PIL.UnidentifiedImageError), PIL.Image.open(path) as painted:  # HEIC, which needs another reader
        if painted.has_transparency_data:
            return painted.copy()
    return checked


def template_beside(file: Path, template: str | None) -> str | Path | None:
    """A template file beside the scene's; the name of one of the library as it is."""
    if template is None or (Path(template).suffix != ".json" and len(Path(template).parts) <= 1):
        return template
    return file.parent / template


def source_beside(file: Path, source: str) -> str:
    """A LoRA that lies beside the scene's file; a hub repository as it is."""
    beside = file.parent / source
    with suppress(OSError):  # no name that a file can have
        return str(beside) if beside.exists() else source
    return source


def _rehearse(document: SceneDocument, defaults: Defaults) -> None:
    """Finds, without any model, what is wrong with names, words, places and, where the size is known, regions."""
    scene = document.scene(lambda name, noun, _: Identity(name, noun, torch.zeros(1, 1, 1), encoder="none"))
    bind(scene.prompt, [Subject(person.identity.name, person.identity.noun) for person in scene.cast])
    size, area = defaults.size, defaults.area
    if scene.template is None and scene.width is None and scene.init is None:
        arrange(scene, default_size=size, multiple=_SIDE_MULTIPLE, area=area)
        return
    stage = set_stage(scene, default_size=size, multiple=_SIDE_MULTIPLE, limb_width=defaults.limb_width, area=area)
    if scene.init is not None:
        scene.init.painted_anew(stage.regions, [person.identity.name for person in scene.cast])
