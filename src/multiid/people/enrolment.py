"""From a person's photos to their identity."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from multiid.errors import IdentityError
from multiid.people.adapter import Adapter
from multiid.people.faces import Face, FaceAnalyzer, PhotoCheck, choose_face
from multiid.people.identity import Identity, check_words
from multiid.people.photo import Photo

__all__ = ["encode_identity"]

# Photos looked at together: bounds memory for a folder of many.
_BATCH = 8

# What the published V2 encoder was trained on.
_V2_RECOGNISER = "insightface"


def encode_identity(
    name: str,
    noun: str,
    photos: Sequence[Photo],
    adapter: Adapter,
    *,
    faces: FaceAnalyzer | None = None,
    face_embeddings: Float[Tensor, "images dims"] | Float[np.ndarray, "images dims"] | None = None,
    several_faces: Literal["largest", "refuse"] = "largest",
) -> Identity:
    """Makes an identity; the encoder computes where it is, in its own dtype.

    Every photo counts: none is dropped silently. The whole photo goes to the encoder, uncropped, as in the
    reference.

    Args:
        name: what prompts call the person.
        noun: their class noun.
        photos: one to a few photos of the person.
        adapter: whose encoder to use.
        faces: with it every photo must show a face, and where it recognises, the face embeddings are kept. Where it
            is a `PhotoCheck` too, every photo must pass that.
        face_embeddings: for encoder V2: one raw InsightFace vector for each photo, instead of the analyzer's;
            encoder V1 does not use them.
        several_faces: take the largest face of a photo that shows several, or refuse it.

    Raises:
        IdentityError: when there is no photo, the name or noun cannot be used, or encoder V2 gets no fitting face
            embeddings.
        PhotoError: when the analyzer reads other kinds of picture only; the message names the photo.
        FaceError: when a photo shows no face, or several and these are refused; the message names the photo.
    """
    check_words(name, noun)
    if not photos:
        raise IdentityError(f"Expected at least one photo of {name}, but got none.")
    if face_embeddings is not None and len(face_embeddings) != len(photos):
        raise IdentityError(
            f"Expected one face embedding for each of {name}'s {len(photos)} photos, but got {len(face_embeddings)}."
        )
    if isinstance(faces, PhotoCheck):
        for photo in photos:
            faces.check_photo(photo.image, photo=photo.name)
    found: list[Face] = []
    if faces is not None:
        found = [choose_face(faces.analyze(photo.image), several=several_faces, photo=photo.name) for photo in photos]
    if face_embeddings is not None:
        face_vectors = torch.as_tensor(face_embeddings)
    elif adapter.encoder.needs_face_embeddings:
        face_vectors = _face_vectors(name, found, faces)
    else:
        face_vectors = None
    return Identity(name, noun, _embed(photos, adapter, face_vectors), adapter.fingerprint, _kept(found, faces))


@torch.no_grad()
def _embed(
    photos: Sequence[Photo], adapter: Adapter, face_vectors: Float[Tensor, "images dims"] | None
) -> Float[Tensor, "images tokens width"]:
    encoder = adapter.encoder
    parts: list[Tensor] = []
    for start in range(0, len(photos), _BATCH):
        batch = slice(start, start + _BATCH)
        pixels = encoder.preprocess([photo.image for photo in photos[batch]])
        parts.append(encoder.embed(pixels, None if face_vectors is None else face_vectors[batch]))
    return torch.cat(parts)


def _face_vectors(name: str, found: Sequence[Face], faces: FaceAnalyzer | None) -> Float[Tensor, "images dims"]:
    recogniser = faces.recogniser if faces is not None else None
    if recogniser is None or not recogniser.startswith(_V2_RECOGNISER):
        came = "there is no face analyzer" if faces is None else f"the analyzer's recogniser is {recogniser}"
        raise IdentityError(
            f"Expected InsightFace embeddings of {name}'s faces, which ID encoder V2 needs, but {came}: use the face "
            "analyzer 'insightface', pass face_embeddings, or use an adapter with encoder V1."
        )
    vectors = [face.embedding for face in found if face.embedding is not None]
    if len(vectors) < len(found):
        raise IdentityError(
            f"Expected an embedding of each of {name}'s {len(found)} faces from {recogniser}, but got {len(vectors)}."
        )
    return torch.from_numpy(np.stack(vectors))


def _kept(found: Sequence[Face], faces: FaceAnalyzer | None) -> dict[str, Tensor]:
    vectors = [face.embedding for face in found if face.embedding is not None]
    if faces is None or faces.recogniser is None or not vectors:
        return {}
    return {faces.recogniser: torch.from_numpy(np.stack(vectors)).float()}
