"""Identity metrics of one picture, each worked out by hand, and what must hold of all of them."""

import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from multiid import Box, Face
from multiid.evaluation.matching import Match, Matching, Wanted, match_faces
from multiid.evaluation.metrics import (
    MultiSim,
    complete_share,
    count_accuracy,
    likenesses,
    matched_embeddings,
    mixing_matrix,
    multi_sim,
    nearest_own,
    own_likeness,
    single_sim,
)

NAN = math.nan
LOST = (NAN, NAN, NAN)


def face(x: float, *embedding: float) -> Face:
    """A face of 10 pixels whose middle is at x."""
    return Face(Box(x - 5, 0, x + 5, 10), ((x, 5.0),) * 5, 1.0, np.array(embedding, np.float32))


def test_likenesses_are_cosines_of_embeddings_of_any_length() -> None:
    """(3, 4) has length 5, so its cosine with (1, 0) is 0.6 and with (0, 2) it is 0.8; no direction has no cosine."""
    faces, people = np.array([[3.0, 4.0], [NAN, NAN], [0.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 2.0]])
    got = likenesses(faces, people)
    assert got[0] == pytest.approx([0.6, 0.8])
    assert np.isnan(got[1:]).all()
    assert own_likeness(faces[:2], people) == pytest.approx([0.6, 0.0])  # the second face is missing


def test_single_sim() -> None:
    """(0.9 + 0.6) / 2 = 0.75; with the second face missing 0.9 / 2 = 0.45."""
    assert single_sim(np.array([[0.9, 0.1], [0.2, 0.6]])) == pytest.approx(0.75)
    assert single_sim(np.array([[0.9, 0.1], [NAN, NAN]])) == pytest.approx(0.45)
    assert single_sim(np.array([[0.9, NAN], [0.2, NAN]])) == pytest.approx(0.45)  # the second person is not known


def test_multi_sim_keeps_its_terms_apart() -> None:
    """Three faces: own (0.9 + 0.6 + 0.3) / 3 = 0.6; pairs 0.1, 0.2 and 0.6, so 1 - 0.9 / 3 = 0.7."""
    likeness = np.array([[0.9, 0.0, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 0.3]])
    among = np.array([[1.0, 0.1, 0.2], [0.1, 1.0, 0.6], [0.2, 0.6, 1.0]])
    got = multi_sim(likeness, among)
    assert (got.own, got.unlike, got.total) == pytest.approx((0.6, 0.7, 1.3))
    # Without the third face: (0.9 + 0.6) / 3 = 0.5; pairs 0.1, 1 and 1, so 1 - 2.1 / 3 = 0.3.
    likeness[2], among[2], among[:, 2] = NAN, NAN, NAN
    got = multi_sim(likeness, among)
    assert (got.own, got.unlike, got.total) == pytest.approx((0.5, 0.3, 0.8))
    assert multi_sim(np.array([[0.8]]), np.array([[1.0]])) == MultiSim(own=0.8, unlike=1.0)


def test_multi_sim_of_faces_that_are_all_one() -> None:
    """Everybody has the first person's face: the second term is nothing, though one of them is just right."""
    faces, people = np.tile([1.0, 0.0, 0.0], (3, 1)), np.eye(3)
    got = multi_sim(likenesses(faces, people), likenesses(faces, faces))
    assert (got.own, got.unlike) == pytest.approx((1 / 3, 0.0))
    perfect = multi_sim(likenesses(people, people), likenesses(people, people))
    assert (perfect.own, perfect.unlike) == pytest.approx((1.0, 1.0))


def test_nearest_own() -> None:
    likeness = np.array([[0.9, 0.1, 0.1], [0.7, 0.6, 0.1], LOST])
    assert nearest_own(likeness) == (True, False, False)
    assert nearest_own(np.array([[0.5, 0.5], [0.1, 0.2]])) == (False, True)  # as near to both is nobody's
    assert nearest_own(np.array([[NAN, 0.5], [NAN, 0.2]])) == (False, True)  # the first person is not known
    assert nearest_own(np.array([[0.3, 0.2, 0.4]])) == (False,)  # further people to be taken for
    assert nearest_own(np.array([[0.3]])) == (True,)
    assert nearest_own(np.array([[NAN]])) == (False,)


def test_mixing_matrix() -> None:
    """Top left (0.8 + 0.6) / 2 = 0.7, top right (0.2 + 0.4) / 2 = 0.3; below only the first picture has a face."""
    first, second = np.array([[0.8, 0.2], [0.1, 0.9]]), np.array([[0.6, 0.4], [NAN, NAN]])
    assert mixing_matrix([first, second]) == pytest.approx(np.array([[0.7, 0.3], [0.1, 0.9]]))
    assert np.isnan(mixing_matrix([second])[1]).all()


def test_counts_and_complete_pictures() -> None:
    """Two of four pictures have as many faces as people."""
    assert count_accuracy([2, 3, 2, 0], [2, 2, 2, 1]) == pytest.approx(0.5)
    assert math.isnan(count_accuracy([], []))
    whole, lacking, mixed = (
        Matching((Match("ada", "found"), Match("isaac", status)), (), 2, "mini")
        for status in ("found", "missing", "mixed")
    )
    assert complete_share([whole, lacking, mixed, whole]) == pytest.approx(0.5)
    assert math.isnan(complete_share([]))


def test_embeddings_of_those_who_were_matched() -> None:
    """Ada's face is Isaac's, Mary has none, and a stranger's face is nobody's."""
    wanted = [
        Wanted("ada", np.array([1.0, 0.0, 0.0]), Box(0, 0, 10, 10)),
        Wanted("mary", np.array([0.0, 0.0, 1.0]), Box(100, 0, 110, 10)),
        Wanted("isaac", np.array([0.0, 1.0, 0.0]), Box(200, 0, 210, 10)),
    ]
    faces = [face(205, 0, 5, 0), face(5, 0, 2, 0), face(300, 1, 1, 1)]
    matching = match_faces(faces, wanted, recogniser="mini")
    assert [match.status for match in matching.people] == ["mixed", "missing", "doubled"]
    got = matched_embeddings(matching, faces, channels=3)
    assert got[[0, 2]] == pytest.approx(np.array([[0, 1, 0], [0, 1, 0]]))
    assert np.isnan(got[1]).all()
    nothing = matched_embeddings(match_faces([], wanted, recogniser="mini"), [], channels=3)
    assert nothing.shape == (3, 3)
    assert np.isnan(nothing).all()
    unread = [Face(Box(0, 0, 10, 10), ((5.0, 5.0),) * 5, 1.0)]
    counted = matched_embeddings(match_faces(unread, wanted[:1], recogniser=None), unread, channels=3)
    assert np.isnan(counted).all()


def embeddings(people: int) -> st.SearchStrategy[np.ndarray]:
    """Directions in three dimensions, some of them missing."""
    numbers = st.floats(-1, 1, width=32).filter(lambda number: abs(number) > 1e-3)
    return st.tuples(
        arrays.arrays(np.float64, (people, 3), elements=numbers),
        st.lists(st.booleans(), min_size=people, max_size=people),
    ).map(lambda drawn: np.where(np.array(drawn[1])[:, None], np.nan, drawn[0]))


@hypothesis.given(st.data(), st.integers(1, 5))
@hypothesis.settings(max_examples=40)
def test_it_does_not_matter_who_is_named_first(data: st.DataObject, people: int) -> None:
    faces = data.draw(embeddings(people))
    references = np.nan_to_num(data.draw(embeddings(people)), nan=0.5)
    order = np.array(data.draw(st.permutations(range(people))))
    likeness, among = likenesses(faces, references), likenesses(faces, faces)
    turned = likenesses(faces[order], references[order])
    one, other = multi_sim(likeness, among), multi_sim(turned, likenesses(faces[order], faces[order]))
    assert (one.own, one.unlike) == pytest.approx((other.own, other.unlike))
    assert -1 - 1e-9 <= one.own <= 1 + 1e-9
    assert -1e-9 <= one.unlike <= 2 + 1e-9
    assert [nearest_own(likeness)[index] for index in order] == list(nearest_own(turned))
    assert mixing_matrix([likeness])[order][:, order] == pytest.approx(mixing_matrix([turned]), nan_ok=True)
