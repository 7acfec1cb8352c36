"""When two faces are one person's: what each recogniser's cosines mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from jaxtyping import Float, Float64

from multiid.people.faces import FaceAnalyzer

__all__ = ["Likeness", "likeness_of", "mean_direction", "read_reference"]


@dataclass(frozen=True)
class Likeness:
    """How to read a recogniser's cosines.

    Attributes:
        same: from which cosine on two faces are one person's.
        lean: how far a face must lie from the middle between its own person and somebody else, to be no blend of
            both: 0 is the middle, 1 the person, in units of half their distance.
        blend: from which cosine on with the direction midway between two people a face may be a blend of both.
    """

    same: float
    lean: float
    blend: float


_LEAN = 0.4  # an even blend is at 0, a person at 1; what is less even is rarer on either side
_BLEND = 0.76  # of `same`: blends are less like the middle between two people than a person's faces are like them
_KNOWN = {
    # The threshold that OpenCV's tutorial on recognition gives for SFace, the best on LFW.
    "sface": 0.363,
    # InsightFace's web demonstration of buffalo_l says of two faces from 0.28 on that they are the same person's.
    "insightface-buffalo_l": 0.28,
    # Chosen, like the two shares, on groups of tests/mishaps.py, of other seeds than those that are tested.
    "mini": 0.5,
}
_OTHER = 0.3


def likeness_of(recogniser: str) -> Likeness:
    """How to read the cosines of the recogniser of that name.

    Only `same` is published, or was measured, for each recogniser; for one that is not known it is a guess. Blends
    were measured for the miniature's alone: of the others it is supposed that theirs lie in the same proportions.
    """
    same = _KNOWN.get(recogniser, _OTHER)
    return Likeness(same=same, lean=_LEAN, blend=_BLEND * same)


def mean_direction(embeddings: Iterable[Float[np.ndarray, " channels"]]) -> Float64[np.ndarray, " channels"] | None:
    """The direction between several embeddings of one face, of length 1; None where there is none."""
    units = [embedding.astype(np.float64) / np.linalg.norm(embedding) for embedding in embeddings]
    if not units:
        return None
    total = np.sum(units, axis=0)
    return total / np.linalg.norm(total)


def read_reference(photos: Sequence[PIL.Image.Image], judge: FaceAnalyzer) -> Float64[np.ndarray, " channels"] | None:
    """What faces are compared with: the direction between the embeddings of the largest face in each of somebody's
    photos, of length 1; None where the judge knows none of them.
    """
    found = [judge.analyze(photo)[:1] for photo in photos]
    return mean_direction(face.embedding for faces in found for face in faces if face.embedding is not None)
