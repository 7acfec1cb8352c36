"""From what is seen in one picture to its metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from multiid.evaluation.matching import Matching, Wanted, match_faces
from multiid.evaluation.metrics import (
    MultiSim,
    likenesses,
    matched_embeddings,
    multi_sim,
    nearest_own,
)
from multiid.evaluation.protocols import (
    fastcomposer_score,
    hungarian_score,
    identity_confidence,
    off_match_similarity,
)
from multiid.suites.reading import Reading

__all__ = ["Measured", "measure"]


@dataclass(frozen=True, eq=False)
class Measured:
    """What one picture comes to; nothing where it could not be made.

    Attributes:
        reading: what is seen in it.
        recogniser: whose embeddings that are.
    """

    reading: Reading
    recogniser: str | None

    @cached_property
    def matching(self) -> Matching:
        """Whose face is whose."""
        reading = self.reading
        wanted = [
            Wanted(name, None if np.isnan(reference).any() else reference, face=place)
            for name, reference, place in zip(reading.names, reading.references, reading.places, strict=True)
        ]
        return match_faces(reading.faces, wanted, recogniser=self.recogniser)

    @cached_property
    def by_person(self) -> Float64[np.ndarray, "people people"]:
        """The likeness of each person's own face to everybody."""
        return likenesses(self._own, self.reading.references)

    @cached_property
    def multi_sim(self) -> MultiSim:
        """With its two terms."""
        return multi_sim(self.by_person, likenesses(self._own, self._own))

    @cached_property
    def all_faces(self) -> Float64[np.ndarray, "faces people"]:
        """The likeness of every face to everybody."""
        return likenesses(self.reading.embeddings, self.reading.references)

    @property
    def score(self) -> float:
        """How like the person who came off worst is to who they should be; 0 where somebody is missing."""
        return float(np.nan_to_num(np.diagonal(self.by_person), nan=0.0).min())

    @property
    def caption(self) -> str:
        """Its seed, and what became of everybody."""
        told = [
            f"{match.name} {match.status}" + ("" if match.similarity is None else f" {match.similarity:.2f}")
            for match in self.matching.people
        ]
        strangers = len(self.matching.strangers)
        extra = [f"{strangers} stranger{'' if strangers == 1 else 's'}"] if strangers else []
        return f"seed {self.reading.seed}: {', '.join([*told, *extra])}"

    @cached_property
    def _own(self) -> Float64[np.ndarray, "people channels"]:
        return matched_embeddings(self.matching, self.reading.faces, channels=self.reading.references.shape[1])


_METRICS: Mapping[str, Callable[[Measured], float]] = {
    "nearest": lambda one: float(np.mean(nearest_own(one.by_person))),
    "found": lambda one: float(np.mean([match.status == "found" for match in one.matching.people])),
    "complete": lambda one: float(one.matching.is_complete),
    "count": lambda one: float(len(one.reading.faces) == one.reading.wanted),
    "single_sim": lambda one: one.multi_sim.own,
    "multi_sim": lambda one: one.multi_sim.total,
    "unlikeness": lambda one: one.multi_sim.unlike,
    "minimum": lambda one: fastcomposer_score(one.all_faces),
    "hungarian": lambda one: hungarian_score(one.all_faces),
    "off_match": lambda one: off_match_similarity(one.all_faces),
    "confidence": lambda one: identity_confidence(one.all_faces),
}


def measure(one: Measured, metric: str) -> float:
    """A metric of one picture; not a number where it could not be measured."""
    if one.reading.unmade is not None:
        return float("nan")
    if metric in _METRICS:
        return _METRICS[metric](one)
    return one.reading.values.get(metric, float("nan"))
