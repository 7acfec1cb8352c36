"""Faces in a photo: what a face analyzer gives, which one it is, and which of several faces is meant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from PIL import Image

from multiid.errors import FaceError, NoFaceError, SeveralFacesError
from multiid.geometry import Box

__all__ = ["Face", "FaceAnalyzer", "PhotoCheck", "choose_face", "face_analyzer"]


@dataclass(frozen=True)
class Face:
    """One face found in a picture.

    Attributes:
        box: around the face, in pixels, within the picture.
        landmarks: five (x, y) points in pixels, within the picture: right eye, left eye, nose tip, right and left
            corner of the mouth. Right and left are the person's own: the right eye of somebody who faces the
            camera is on the left of the picture.
        score: the detector's confidence, 0 to 1.
        embedding: what the recogniser makes of the face, as it comes (not normalised), or None without one. Two
            embeddings of one recogniser are compared by their cosine.

    Raises:
        ValueError: when there are not exactly five landmarks.
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...]
    score: float
    embedding: Float[np.ndarray, " channels"] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.landmarks) != 5:
            raise ValueError(f"Expected five landmarks, but got {len(self.landmarks)}.")


@runtime_checkable
class FaceAnalyzer(Protocol):
    """Finds the faces of a picture, and where it has a recogniser, tells what makes each one that person's.

    Each picture is read by itself: no picture changes how the next one is read, and threads may share an analyzer.
    """

    @property
    def recogniser(self) -> str | None:
        """The name of the recogniser whose embeddings the faces carry ("sface"), or None where there is none.

        Embeddings of differently named recognisers cannot be compared.
        """
        ...

    def analyze(self, image: Image.Image) -> list[Face]:
        """The faces of an upright picture of any size, the largest first; an empty list where there are none."""
        ...


@runtime_checkable
class PhotoCheck(Protocol):
    """What a face analyzer has beside `analyze` where identities can be made of one kind of picture alone."""

    def check_photo(self, image: Image.Image, *, photo: str) -> None:
        """Refuses a picture of another kind.

        Args:
            image: an upright picture of any size.
            photo: what to call it in the message.

        Raises:
            PhotoError: when it is of another kind; the message says what to use for it.
        """
        ...


def choose_face(faces: Sequence[Face], *, several: Literal["largest", "refuse"] = "largest", photo: str) -> Face:
    """The one face that is meant, of those found in a photo.

    Args:
        faces: what an analyzer found, in any order.
        several: with more than one face, take the largest (users mean the person in front, not the face that a
            detector is surest of) or refuse.
        photo: what to call the photo in messages.

    Raises:
        NoFaceError: when there is no face.
        SeveralFacesError: when there are several and `several` is "refuse".
    """
    if not faces:
        raise NoFaceError(
            f"Expected a face in {photo}, but found none; use a sharp photo that shows the face upright and from "
            "the front."
        )
    if len(faces) > 1 and several == "refuse":
        raise SeveralFacesError(
            f"Expected one face in {photo}, but found {len(faces)}; crop the photo to one person, or ask for the "
            "largest face."
        )
    return max(faces, key=lambda face: face.box.area)


def face_analyzer(name: str, *, recognise: bool | None = None) -> FaceAnalyzer:
    """The face analyzer of that name.

    Args:
        name: "opencv" (YuNet and SFace, free to use) or "insightface" (for non-commercial research only; what the
            V2 encoder needs).
        recognise: for "opencv", whether faces carry embeddings; see OpenCVFaces. "insightface" always gives them.

    Raises:
        FaceError: when there is no analyzer of that name.
        MissingExtraError, ModelFileError: as the analyzer itself.
    """
    from multiid.people.face_backends import InsightFaces, OpenCVFaces

    if name == "opencv":
        return OpenCVFaces(recognise=recognise)
    if name == "insightface":
        return InsightFaces()
    raise FaceError(f"Expected the face analyzer 'opencv' or 'insightface', but got {name!r}.")
