"""Metrics of whole pictures and cut-out faces, with an encoder: words, likeness to photos, diversity.

These are PhotoMaker's (arXiv 2312.04461, section 4). Each takes the encoder that is to judge; a report names it, for
figures of different encoders cannot be compared.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Protocol, runtime_checkable

import numpy as np
import PIL.Image
from jaxtyping import Float, Float64

from multiid.evaluation.encoders import ImageEncoder, TextImageEncoder
from multiid.evaluation.metrics import likenesses
from multiid.geometry import Box

__all__ = [
    "PictureDistance",
    "cut_face",
    "face_diversity",
    "face_similarity",
    "image_similarity",
    "text_similarity",
]

_MARGIN = 0.25  # of a face's box, at each side
_SIDE = 224  # pixels of a cut-out face, so that faces of all sizes count alike


@runtime_checkable
class PictureDistance(Protocol):
    """How unlike two pictures look."""

    @property
    def name(self) -> str:
        """What to call it in a report."""
        ...

    def distance(self, one: PIL.Image.Image, other: PIL.Image.Image) -> float:
        """0 for a picture and itself, more for unlike ones; both pictures are of one size."""
        ...


def text_similarity(
    images: Sequence[PIL.Image.Image], texts: Sequence[str], *, encoder: TextImageEncoder
) -> Float64[np.ndarray, " images"]:
    """CLIP-T: the cosine of each picture with the text of its own number.

    From -1 to 1, higher is better; CLIP's own seldom leave 0.15 to 0.35. PhotoMaker gives it in hundredths.

    Source: CLIPScore (arXiv 2104.08718) without its factor, as DreamBooth and PhotoMaker use it.
    """
    return np.einsum("ic,ic->i", encoder.encode_images(images), encoder.encode_texts(texts))


def image_similarity(
    images: Sequence[PIL.Image.Image], references: Sequence[PIL.Image.Image], *, encoder: ImageEncoder
) -> Float64[np.ndarray, " images"]:
    """CLIP-I with a CLIP encoder, the DINO score with a DINO encoder: each picture's mean cosine with the references.

    From -1 to 1, higher is better, but 1 is a copy: backgrounds and poses count as much as faces. A picture that the
    encoder cannot read is not a number; such references are left out.

    Source: DreamBooth (arXiv 2208.12242), section 4; PhotoMaker.
    """
    vectors = encoder.encode_images(references)
    known = vectors[~np.isnan(vectors).any(axis=1)]
    if not len(known):
        return np.full(len(images), np.nan)
    return (encoder.encode_images(images) @ known.T).mean(axis=1)


def face_similarity(
    faces: Float[np.ndarray, "faces channels"], references: Float[np.ndarray, "photos channels"]
) -> float:
    """PhotoMaker's face similarity: the mean cosine of one person's generated faces with each of their photos' faces.

    From -1 to 1, higher is better; a face that is missing (not numbers) counts as 0. SingleSim differs in comparing
    with one reference for each person, the direction between their photos.

    Source: PhotoMaker, with FaceNet as the recogniser; here any whose embeddings they are.
    """
    return float(np.nan_to_num(likenesses(faces, references), nan=0.0).mean())


def face_diversity(faces: Sequence[PIL.Image.Image], *, distance: PictureDistance) -> float:
    """PhotoMaker's face diversity: the mean distance of all pairs of faces made for one prompt and person.

    From 0 on, higher is better as long as faces stay alike (`face_similarity`): 0 is the same face in the same
    expression and pose each time. Not a number with fewer than two faces.

    Source: PhotoMaker, with LPIPS (`perceptual.LPIPS`) between faces.

    Args:
        faces: cut from pictures (`cut_face`), all of one size.
        distance: who compares them.
    """
    pairs = [distance.distance(one, other) for one, other in combinations(faces, 2)]
    return float(np.mean(pairs)) if pairs else float("nan")


def cut_face(image: PIL.Image.Image, face: Box, *, side: int = _SIDE) -> PIL.Image.Image:
    """A face with a quarter of its box around it, square, `side` pixels wide; beyond the picture it is black."""
    (x, y), half = face.centre, max(face.width, face.height) * (0.5 + _MARGIN)
    piece = image.convert("RGB").crop((round(x - half), round(y - half), round(x + half), round(y + half)))
    return piece.resize((side, side), PIL.Image.Resampling.BICUBIC)
