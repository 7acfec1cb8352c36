"""What is seen in one picture of a suite, and the file that keeps it beside the picture."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64

from multiid.geometry import Box
from multiid.people.faces import Face
from multiid.people.tensorfile import write_tensors
from multiid.pipeline.kept import recall_tensors

__all__ = ["Reading", "keep_reading", "recall_reading"]

_BOX = 4
_LANDMARKS = 5


@dataclass(frozen=True, eq=False)
class Reading:
    """What is seen in one picture of a group.

    Attributes:
        names: of the people, from left to right.
        references: for each of them the direction between the judge's embeddings of their kept photos, of length 1;
            not numbers where it saw no face in any.
        places: where each one's face should be; None where the pose does not say.
        wanted: faces that there should be, those of extras among them.
        faces: found in the picture, the largest first.
        seed: of the group.
        seconds: that the picture took.
        tries: how many pictures were made for it, of which it is the best.
        values: metrics that were measured on the picture itself, by name.
        unmade: why there is no picture, where there is none.
    """

    names: tuple[str, ...]
    references: Float64[np.ndarray, "people channels"] = field(repr=False)
    places: tuple[Box | None, ...]
    wanted: int
    faces: tuple[Face, ...]
    seed: int
    seconds: float
    tries: int = 1
    values: Mapping[str, float] = field(default_factory=dict[str, float])
    unmade: str | None = None

    @property
    def embeddings(self) -> Float64[np.ndarray, "faces channels"]:
        """Of the faces, in their order; not numbers where one has none."""
        unknown = np.full(self.references.shape[1], np.nan)
        rows = [unknown if face.embedding is None else face.embedding.astype(np.float64) for face in self.faces]
        return np.stack(rows) if rows else np.zeros((0, len(unknown)))


def keep_reading(reading: Reading, picture: Path, *, stamp: str) -> None:
    """Writes what is seen in a picture beside it, whole or not at all.

    Args:
        reading: what is seen.
        picture: its file, which is there already unless it cannot be made.
        stamp: tells what it was made and read with.

    Raises:
        OutputError: when it cannot be written.
    """
    channels = reading.references.shape[1]
    faces = reading.faces
    arrays = {
        "references": reading.references,
        "places": np.array([place.corners if place else [math.nan] * _BOX for place in reading.places]),
        "boxes": np.array([face.box.corners for face in faces]).reshape(-1, _BOX),
        "landmarks": np.array([face.landmarks for face in faces]).reshape(-1, _LANDMARKS, 2),
        "scores": np.array([face.score for face in faces]),
        "embeddings": _float32(reading.embeddings).reshape(-1, channels),
    }
    about: dict[str, Any] = {
        "stamp": stamp,
        "picture": None if reading.unmade else _digest(picture),
        "names": reading.names,
        "wanted": reading.wanted,
        "seed": reading.seed,
        "seconds": round(reading.seconds, 2),
        "tries": reading.tries,
        "values": {name: value for name, value in reading.values.items() if math.isfinite(value)},
        "unmade": reading.unmade,
    }
    write_tensors(_beside(picture), {name: torch.from_numpy(array) for name, array in arrays.items()}, about)


def recall_reading(picture: Path, *, stamp: str) -> Reading | None:
    """What an earlier run saw in a picture.

    None where it saw nothing or was made or read with something else, and where the picture is absent or another.
    """
    kept = recall_tensors(_beside(picture), stamp=stamp)
    if kept is None:
        return None
    tensors, about = kept
    if about["picture"] is not None and about["picture"] != _digest(picture):
        return None
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    rows = zip(arrays["boxes"], arrays["landmarks"], arrays["scores"], arrays["embeddings"], strict=True)
    return Reading(
        names=tuple(about["names"]),
        references=arrays["references"],
        places=tuple(None if np.isnan(corners).any() else Box(*map(float, corners)) for corners in arrays["places"]),
        wanted=about["wanted"],
        faces=tuple(_face(*row) for row in rows),
        seed=about["seed"],
        seconds=about["seconds"],
        tries=about["tries"],
        values=about["values"],
        unmade=about["unmade"],
    )


def _face(
    box: Float64[np.ndarray, "4"],
    landmarks: Float64[np.ndarray, "5 2"],
    score: Any,
    embedding: Float32[np.ndarray, " channels"],
) -> Face:
    known = None if np.isnan(embedding).any() else embedding
    return Face(Box(*map(float, box)), tuple((float(x), float(y)) for x, y in landmarks), float(score), known)


def _float32(array: Float64[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
    return array.astype(np.float32)


def _beside(picture: Path) -> Path:
    return picture.with_suffix(".safetensors")


def _digest(picture: Path) -> str | None:
    """SHA-256 of a picture's file; None where there is none."""
    try:
        return hashlib.sha256(picture.read_bytes()).hexdigest()
    except OSError:
        return None
