"""What a recogniser's cosines mean, and the direction between several embeddings."""

import numpy as np
import pytest

from multiid.evaluation.likeness import likeness_of, mean_direction
from multiid.mini.faces import MiniFaces
from multiid.people.face_backends import InsightFaces


def test_every_recogniser_has_its_own_likeness() -> None:
    names = ["sface", str(MiniFaces().recogniser), str(InsightFaces.recogniser.fget(None))]  # type: ignore[attr-defined]
    known = [likeness_of(name) for name in names]
    assert known[0].same == 0.363
    assert len(set(known)) == 3
    assert likeness_of("somebody's own") not in known
    for likeness in (*known, likeness_of("")):
        # A face in the middle is no longer its own person's, and one at the person is; a blend is less like anybody.
        assert 0 < likeness.lean < 0.5
        assert 0 < likeness.blend < likeness.same < 1


def test_the_mean_of_embeddings_is_a_direction() -> None:
    """However long they are: (10, 0) and (0, 0.1) have the mean (1, 1) / root 2."""
    long, short = np.array([10, 0], np.float32), np.array([0, 0.1], np.float16)
    assert mean_direction([long, short]) == pytest.approx([0.5**0.5] * 2, abs=1e-3)
    assert mean_direction(iter([long])) == pytest.approx([1, 0])
    assert mean_direction([]) is None
