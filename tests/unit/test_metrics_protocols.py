"""The published protocols, each worked out by hand, and what must hold of all of them."""

import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from multiid.evaluation.protocols import (
    fastcomposer_score,
    hungarian_score,
    identity_confidence,
    off_match_similarity,
)

NAN = math.nan
GREEDY_IS_WORSE = np.array([[0.9, 0.8], [0.7, 0.1]])
"""The most alike pair, 0.9, leaves 0.1 for the other; 0.8 with 0.7 is better in all."""


def test_fastcomposer_matches_the_most_alike_first() -> None:
    """0.9 first, then what is left: 0.1. The least of both counts."""
    assert fastcomposer_score(GREEDY_IS_WORSE) == pytest.approx(0.1)
    assert fastcomposer_score(GREEDY_IS_WORSE[::-1]) == pytest.approx(0.1)
    assert fastcomposer_score(GREEDY_IS_WORSE[:, ::-1]) == pytest.approx(0.1)  # whoever is named first
    assert fastcomposer_score(np.eye(3)) == 1


def test_fastcomposer_is_nothing_where_somebody_is_missing() -> None:
    assert fastcomposer_score(np.array([[0.9, 0.8]])) == 0
    assert fastcomposer_score(np.zeros((0, 2))) == 0
    assert fastcomposer_score(np.array([[0.9, 0.1], [0.1, -0.5]])) == 0  # nothing is below nothing
    assert fastcomposer_score(np.array([[0.9, NAN], [0.1, NAN]])) == 0  # somebody unknown


def test_fastcomposer_reads_as_many_faces_as_there_are_people() -> None:
    """The third face, the smallest, would be a better second person than the second face is."""
    faces = np.array([[0.9, 0.1], [0.2, 0.4], [0.0, 0.8]])
    assert fastcomposer_score(faces) == pytest.approx(0.4)


def test_hungarian_score_is_of_the_best_matching() -> None:
    """(0.8 + 0.7) / 2 = 0.75."""
    assert hungarian_score(GREEDY_IS_WORSE) == pytest.approx(0.75)
    assert hungarian_score(np.array([[0.9, 0.8]])) == pytest.approx(0.45)  # one face for two people
    # Two people and three faces: 0.9 and 0.8, whatever the third face is.
    assert hungarian_score(np.array([[0.9, 0.1], [0.2, 0.4], [0.0, 0.8]])) == pytest.approx(0.85)
    assert hungarian_score(np.zeros((0, 2))) == 0
    assert hungarian_score(np.eye(4)) == 1


def test_off_match_is_of_all_that_is_not_matched() -> None:
    """0.8 and 0.7 are matched, 0.9 and 0.1 are not: 0.5. With a third face six entries less two."""
    assert off_match_similarity(GREEDY_IS_WORSE) == pytest.approx(0.5)
    faces = np.array([[0.9, 0.1], [0.2, 0.4], [0.0, 0.8]])
    assert off_match_similarity(faces) == pytest.approx((0.1 + 0.2 + 0.4 + 0.0) / 4)
    assert off_match_similarity(np.eye(3)) == 0
    assert off_match_similarity(np.ones((2, 2))) == 1  # everybody is everybody
    assert math.isnan(off_match_similarity(np.array([[0.9]])))
    assert math.isnan(off_match_similarity(np.zeros((0, 2))))


def test_identity_confidence_is_the_lead_over_the_next_face() -> None:
    """First person (0.8 - 0.2) / 0.8 = 0.75, second (0.5 - 0.4) / 0.5 = 0.2; mean 0.475."""
    assert identity_confidence(np.array([[0.8, 0.4], [0.2, 0.5]])) == pytest.approx(0.475)
    # The next face is unlike (-0.5): 1.3 / 0.8 counts as 1. Nobody is like the second person: 0.
    assert identity_confidence(np.array([[0.8, -0.1], [-0.5, -0.2]])) == pytest.approx(0.5)
    assert identity_confidence(np.ones((2, 2))) == 0
    assert identity_confidence(np.eye(3)) == 1
    assert math.isnan(identity_confidence(np.array([[0.8, 0.4]])))


@hypothesis.given(st.data(), st.integers(1, 4), st.integers(0, 5))
@hypothesis.settings(max_examples=60)
def test_it_does_not_matter_who_is_named_first(data: st.DataObject, people: int, faces: int) -> None:
    likeness = data.draw(arrays.arrays(np.float64, (faces, people), elements=st.floats(-1, 1), unique=True))
    order = data.draw(st.permutations(range(people)))
    turned = likeness[:, list(order)]
    for metric, least in (
        (fastcomposer_score, 0),
        (hungarian_score, -1),
        (off_match_similarity, -1),
        (identity_confidence, 0),
    ):
        value = metric(likeness)
        assert metric(turned) == pytest.approx(value, nan_ok=True), metric
        assert math.isnan(value) or least - 1e-9 <= value <= 1 + 1e-9, metric
    if faces == people:
        # The greedy matching is one of those that the best is chosen from.
        assert fastcomposer_score(likeness) <= max(hungarian_score(likeness), 0) + 1e-9
