"""What a picture of several people shows: their faces, one by one, and what the words asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from jaxtyping import Float64

from multiid.geometry import Box
from multiid.mini.faces import MiniFaces
from multiid.mini.faces.networks import EMBEDDING
from multiid.mini.figures.judges import PlaceJudge, read_clothes
from multiid.mini.world.scene import Scene
from multiid.people.faces import Face

__all__ = ["Reading", "are_nearest", "faces_in_place", "mean_direction", "read_picture"]

_FARTHEST = 0.5  # of a face's width, between where a face should be and where it is
_UNKNOWN = -2.0  # less than any likeness


@dataclass(frozen=True, eq=False)
class Reading:
    """What one picture shows of a scene's people.

    Attributes:
        embeddings: of each person's face, of length 1; not numbers where none was found.
        attributes: of each person's face, by name; None where no face was found.
        place: the place, a key of `words.PLACES`.
        clothes: each person's colour; None where it cannot be told.
        strangers: how many faces were found that are nobody's.
    """

    embeddings: Float64[np.ndarray, "people channels"]
    attributes: tuple[Mapping[str, str] | None, ...]
    place: str
    clothes: tuple[str | None, ...]
    strangers: int


def read_picture(picture: PIL.Image.Image, truth: Scene, place: str, *, faces: MiniFaces, judge: PlaceJudge) -> Reading:
    """Reads a picture of a scene.

    Args:
        picture: of the true render's size.
        truth: the true render, which says where everybody is.
        place: where the scene was meant to be, a key of `words.PLACES`.
        faces: finds and reads faces.
        judge: tells places.
    """
    all_found = faces.analyze(picture)
    found = faces_in_place([person.face for person in truth.people], all_found)
    known = [face for face in found if face is not None]
    read = iter(faces.read_all(picture, [face.box for face in known]))
    pixels = np.asarray(picture)
    return Reading(
        embeddings=np.stack([mean_direction([] if face is None else [face]) for face in found]),
        attributes=tuple(None if face is None else next(read) for face in found),
        place=judge.read(pixels, truth),
        clothes=read_clothes(pixels, truth, place),
        strangers=len(all_found) - len(known),
    )


def faces_in_place(expected: Sequence[Box | None], found: Sequence[Face]) -> list[Face | None]:
    """For each place the face that is nearest to it, or None where none is nearer than half the face's width.

    No face is given to two places: the nearest pair is chosen first, then the nearest of those left.
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


def mean_direction(faces: Sequence[Face]) -> Float64[np.ndarray, " channels"]:
    """The direction between several faces' embeddings, of length 1; not numbers where there is no face."""
    embeddings = [face.embedding.astype(np.float64) for face in faces if face.embedding is not None]
    if not embeddings:
        return np.full(EMBEDDING, np.nan)
    total = np.sum([embedding / np.linalg.norm(embedding) for embedding in embeddings], axis=0)
    return total / np.linalg.norm(total)


def are_nearest(
    embeddings: Float64[np.ndarray, "faces channels"], references: Float64[np.ndarray, "people channels"]
) -> list[bool]:
    """Whether each face is nearer to the reference of its own number than to any other; not where none was found."""
    # Own and others from one matrix, so that ties are ties.
    likeness = np.nan_to_num(embeddings @ references.T, nan=_UNKNOWN)
    return [bool(row[index] > _UNKNOWN) and int(row.argmax()) == index for index, row in enumerate(likeness)]
