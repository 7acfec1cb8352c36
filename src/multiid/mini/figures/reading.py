"""What a picture of several people shows: their faces, one by one, and what the words asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from jaxtyping import Float64

from multiid.geometry import Box
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.judges import PlaceJudge, read_clothes
from multiid.mini.world.scene import Scene
from multiid.people.faces import Face

__all__ = ["Reading", "faces_in_place", "mean_direction", "read_picture"]

_FARTHEST = 0.5  # of a face's width, between where a face should be and where it is


@dataclass(frozen=True, eq=False)
class Reading:
    """What one picture shows of a scene's people.

    Attributes:
        embeddings: of each person's face, of length 1; not numbers where none was found.
        attributes: of each person's face, by name; None where no face was found.
        place: the place, a key of `words.PLACES`.
        clothes: each person's colour; None where it cannot be told.
    """

    embeddings: Float64[np.ndarray, "people channels"]
    attributes: tuple[Mapping[str, str] | None, ...]
    place: str
    clothes: tuple[str | None, ...]


def read_picture(
    picture: PIL.Image.Image, truth: Scene, place: str, *, faces: MiniFaces, judge: PlaceJudge, channels: int
) -> Reading:
    """Reads a picture of a scene.

    Args:
        picture: of the true render's size.
        truth: the true render, which says where everybody is.
        place: where the scene was meant to be, a key of `words.PLACES`.
        faces: finds and reads faces.
        judge: tells places.
        channels: how many numbers an embedding has.
    """
    found = faces_in_place([person.face for person in truth.people], faces.analyze(picture))
    embeddings = np.full((len(found), channels), np.nan)
    for row, face in zip(embeddings, found, strict=True):
        if face is not None and face.embedding is not None:
            row[:] = face.embedding / np.linalg.norm(face.embedding)
    pixels = np.asarray(picture)
    return Reading(
        embeddings=embeddings,
        attributes=tuple(None if face is None else faces.read_attributes(picture, face.box) for face in found),
        place=judge.read(pixels, truth),
        clothes=read_clothes(pixels, truth, place),
    )


def faces_in_place(expected: Sequence[Box | None], found: Sequence[Face]) -> list[Face | None]:
    """For each place the face that is nearest to it, or None where none is nearer than half the face's width.

    A face belongs to the one place that it is nearest to.
    """
    chosen: list[Face | None] = [None] * len(expected)
    places = [(index, box) for index, box in enumerate(expected) if box is not None]
    pairs = sorted(
        (
            (_distance(box, face.box) / box.width, index, number)
            for index, box in places
            for number, face in enumerate(found)
        ),
    )
    taken: set[int] = set()
    for distance, index, number in pairs:
        if distance <= _FARTHEST and chosen[index] is None and number not in taken:
            chosen[index] = found[number]
            taken.add(number)
    return chosen


def _distance(one: Box, other: Box) -> float:
    (x, y), (other_x, other_y) = one.centre, other.centre
    return float(np.hypot(x - other_x, y - other_y))


def mean_direction(embeddings: Sequence[Float64[np.ndarray, " channels"]]) -> Float64[np.ndarray, " channels"]:
    """The direction between several embeddings, of length 1."""
    total = np.sum([embedding / np.linalg.norm(embedding) for embedding in embeddings], axis=0)
    return total / np.linalg.norm(total)
