"""Pose templates: JSON files that say who may stand where, and the library that comes with the package."""

import re
from codecs import BOM_UTF8
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from multiid.errors import TemplateError
from multiid.geometry import Size
from multiid.poses.body import Age, Body
from multiid.poses.checks import find_faults
from multiid.poses.skeleton import FACE_POINTS, HAND_POINTS, JOINTS, Place, Points, Pose, Skeleton
from multiid.poses.template_text import template_text
from multiid.validation import describe_error, suggest

__all__ = [
    "Template",
    "TemplatePlace",
    "library_templates",
    "load_template",
    "spare_places",
    "template_names",
    "template_schema",
    "templates_for",
]

_CONFIG = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True)
_SIDE_MULTIPLE = 8  # pixels per latent
_LONGEST_SIDE = 8192  # of a scene's picture too
_NAME = "^[a-z0-9]+(-[a-z0-9]+)*$"

_Body = Annotated[Points, Field(min_length=len(JOINTS), max_length=len(JOINTS))]
_Hand = Annotated[Points, Field(min_length=HAND_POINTS, max_length=HAND_POINTS)]
_Face = Annotated[Points, Field(min_length=FACE_POINTS, max_length=FACE_POINTS)]
_KEYPOINTS = ("keypoints", "right_hand_keypoints", "left_hand_keypoints", "face_keypoints")


class TemplatePlace(BaseModel):
    """One person's place: exactly one of `body` and `keypoints` says how they stand."""

    model_config = _CONFIG

    role: Age = "adult"
    """Who fits here; also the proportions of `body`."""
    depth: float = Field(default=0.0, ge=0.0)
    """How far back: 0 in front, larger is farther; nearer people cover farther ones."""
    extra: bool = False
    """Whether the place is meant for a stranger, somebody without identity; people may stand there too. Extras come
    after all other places."""
    body: Body | None = None
    keypoints: _Body | None = None
    """The 18 points in OpenPose order as [x, y] in fractions of the canvas, null where unseen."""
    right_hand_keypoints: _Hand | None = None
    """21 points of the person's own right hand, likewise; beside `keypoints` only."""
    left_hand_keypoints: _Hand | None = None
    """21 points of the left hand, likewise."""
    face_keypoints: _Face | None = None
    """70 points of the face, likewise."""

    @model_validator(mode="after")
    def _check(self) -> "TemplatePlace":
        if (self.body is None) == (self.keypoints is None):
            raise ValueError("expected exactly one of body and keypoints")
        for name in _KEYPOINTS:
            points: Points | None = getattr(self, name)
            if points is not None and self.body is not None:
                raise ValueError(f"{name}: expected it beside keypoints only, but got it beside body")
            for index, point in enumerate(points or ()):
                if point is not None and not (0 <= point.x <= 1 and 0 <= point.y <= 1):
                    raise ValueError(
                        f"{name}.{index}: expected x and y from 0 to 1, or null for a point outside the canvas, "
                        f"but got [{point.x:g}, {point.y:g}]"
                    )
        return self

    def skeleton(self, size: Size, *, beyond: bool = False) -> Skeleton:
        """The place's skeleton on a canvas of `size`, with what a body has beyond its edge or without.

        Raises:
            ValueError: when the body's hand cannot reach where it should.
        """
        if self.body is not None:
            return self.body.skeleton(size, age=self.role, beyond=beyond)
        return Skeleton(self.keypoints or (), self.right_hand_keypoints, self.left_hand_keypoints, self.face_keypoints)


class Template(BaseModel):
    """A pose template as its file says it."""

    model_config = _CONFIG

    name: str = Field(json_schema_extra={"pattern": _NAME})
    """Small letters, digits and hyphens; in the library, the file's name."""
    title: str = Field(min_length=1)
    """A few words for a list."""
    description: str = ""
    """What the picture looks like."""
    size: Size
    """Width and height in pixels the places are made for; multiples of 8, at most 8192."""
    tags: tuple[str, ...] = ()
    places: tuple[TemplatePlace, ...] = Field(min_length=1)
    """The people from left to right, then the extras from left to right."""

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not re.fullmatch(_NAME, name):
            raise ValueError(f"expected small letters, digits and hyphens, such as our-picnic, but got '{name}'")
        return name

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: Size) -> Size:
        if min(size) < _SIDE_MULTIPLE or any(side % _SIDE_MULTIPLE for side in size):
            nearest = Size(*(max(1, round(side / _SIDE_MULTIPLE)) * _SIDE_MULTIPLE for side in size))
            raise ValueError(
                f"expected width and height in multiples of {_SIDE_MULTIPLE}, but got {size}; the nearest is {nearest}"
            )
        if max(size) > _LONGEST_SIDE:
            raise ValueError(f"expected width and height of at most {_LONGEST_SIDE}, but got {size}")
        return size

    @classmethod
    def of(cls, pose: Pose, *, name: str, title: str, description: str = "", tags: tuple[str, ...] = ()) -> "Template":
        """The template that says a pose, point by point.

        Raises:
            TemplateError: when the pose cannot be a template: a point outside its canvas, a side that is no multiple
                of 8, nobody in it, or a name that is none.
        """
        places = [
            {
                "role": place.role,
                "depth": place.depth,
                "extra": place.extra,
                "keypoints": place.skeleton.points,
                "right_hand_keypoints": place.skeleton.right_hand,
                "left_hand_keypoints": place.skeleton.left_hand,
                "face_keypoints": place.skeleton.face,
            }
            for place in pose.places
        ]
        document = {
            "name": name,
            "title": title,
            "description": description,
            "size": pose.size,
            "tags": tags,
            "places": tuple(places),
        }
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise TemplateError(describe_error(error, template_schema(), source="the template")) from error

    def to_json(self) -> str:
        """The template's file, laid out to be read: what is as by default is left out."""
        return template_text(self.model_dump(mode="json", exclude_defaults=True))

    @property
    def people(self) -> int:
        """How many people the template is made for: its places without those of extras."""
        return sum(not place.extra for place in self.places)

    def pose(self, *, beyond: bool = False) -> Pose:
        """The skeletons on the template's canvas, in the order of the places.

        Args:
            beyond: whether with what bodies have beyond the canvas's edge, up to four canvases away.

        Raises:
            TemplateError: when a body's hand cannot reach where it should.
        """
        places: list[Place] = []
        for index, place in enumerate(self.places):
            try:
                skeleton = place.skeleton(self.size, beyond=beyond)
            except ValueError as error:
                raise TemplateError(f"places.{index}.body: {error}.") from error
            places.append(Place(skeleton, depth=place.depth, role=place.role, extra=place.extra))
        return Pose(self.size, tuple(places))


def template_names() -> list[str]:
    """The names of the library's templates, in alphabetical order.

    Raises:
        TemplateError: when the installation lacks the library.
    """
    return sorted(path.stem for path in _library().glob("*.json"))


@cache
def library_templates() -> tuple[Template, ...]:
    """The library's templates, in alphabetical order of their names; read and checked once in a process.

    Raises:
        TemplateError: when the installation lacks the library, or one of them is damaged.
    """
    return tuple(load_template(name) for name in template_names())


def load_template(name_or_path: str | Path) -> Template:
    """A template of the library by its name, or any other by the path of its JSON file.

    Raises:
        TemplateError: when there is none of that name (the nearest are named), the file is absent or does not follow
            the format (see `template_schema`), or its pose has a fault (see `poses.checks.find_faults`).
    """
    path = Path(name_or_path)
    if path.suffix != ".json" and len(path.parts) <= 1:
        names = template_names()
        if str(name_or_path) not in names:
            raise TemplateError(
                f"Expected a template's name or the path of a .json file, but there is no template "
                f"'{name_or_path}'{suggest(str(name_or_path), names)}"
            )
        path = _library() / f"{name_or_path}.json"
    try:
        text = path.read_bytes().removeprefix(BOM_UTF8)  # with which some editors begin a file
    except (OSError, ValueError) as error:  # ValueError: no name that a file can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise TemplateError(f"{path}: expected a template, but it cannot be read: {reason}.") from error
    try:
        template = Template.model_validate_json(text)
    except ValidationError as error:
        raise TemplateError(describe_error(error, template_schema(), source=path)) from error
    try:
        faults = find_faults(template.pose())
    except TemplateError as error:
        raise TemplateError(f"{path}: {error}") from error
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise TemplateError(f"{path}: {faults[0]}{more}.")
    return template


def templates_for(people: int) -> list[str]:
    """Names of the library's templates with at least that many places, those with fewest to spare first.

    Extras' places are not counted as to spare. Templates where people must take some come last, those where fewest do
    first.
    """
    fitting = [template for template in library_templates() if len(template.places) >= people]
    fitting.sort(key=lambda template: (*spare_places(template, people), template.name))
    return [template.name for template in fitting]


def spare_places(template: Template, people: int) -> tuple[bool, int]:
    """How well a template suits so many people, the least best: whether any takes an extra's place, and how many spare
    places there are, or how many take an extra's."""
    return template.people < people, abs(template.people - people)


def template_schema() -> dict[str, Any]:
    """The format of a template file as a JSON schema."""
    return Template.model_json_schema()


def _library() -> Path:
    """The folder of the library: in the package when installed from a wheel, else beside the sources."""
    here = Path(__file__).resolve()
    for root in (here.parents[1], here.parents[3]):
        if (root / "pose_templates").is_dir():
            return root / "pose_templates"
    raise TemplateError("Expected the folder pose_templates beside the package, but it is missing: reinstall multiid.")
