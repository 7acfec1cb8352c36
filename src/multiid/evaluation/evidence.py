"""What is known of a picture's faces and the people asked for, and the decisions that rest on it alone.

`matching.match_faces` says in words what the rules are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.optimize import linear_sum_assignment

from multiid.evaluation.likeness import Likeness

__all__ = ["Evidence"]

_LOOK_ALIKE = 0.8  # cosine of two references: a blend of the two is as like either as they are themselves
_TIE = 1e-6  # of a cosine
# What somebody's claim to a face is worth. Each is more than the next two together, with a cosine and a nearness added.
_THEIRS_IN_PLACE, _THEIRS_AT_NOBODYS, _OTHERS_IN_PLACE, _LEFT_OVER = 24.0, 12.0, 6.0, 3.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """Cosines and places of all people and faces, by number.

    Attributes:
        cosines: of each person's reference and each face; not numbers where either is not known.
        alike: the same of each two people.
        places: how near each face is to where each person's should be: 1 right there, 0 not at their place.
        placed: whether anything says where each person should be.
        likeness: how to read the cosines.
    """

    cosines: Float64[np.ndarray, "people faces"]
    alike: Float64[np.ndarray, "people people"]
    places: Float64[np.ndarray, "people faces"]
    placed: Sequence[bool]
    likeness: Likeness

    def assign(self) -> dict[int, int]:
        """The face of each person who has one: the assignment with the best claims in all."""
        scores = np.zeros(self.cosines.shape)
        for person, face in np.ndindex(*scores.shape):
            claim = self._claim(person, face)
            if claim:
                scores[person, face] = claim + np.nan_to_num(self.cosines[person, face]) + self.places[person, face]
        people, faces = linear_sum_assignment(scores, maximize=True)
        return {int(person): int(face) for person, face in zip(people, faces, strict=True) if scores[person, face]}

    def owner(self, face: int) -> int | None:
        """Whose a face clearly is, wherever it is; None where it is like nobody, or might be a blend."""
        nearest = self._nearest(face)
        clear = nearest is not None and self._lean(nearest, face) >= 1 - self.likeness.lean
        return nearest if clear else None

    def is_expected(self, person: int, face: int) -> bool:
        """Whether a face is at somebody's place; always, where they may be anywhere."""
        return bool(self.places[person, face] > 0) or not self.placed[person]

    def is_theirs(self, person: int, face: int) -> bool:
        """Whether a face is somebody's; where that cannot be told, whether it is clearly nobody else's."""
        if np.isnan(self.cosines[person, face]):
            return self.owner(face) is None
        if not self.is_expected(person, face):
            return self.owner(face) == person
        nearest = self._nearest(face)
        if nearest is None or self.cosines[person, face] < self.cosines[nearest, face] - _TIE:
            return False
        return self._lean(person, face, below=_LOOK_ALIKE) >= self.likeness.lean

    def _claim(self, person: int, face: int) -> float:
        """How good a claim to a face somebody has; 0 for none."""
        theirs, known = self.is_theirs(person, face), not np.isnan(self.cosines[person, face])
        if not self.is_expected(person, face):
            taken = bool((self.places[:, face] > 0).any())
            return 0.0 if not (theirs and known) else _LEFT_OVER if taken else _THEIRS_AT_NOBODYS
        if theirs:
            return _THEIRS_IN_PLACE if known or self.placed[person] else _LEFT_OVER
        return _OTHERS_IN_PLACE if self._is_mixed(person, face) else 0.0

    def _is_mixed(self, person: int, face: int) -> bool:
        """Whether a face that is not theirs is clearly somebody else's, or may be a blend of them and another."""
        nearest = self._nearest(face)
        if nearest == person:
            return True
        if not self.placed[person]:
            return False
        if self.owner(face) is not None:
            return True
        others = ~np.isnan(self.cosines[:, face]) & (np.arange(len(self.placed)) != person)
        both = self.cosines[person, face] + self.cosines[others, face]
        # The sum of two directions has this length.
        lengths = np.sqrt(np.maximum(2 + 2 * self.alike[person, others], _TIE))
        return bool((both / lengths >= self.likeness.blend).any())

    def _nearest(self, face: int) -> int | None:
        """Whom a face is like, and most; None where it is like nobody."""
        cosines = np.nan_to_num(self.cosines[:, face], nan=-1.0)
        return int(cosines.argmax()) if (cosines >= self.likeness.same).any() else None

    def _lean(self, person: int, face: int, *, below: float = 1 - _TIE) -> float:
        """How far a face lies from the middle between somebody and who else it is nearest to: 1 is at them.

        Those whose likeness to them is not below that are left out: nobody is blended with themselves.
        """
        others = self.alike[person] < below  # those who are not known are not
        leans = (self.cosines[person, face] - self.cosines[others, face]) / (1 - self.alike[person, others])
        return float(leans.min(initial=np.inf))
