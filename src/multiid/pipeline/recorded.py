"""What a recipe keeps of people, poses and pictures to start from, and how these come back from it."""

import base64
import hashlib
import io
from collections.abc import Mapping
from dataclasses import replace

import PIL.Image
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from multiid.errors import RecipeError
from multiid.geometry import Box, Point, Size
from multiid.people.identity import Identity
from multiid.pipeline.anchor import Anchor
from multiid.pipeline.init_image import InitImage
from multiid.pipeline.scene import Person
from multiid.poses.skeleton import Place, Points, Pose, Skeleton
from multiid.regions import Claim, Region, build_regions

__all__ = ["STRICT", "RecordedInit", "RecordedPerson", "RecordedPose"]

STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
"""How records are read: nothing but what they know."""

_RecordedPoints = tuple[tuple[float, float] | None, ...]


class RecordedPerson(BaseModel):
    """One person of a picture, by name, noun and fingerprint."""

    model_config = STRICT

    name: str
    noun: str
    fingerprint: str
    phrase: str
    strength: float
    place: int | None = None
    box: tuple[float, float, float, float] | None = None
    mask: str | None = Field(None, description="a painted mask at the picture's size, as PNG in base64")
    anchor: str | None = Field(None, description="digest of the anchor that the person kept to")
    consistency: float | None = Field(None, description="how strongly, where there was one")

    @classmethod
    def of(cls, person: Person, size: Size) -> "RecordedPerson":
        """What is kept of a person in a picture of that size."""
        region = person.region
        return cls(
            name=person.identity.name,
            noun=person.identity.noun,
            fingerprint=person.identity.fingerprint,
            phrase=person.phrase,
            strength=person.strength,
            place=person.place,
            box=region.corners if isinstance(region, Box) else None,
            mask=None if region is None or isinstance(region, Box) else _mask_to_text(region, size),
            anchor=None if person.anchor is None else person.anchor.digest,
            consistency=None if person.anchor is None else person.consistency,
        )

    def person(self, identity: Identity, size: Size, anchors: Mapping[str, Anchor]) -> Person:
        """The person again, with an anchor from those by digest; damage raises what Pillow raises, or a ValueError."""
        # The noun of this picture, should the file by now have another.
        named = replace(identity, name=self.name, noun=self.noun)
        person = Person(named, self.phrase, self.strength, self.region(size), self.place)
        if self.anchor is None or self.consistency is None:
            return person
        return replace(person, anchor=anchors[self.anchor], consistency=self.consistency)

    def region(self, size: Size) -> Region | None:
        """The box or mask that was given in place of the pose's region; damage raises as in `person`."""
        if self.box is not None:
            return Box(*self.box)
        return None if self.mask is None else _mask_from_text(self.mask, size)


class _RecordedPlace(BaseModel):
    model_config = STRICT

    keypoints: _RecordedPoints
    right_hand: _RecordedPoints | None = None
    left_hand: _RecordedPoints | None = None
    face: _RecordedPoints | None = None
    depth: float
    role: str
    extra: bool = False


class RecordedPose(BaseModel):
    """The skeletons of a picture."""

    model_config = STRICT

    size: tuple[PositiveInt, PositiveInt]
    places: tuple[_RecordedPlace, ...]

    @classmethod
    def of(cls, pose: Pose) -> "RecordedPose":
        """What is kept of a pose: all of it."""
        return cls(
            size=(pose.size.width, pose.size.height),
            places=tuple(
                _RecordedPlace(
                    keypoints=place.skeleton.points,
                    right_hand=place.skeleton.right_hand,
                    left_hand=place.skeleton.left_hand,
                    face=place.skeleton.face,
                    depth=place.depth,
                    role=place.role,
                    extra=place.extra,
                )
                for place in pose.places
            ),
        )

    def pose(self) -> Pose:
        """The pose again; damage raises a ValueError."""
        return Pose(Size(*self.size), tuple(_place(place) for place in self.places))


class RecordedInit(BaseModel):
    """How a picture was made from another one, and a checksum by which to know that one again."""

    model_config = STRICT

    strength: float
    mask: str | None = Field(None, description="what was painted anew at the picture's size, as PNG in base64")
    people: tuple[str, ...] = ()
    pixels: str = Field(description="SHA-256 of the picture's size and RGB values")

    @classmethod
    def of(cls, init: InitImage) -> "RecordedInit":
        """What is kept of a picture to start from."""
        return cls(
            strength=init.strength,
            mask=None if init.mask is None else _mask_to_text(init.mask, init.size),
            people=tuple(init.people),
            pixels=_checksum(init.image),
        )

    def init(self, picture: PIL.Image.Image | None) -> InitImage:
        """The same start; damage raises what Pillow raises, or a ValueError.

        Raises:
            RecipeError: when that is not the picture.
        """
        if picture is None or _checksum(picture) != self.pixels:
            came = "none was given" if picture is None else "another one came"
            raise RecipeError(f"Expected the very picture that this one was made from, but {came}: name it.")
        mask = None if self.mask is None else _mask_from_text(self.mask, Size(*picture.size))
        return InitImage(picture, self.strength, mask, self.people)


def _place(recorded: _RecordedPlace) -> Place:
    details = (recorded.right_hand, recorded.left_hand, recorded.face)
    skeleton = Skeleton(_points(recorded.keypoints), *(None if part is None else _points(part) for part in details))
    return Place(skeleton, recorded.depth, recorded.role, recorded.extra)


def _points(recorded: _RecordedPoints) -> Points:
    return tuple(None if point is None else Point(*point) for point in recorded)


def _checksum(picture: PIL.Image.Image) -> str:
    return hashlib.sha256(f"{picture.size}".encode() + picture.convert("RGB").tobytes()).hexdigest()


def _mask_to_text(mask: Region, size: Size) -> str:
    """Which pixels a mask of any kind gives the person: nothing else of it is kept, such as a colour profile."""
    pixels = build_regions([Claim(person=0, region=mask)], size, people=1)[0].bool().numpy()
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _mask_from_text(text: str, size: Size) -> PIL.Image.Image:
    """The mask again; one of another size is refused before its pixels are unpacked."""
    mask = PIL.Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"])
    if mask.size != size:
        raise ValueError(f"a mask is of {Size(*mask.size)} pixels, the picture of {size}")
    mask.load()
    return mask
