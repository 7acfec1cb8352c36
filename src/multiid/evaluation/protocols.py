"""Identity metrics as others have published them: each matches a picture's faces with the people in its own way.

They take the likeness of every face that was found (rows, the largest first, as analyzers give them) to every
person's reference (columns). There may be more faces than people, or fewer, or none. A column that is not a number,
of somebody whom the recogniser does not know, counts as 0.

None of them asks where a face is: somebody in another's place is as good as in their own. `metrics` has what does.
"""

import numpy as np
from jaxtyping import Float, Float64
from scipy.optimize import linear_sum_assignment

__all__ = ["fastcomposer_score", "hungarian_score", "identity_confidence", "off_match_similarity"]

_AllFaces = Float[np.ndarray, "faces people"]


def fastcomposer_score(likeness: _AllFaces) -> float:
    """FastComposer's identity preservation: the likeness of the person who came off worst.

    The pair of face and person that are most alike is matched first, then the most alike of those left; the score is
    the least of the matched likenesses, and 0 where that is negative or a face is missing. As many faces count as
    there are people, the first ones. From 0 to 1, higher is better.

    Source: FastComposer (arXiv 2305.10431), and `greedy_matching` of its published evaluation.
    """
    people = likeness.shape[1]
    scores = np.nan_to_num(likeness[:people].astype(np.float64), nan=0.0)
    if len(scores) < people:
        return 0.0
    least = np.inf
    for _ in range(people):
        face, person = np.unravel_index(int(scores.argmax()), scores.shape)
        least = min(least, float(scores[face, person]))
        scores[face, :] = scores[:, person] = -np.inf
    return max(least, 0.0)


def hungarian_score(likeness: _AllFaces) -> float:
    """MultiHuman-TestBench's identity similarity: the mean likeness in the best one-to-one matching.

    `1/N max over matchings of sum s(face, person)`, where a person without a face counts as 0. From -1 to 1, higher
    is better. Faces beyond the number of people cost nothing: its authors count those apart (`count_accuracy`).

    Source: MultiHuman-TestBench (arXiv 2506.20879) and its published evaluation.
    """
    filled, rows, columns = _match(likeness)
    return float(filled[rows, columns].sum() / likeness.shape[1])


def off_match_similarity(likeness: _AllFaces) -> float:
    """MultiID-Bench's blending: the mean likeness of faces to everybody but the person they are matched with.

    The mean of all entries outside of the best one-to-one matching, so extra faces count in full. From -1 to 1, lower
    is better, down to what the references have among themselves; not a number where there is no such entry, as in a
    picture of one person. Missing faces are left out, so read it beside a metric that counts them.

    Source: MultiID-Bench (WithAnyone, arXiv 2510.14975) and its published evaluation.
    """
    filled, rows, columns = _match(likeness)
    others = np.ones(filled.shape, bool)
    others[rows, columns] = False
    return float(filled[others].mean()) if others.any() else float("nan")


def identity_confidence(likeness: _AllFaces) -> float:
    """UMO's ID-Conf: by how much the face that is most like a person leaves the next one behind, a mean over people.

    For each person `min(1, (s_1 - s_2) / s_1)` with the two greatest likenesses of any faces to them, and 0 where s_1
    is not positive. From 0 to 1, higher is better; not a number with fewer than two faces, which its authors leave
    out. (They give it in hundredths.)

    Source: UMO (arXiv 2509.06818), and `id_conf` of its published evaluation.
    """
    if len(likeness) < 2:
        return float("nan")
    second, first = np.sort(np.nan_to_num(likeness.astype(np.float64), nan=0.0), axis=0)[-2:]
    margins = np.where(first > 0, np.minimum(1.0, (first - second) / np.where(first > 0, first, 1.0)), 0.0)
    return float(margins.mean())


def _match(likeness: _AllFaces) -> tuple[Float64[np.ndarray, "faces people"], np.ndarray, np.ndarray]:
    """The likenesses, what is not a number being 0, and the rows and columns of the best one-to-one matching."""
    filled = np.nan_to_num(likeness.astype(np.float64), nan=0.0)
    rows, columns = linear_sum_assignment(filled, maximize=True)
    return filled, rows, columns
