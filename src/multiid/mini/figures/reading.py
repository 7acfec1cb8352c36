"""What a picture of several people shows: their faces, one by one, and what the words asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from jaxtyping import Float64

from multiid.evaluation.likeness import mean_direction, read_reference
from multiid.evaluation.matching import faces_in_place
from multiid.mini.faces import MiniFaces
from multiid.mini.faces.networks import EMBEDDING
from multiid.mini.figures.judges import PlaceJudge, read_clothes
from multiid.mini.world.scene import Scene
from multiid.people.faces import Face

__all__ = ["Reading", "face_direction", "portraits_direction", "read_picture"]


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
        embeddings=np.stack([face_direction(face) for face in found]),
        attributes=tuple(None if face is None else next(read) for face in found),
        place=judge.read(pixels, truth),
        clothes=read_clothes(pixels, truth, place),
        strangers=len(all_found) - len(known),
    )


def face_direction(face: Face | None) -> Float64[np.ndarray, " channels"]:
    """The direction of a face's embedding, of length 1; not numbers without a face."""
    direction = None if face is None or face.embedding is None else mean_direction([face.embedding])
    return np.full(EMBEDDING, np.nan) if direction is None else direction


def portraits_direction(portraits: Sequence[PIL.Image.Image], faces: MiniFaces) -> Float64[np.ndarray, " channels"]:
    """The direction between the largest faces of somebody's portraits, of length 1; not numbers without any."""
    direction = read_reference(portraits, faces)
    return np.full(EMBEDDING, np.nan) if direction is None else direction
