"""Identity metrics of one picture: how like everybody is who they should be, and how apart they are.

All are pure functions of cosines. A likeness matrix *by person* has a row for each person's own face (see
`matching.match_faces`) and a column for each person's reference, in one order; a row of a face that is missing is not
a number throughout, and so is the column of somebody whom the recogniser does not know. How a missing face counts is
said of each metric. `protocols` has the published protocols, which match faces themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from multiid.evaluation.matching import Matching
from multiid.people.faces import Face

__all__ = [
    "MultiSim",
    "complete_share",
    "count_accuracy",
    "likenesses",
    "matched_embeddings",
    "mixing_matrix",
    "multi_sim",
    "nearest_own",
    "own_likeness",
    "single_sim",
]

_UNKNOWN = -2.0  # less than any cosine
_ByPerson = Float[np.ndarray, "people people"]


@dataclass(frozen=True)
class MultiSim:
    """MultiSim and the two terms it adds up, which say different things.

    Attributes:
        own: how like everybody is who they should be: SingleSim, -1 to 1, higher is better.
        unlike: 1 less the mean likeness of the picture's faces to each other, 0 to 2. It rewards any two unlike
            faces, whoever they are, so it is best at what the references themselves have, not at its most.
    """

    own: float
    unlike: float

    @property
    def total(self) -> float:
        """MultiSim: -1 to 3, higher is better."""
        return self.own + self.unlike


def likenesses(
    faces: Float[np.ndarray, "faces channels"], others: Float[np.ndarray, "others channels"]
) -> Float64[np.ndarray, "faces others"]:
    """The cosines of faces' embeddings, of any length, with others'; rows that are not numbers stay so."""
    return _units(faces) @ _units(others).T


def matched_embeddings(
    matching: Matching, faces: Sequence[Face], *, channels: int
) -> Float64[np.ndarray, "people channels"]:
    """The embeddings of the faces that were matched with the people asked for, of length 1, in the people's order.

    Args:
        matching: whose face is whose.
        faces: those that were matched, with embeddings.
        channels: length of an embedding.

    Returns:
        Not numbers where a person is missing; a face that is mixed is its person's all the same.
    """
    by_box = {face.box: face.embedding for face in faces}
    own = np.full((len(matching.people), channels), np.nan)
    for row, match in zip(own, matching.people, strict=True):
        embedding = by_box.get(match.face) if match.face else None
        if embedding is not None:
            row[:] = embedding
    return _units(own)


def single_sim(likeness: _ByPerson) -> float:
    """SingleSim: the mean likeness of everybody's face to their own reference.

    `mean_i s(gen_i, ref_i)` over the people, -1 to 1, higher is better; a missing face counts as 0.

    Source: InstantFamily (arXiv 2404.19427), eq. 10.
    """
    return float(np.nan_to_num(np.diagonal(likeness), nan=0.0).mean())


def multi_sim(likeness: _ByPerson, among: _ByPerson) -> MultiSim:
    """MultiSim, with its two terms apart.

    `mean_i s(gen_i, ref_i) + 1 - mean_{i<j} s(gen_i, gen_j)`, -1 to 3, higher is better. A missing face counts as 0
    in the first term, and as alike (1) to every other in the second. One person alone has a second term of 1.

    Source: InstantFamily (arXiv 2404.19427), eq. 11, for two people; the means over people and over pairs are what
    makes it one for any number.

    Args:
        likeness: by person.
        among: of the same faces to each other.
    """
    pairs = np.nan_to_num(among, nan=1.0)[np.triu_indices(len(among), 1)]
    return MultiSim(own=single_sim(likeness), unlike=1 - float(pairs.mean()) if len(pairs) else 1.0)


def nearest_own(likeness: Float[np.ndarray, "faces people"]) -> tuple[bool, ...]:
    """Whether each face is nearer to the person of its own number than to any other.

    The share of faces that are is from 0 to 1, higher is better; a missing face is not, nor is one that is as near to
    somebody else. A picture of one person says no more than that a face is there.

    Source: recognition at rank 1 among the people of the picture; this project's headline figure.

    Args:
        likeness: by person, with further columns where there are more people to be taken for.
    """
    filled = np.nan_to_num(likeness.astype(np.float64), nan=_UNKNOWN)
    own = np.diagonal(filled).copy()
    np.fill_diagonal(filled, _UNKNOWN)
    others = filled.max(axis=1, initial=_UNKNOWN)
    return tuple((own > others).tolist())


def mixing_matrix(pictures: Sequence[_ByPerson]) -> Float64[np.ndarray, "people people"]:
    """The mean likeness of the face at each place (rows) to each person (columns), over pictures.

    The pictures must have as many people each, in an order that means something, such as from left to right. From -1
    to 1; high on the diagonal and low elsewhere is better. Missing faces are left out; what was never seen is not a
    number.

    Source: the confusion matrix of recognition, with cosines in place of counts.
    """
    stack = np.stack(pictures).astype(np.float64)
    seen = ~np.isnan(stack)
    counts = seen.sum(axis=0)
    totals = np.where(seen, stack, 0.0).sum(axis=0)
    return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)


def own_likeness(
    faces: Float[np.ndarray, "faces channels"], references: Float[np.ndarray, "faces channels"]
) -> Float64[np.ndarray, " faces"]:
    """How like each face is to the reference of its own number, -1 to 1, higher is better; 0 where one is missing.

    With the faces of another picture for references it says how little has changed.
    """
    return np.nan_to_num(np.einsum("fc,fc->f", _units(faces), _units(references)), nan=0.0)


def count_accuracy(found: Sequence[int], wanted: Sequence[int]) -> float:
    """The share of pictures with as many faces as people were asked for.

    From 0 to 1, higher is better; not a number without pictures. It says nothing of whose faces they are.

    Source: MultiHuman-TestBench (arXiv 2506.20879).

    Args:
        found: faces in each picture.
        wanted: people asked for in each, extras included.
    """
    return float(np.mean([one == other for one, other in zip(found, wanted, strict=True)])) if found else float("nan")


def complete_share(matchings: Sequence[Matching]) -> float:
    """The share of pictures in which everybody is there once and nobody is mixed (`Matching.is_complete`).

    From 0 to 1, higher is better; not a number without pictures.

    Source: this project's own; the strictest of its figures.
    """
    return float(np.mean([matching.is_complete for matching in matchings])) if matchings else float("nan")


def _units(rows: Float[np.ndarray, "rows channels"]) -> Float64[np.ndarray, "rows channels"]:
    """Rows at length 1; zeros, which have no direction, become not numbers."""
    rows = rows.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, np.nan)
