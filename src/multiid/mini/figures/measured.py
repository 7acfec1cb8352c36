"""What came of one trial, and the file that keeps it until all trials are done."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float64

from multiid.evaluation import metrics
from multiid.mini.figures.reading import Reading
from multiid.mini.figures.trials import Trial
from multiid.people.tensorfile import write_tensors
from multiid.pipeline.kept import recall_tensors

__all__ = ["Measured", "keep_measured", "read_measured"]

_EMBEDDINGS, _PICTURES = "embeddings/", "pictures/"


@dataclass(frozen=True, eq=False)
class Measured:
    """What came of one trial.

    Attributes:
        trial: what was asked for.
        references: of each person, the recogniser's mean of portraits that the generator did not get.
        newcomer: the same of who comes in the swap test.
        readings: of the true render ("true"), of the autoencoder's round trip of it ("round trip") and of each
            variant's picture.
        errors: squared error of the round trip for each person's face, in steps of 256, a mean over its pixels.
        pictures: the true render and the variants' pictures; empty unless they were to be kept.
    """

    trial: Trial
    references: Float64[np.ndarray, "people channels"]
    newcomer: Float64[np.ndarray, " channels"]
    readings: Mapping[str, Reading]
    errors: Float64[np.ndarray, " faces"]
    pictures: Mapping[str, PIL.Image.Image]

    def hits(self, way: str) -> list[bool]:
        """Whether each person's face in a picture is nearer to its own person than to anybody else of the scene."""
        return list(metrics.nearest_own(metrics.likenesses(self.readings[way].embeddings, self.references)))


def keep_measured(measured: Measured, file: Path, *, stamp: str) -> None:
    """Writes what came of a trial, whole or not at all.

    Args:
        measured: what came of it.
        file: where to; its folder must exist.
        stamp: tells what it was measured with.

    Raises:
        OutputError: when the file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {
        "references": measured.references,
        "newcomer": measured.newcomer,
        "errors": measured.errors,
    }
    arrays |= {_EMBEDDINGS + way: reading.embeddings for way, reading in measured.readings.items()}
    arrays |= {_PICTURES + way: np.array(picture) for way, picture in measured.pictures.items()}
    about = {
        "stamp": stamp,
        # In a list, which keeps its order.
        "readings": [
            {
                "way": way,
                "attributes": reading.attributes,
                "place": reading.place,
                "clothes": reading.clothes,
                "strangers": reading.strangers,
            }
            for way, reading in measured.readings.items()
        ],
    }
    write_tensors(file, {name: torch.from_numpy(array) for name, array in arrays.items()}, about)


def read_measured(
    file: Path, trial: Trial, *, stamp: str, ways: Collection[str], pictures: bool = False
) -> Measured | None:
    """What was kept of a trial; None where nothing was, or not all that is wanted, or with something else.

    Args:
        file: where `keep_measured` wrote it.
        trial: of which it is.
        stamp: what it must have been measured with.
        ways: the readings it must have; others that it has are left out.
        pictures: whether it must have pictures.
    """
    kept = recall_tensors(file, stamp=stamp)
    if kept is None:
        return None
    tensors, about = kept
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    entries = {entry["way"]: entry for entry in about["readings"] if entry["way"] in ways}
    readings = {way: _reading(entry, arrays[_EMBEDDINGS + way]) for way, entry in entries.items()}
    shown = {way: PIL.Image.fromarray(arrays[_PICTURES + way]) for way in readings if _PICTURES + way in arrays}
    if readings.keys() != set(ways) or (pictures and not shown):
        return None
    return Measured(trial, arrays["references"], arrays["newcomer"], readings, arrays["errors"], shown)


def _reading(entry: Mapping[str, Any], embeddings: Float64[np.ndarray, "people channels"]) -> Reading:
    return Reading(
        embeddings=embeddings,
        attributes=tuple(entry["attributes"]),
        place=entry["place"],
        clothes=tuple(entry["clothes"]),
        strangers=entry["strangers"],
    )
