"""Faces matched with the people asked for, on embeddings and boxes whose verdict can be told by hand."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from conftest import needs
from hypothesis import strategies as st

from multiid import Box, Face, face_analyzer, load_photo
from multiid.evaluation.likeness import Likeness
from multiid.evaluation.matching import Matching, Wanted, match_faces

# The recogniser of these tests gives unrelated people unrelated directions.
ADA, BOB, CYD, DOT = np.eye(6)[:4]
NOBODY = np.eye(6)[5]
LIKENESS = Likeness(same=0.5, lean=0.4, blend=0.45)
WIDTH = 20.0
LEFT, MIDDLE, RIGHT, FAR = 50.0, 150.0, 250.0, 350.0


def at(x: float, y: float = 50.0, width: float = WIDTH) -> Box:
    """A face's box with its middle there."""
    return Box(x - width / 2, y - width / 2, x + width / 2, y + width / 2)


def face(x: float, *who: np.ndarray, y: float = 50.0, width: float = WIDTH) -> Face:
    """A face like all of `who` in equal parts; without anybody, one that has no embedding."""
    embedding = np.sum(who, axis=0).astype(np.float32) * 7 if who else None
    return Face(at(x, y, width), ((x, y),) * 5, 1.0, embedding)


def two() -> list[Wanted]:
    return [Wanted("ada", ADA, at(LEFT)), Wanted("bob", BOB, at(MIDDLE))]


def match(faces: Sequence[Face], wanted: Sequence[Wanted], recogniser: str | None = "ours") -> Matching:
    return match_faces(faces, wanted, recogniser=recogniser, likeness=LIKENESS)


def statuses(matching: Matching) -> list[str]:
    return [person.status for person in matching.people]


def test_everybody_as_asked() -> None:
    matching = match([face(MIDDLE, BOB), face(LEFT + 4, ADA)], two())
    ada, bob = matching.people
    assert statuses(matching) == ["found", "found"]
    assert matching.is_complete
    assert matching.failing == ()
    assert (ada.face, bob.face) == (at(LEFT + 4), at(MIDDLE))
    assert (ada.similarity, ada.nearest, ada.in_place, ada.copies) == (pytest.approx(1), "ada", True, ())
    assert ada.similarities == pytest.approx({"ada": 1, "bob": 0})
    assert (matching.faces, matching.strangers, matching.recogniser) == (2, (), "ours")


def test_two_who_are_exchanged_are_both_mixed() -> None:
    matching = match([face(LEFT, BOB), face(MIDDLE, ADA)], two())
    assert statuses(matching) == ["mixed", "mixed"]
    assert [person.face for person in matching.people] == [at(LEFT), at(MIDDLE)]
    assert [person.nearest for person in matching.people] == ["bob", "ada"]
    assert matching.failing == ("ada", "bob")
    assert matching.strangers == ()


def test_who_stands_at_anothers_place_leaves_their_own_empty() -> None:
    matching = match([face(MIDDLE, ADA)], two())
    assert statuses(matching) == ["missing", "mixed"]
    assert matching.people[1].nearest == "ada"


def test_a_face_elsewhere_is_found_if_it_is_clearly_theirs() -> None:
    matching = match([face(FAR, ADA), face(MIDDLE, BOB)], two())
    assert statuses(matching) == ["found", "found"]
    assert [person.in_place for person in matching.people] == [False, True]
    unclear = match([face(FAR, ADA, 0.5 * BOB), face(MIDDLE, BOB)], two())
    assert statuses(unclear) == ["missing", "found"]
    assert unclear.strangers == (at(FAR),)
    # The same face in their place would do.
    assert statuses(match([face(LEFT, ADA, 0.5 * BOB), face(MIDDLE, BOB)], two())) == ["found", "found"]


def test_somebody_beside_two_who_share_a_place_is_found_there() -> None:
    """Ada stands in Bob's place, but Bob is there himself."""
    matching = match([face(MIDDLE - 4, ADA), face(MIDDLE + 4, BOB)], two())
    assert statuses(matching) == ["found", "found"]
    assert [person.in_place for person in matching.people] == [False, True]


def test_a_stranger_in_their_place_does_not_hide_who_stands_elsewhere() -> None:
    matching = match([face(LEFT, NOBODY), face(FAR, ADA), face(MIDDLE, BOB)], two())
    assert statuses(matching) == ["found", "found"]
    assert matching.people[0].face == at(FAR)
    assert matching.strangers == (at(LEFT),)


def test_nor_does_somebody_else_in_their_place() -> None:
    matching = match([face(LEFT, BOB), face(FAR, ADA), face(MIDDLE, BOB)], two())
    assert statuses(matching) == ["found", "doubled"]
    assert matching.people[1].copies == (at(LEFT),)


def test_missing() -> None:
    matching = match([face(MIDDLE, BOB)], two())
    ada = matching.people[0]
    assert statuses(matching) == ["missing", "found"]
    assert (ada.face, ada.similarity, ada.nearest, ada.similarities) == (None, None, None, {})
    assert matching.failing == ("ada",)
    assert not matching.is_complete


def test_a_stranger_leaves_them_missing() -> None:
    matching = match([face(LEFT, NOBODY, 0.3 * ADA), face(MIDDLE, BOB)], two())
    assert statuses(matching) == ["missing", "found"]
    assert matching.strangers == (at(LEFT),)


def test_strangers_are_told_from_the_largest_on() -> None:
    small, large = face(FAR, NOBODY, width=10), face(RIGHT, NOBODY, width=30)
    matching = match([small, face(LEFT, ADA), large, face(MIDDLE, BOB)], two())
    assert matching.is_complete
    assert matching.strangers == (large.box, small.box)
    assert matching.faces == 4


def test_doubled_elsewhere() -> None:
    matching = match([face(FAR, ADA), face(LEFT, ADA), face(MIDDLE, BOB), face(RIGHT, ADA)], two())
    assert statuses(matching) == ["doubled", "found"]
    ada = matching.people[0]
    assert ada.face == at(LEFT)
    assert set(ada.copies) == {at(FAR), at(RIGHT)}
    assert matching.strangers == ()
    assert matching.failing == ("ada",)


def test_doubled_at_another_persons_place() -> None:
    matching = match([face(LEFT, ADA), face(MIDDLE, ADA)], two())
    ada, bob = matching.people
    assert statuses(matching) == ["doubled", "mixed"]
    assert (ada.face, ada.copies) == (at(LEFT), (at(MIDDLE),))
    assert (bob.face, bob.nearest) == (at(MIDDLE), "ada")
    assert matching.strangers == ()


def blended(share: float) -> Face:
    """A face on the straight line from Bob (0) to Ada (1), in Ada's place."""
    return face(LEFT, share * ADA, (1 - share) * BOB)


@pytest.mark.parametrize(("share", "status"), [(0.5, "mixed"), (0.6, "mixed"), (0.75, "found"), (0.4, "mixed")])
def test_a_blend_is_mixed(share: float, status: str) -> None:
    """Of Ada and Bob in equal parts it lies in the middle; three parts Ada lie at 0.5 / 0.79 = 0.63 of the way."""
    matching = match([blended(share), face(MIDDLE, BOB)], two())
    assert statuses(matching) == [status, "found"]
    assert matching.strangers == ()


def test_a_blend_is_no_copy_before_it_is_clearly_somebody_else() -> None:
    assert statuses(match([blended(0.25), face(MIDDLE, BOB)], two())) == ["mixed", "doubled"]
    assert statuses(match([blended(0.4), face(MIDDLE, BOB)], two())) == ["mixed", "found"]


def test_a_blend_may_be_less_like_either_than_their_own_faces_are() -> None:
    """0.4 like each, which is 0.57 like the middle between them; 0.3 like each is 0.42."""
    rest = np.sqrt(1 - 2 * 0.4**2)
    matching = match([face(LEFT, 0.4 * ADA, 0.4 * BOB, rest * NOBODY), face(MIDDLE, BOB)], two())
    assert statuses(matching) == ["mixed", "found"]
    assert matching.people[0].similarity == pytest.approx(0.4)
    rest = np.sqrt(1 - 2 * 0.3**2)
    matching = match([face(LEFT, 0.3 * ADA, 0.3 * BOB, rest * NOBODY), face(MIDDLE, BOB)], two())
    assert statuses(matching) == ["missing", "found"]


def test_a_blend_of_two_others_is_mixed_too() -> None:
    wanted = [*two(), Wanted("cyd", CYD, at(RIGHT))]
    matching = match([face(LEFT, ADA), face(MIDDLE, BOB), face(RIGHT, ADA, BOB)], wanted)
    assert statuses(matching) == ["found", "found", "mixed"]
    assert matching.strangers == ()


def test_of_look_alikes_the_nearest_counts() -> None:
    """Their cosine is 0.96. A face a little nearer to Ada is hers at her place, but no copy of hers elsewhere."""
    twin = 0.96 * ADA + 0.28 * BOB
    wanted = [Wanted("ada", ADA, at(LEFT)), Wanted("twin", twin, at(MIDDLE))]
    assert match([face(LEFT, ADA), face(MIDDLE, twin)], wanted).is_complete
    assert match([face(LEFT, ADA, 0.9 * twin), face(MIDDLE, ADA, 1.1 * twin)], wanted).is_complete
    assert statuses(match([face(LEFT, twin), face(MIDDLE, ADA)], wanted)) == ["mixed", "mixed"]
    assert statuses(match([face(LEFT, ADA), face(MIDDLE, ADA, 0.9 * twin)], wanted)) == ["found", "mixed"]
    assert statuses(match([face(LEFT, ADA), face(MIDDLE, ADA)], wanted)) == ["doubled", "mixed"]


def test_one_person_asked_for_under_two_names() -> None:
    """Nobody can tell them apart, so neither is mixed."""
    wanted = [Wanted("ada", ADA, at(LEFT)), Wanted("again", ADA, at(MIDDLE))]
    matching = match([face(LEFT, ADA), face(MIDDLE, ADA)], wanted)
    assert matching.is_complete
    assert [person.face for person in matching.people] == [at(LEFT), at(MIDDLE)]
    assert statuses(match([face(MIDDLE, ADA)], wanted)) == ["missing", "found"]


def test_without_a_recogniser_faces_are_counted_and_placed() -> None:
    matching = match([face(LEFT, BOB), face(FAR, ADA)], two(), recogniser=None)
    assert statuses(matching) == ["found", "missing"]
    assert matching.people[0].similarities == {}
    assert matching.people[0].similarity is None
    assert matching.strangers == (at(FAR),)
    assert matching.recogniser is None


def test_without_a_recogniser_the_nearest_face_is_theirs() -> None:
    """Within half a face's width; no face is two people's."""
    wanted = [Wanted("ada", None, at(10)), Wanted("bob", None, at(30))]
    for x, expected in ((19, [19, None]), (22, [None, 22]), (20, [None, None])):
        matching = match([face(x)], wanted, recogniser=None)
        assert [person.face for person in matching.people] == [None if x is None else at(x) for x in expected]
    matching = match([face(11), face(19)], wanted, recogniser=None)
    assert [person.face for person in matching.people] == [at(11), None]
    assert matching.strangers == (at(19),)


def test_without_a_recogniser_or_places_heads_are_counted() -> None:
    wanted = [Wanted("ada"), Wanted("bob")]
    assert statuses(match([face(LEFT)], wanted, recogniser=None)) == ["found", "missing"]
    three = match([face(LEFT), face(FAR), face(MIDDLE)], wanted, recogniser=None)
    assert statuses(three) == ["found", "found"]
    assert len(three.strangers) == 1


def test_whom_the_recogniser_does_not_know_is_found_by_place() -> None:
    wanted = [Wanted("ada", ADA, at(LEFT)), Wanted("new", None, at(MIDDLE))]
    matching = match([face(LEFT, ADA), face(MIDDLE, NOBODY)], wanted)
    assert statuses(matching) == ["found", "found"]
    assert matching.people[1].similarity is None
    assert set(matching.people[1].similarities) == {"ada"}
    assert statuses(match([face(LEFT, ADA), face(MIDDLE, ADA)], wanted)) == ["doubled", "mixed"]
    assert statuses(match([face(LEFT, ADA), face(FAR, NOBODY)], wanted)) == ["found", "missing"]


def test_whom_nobody_knows_and_nothing_places_gets_what_is_left() -> None:
    wanted = [Wanted("new"), Wanted("ada", ADA, at(LEFT))]
    matching = match([face(LEFT, ADA), face(FAR, NOBODY)], wanted)
    assert [person.face for person in matching.people] == [at(FAR), at(LEFT)]
    assert statuses(match([face(LEFT, ADA), face(FAR, ADA)], wanted)) == ["missing", "doubled"]
    # A blend at Ada's place is hers to answer for.
    assert statuses(match([face(LEFT, ADA, BOB)], [*wanted, Wanted("bob", BOB, at(MIDDLE))])) == [
        "missing",
        "mixed",
        "missing",
    ]


def test_a_face_that_could_not_be_read_counts_by_place() -> None:
    matching = match([face(LEFT), face(MIDDLE, BOB), face(FAR)], two())
    assert statuses(matching) == ["found", "found"]
    assert matching.people[0].similarities == {}
    assert matching.strangers == (at(FAR),)


def test_without_places_people_are_found_wherever_they_are() -> None:
    wanted = [Wanted("ada", ADA), Wanted("bob", BOB)]
    matching = match([face(FAR, BOB), face(LEFT, ADA), face(RIGHT, NOBODY)], wanted)
    assert matching.is_complete
    assert [person.face for person in matching.people] == [at(LEFT), at(FAR)]
    assert all(person.in_place for person in matching.people)
    assert matching.strangers == (at(RIGHT),)
    assert statuses(match([face(FAR, ADA, ADA, BOB), face(LEFT, ADA), face(RIGHT, BOB)], wanted)) == ["found", "found"]
    assert statuses(match([face(FAR, ADA), face(LEFT, ADA), face(RIGHT, BOB)], wanted)) == ["doubled", "found"]
    assert statuses(match([face(FAR, ADA, 0.9 * BOB), face(RIGHT, BOB)], wanted)) == ["mixed", "found"]
    assert statuses(match([face(FAR, NOBODY), face(RIGHT, BOB)], wanted)) == ["missing", "found"]


@pytest.mark.parametrize("recogniser", ["ours", None])
def test_nothing_to_match(recogniser: str | None) -> None:
    nobody = match([face(LEFT, ADA)], [], recogniser)
    assert (nobody.people, nobody.strangers, nobody.is_complete) == ((), (at(LEFT),), True)
    empty = match([], two(), recogniser)
    assert (statuses(empty), empty.faces, empty.failing) == (["missing", "missing"], 0, ("ada", "bob"))
    assert match([], [], recogniser) == Matching((), (), 0, recogniser)


def test_neighbours_whose_places_overlap_each_get_their_own() -> None:
    wanted = [Wanted("ada", ADA, at(100)), Wanted("bob", BOB, at(108))]
    for places in ((100, 108), (103, 104), (106, 112)):
        matching = match([face(places[1], BOB), face(places[0], ADA)], wanted)
        assert matching.is_complete
        assert [person.face for person in matching.people] == [at(x) for x in places]


def region(left: int, right: int, *, width: int = 300, height: int = 100) -> np.ndarray:
    mask = np.zeros((height, width), np.float32)
    mask[:, left:right] = 1
    return mask


def test_a_region_says_where_a_face_should_be() -> None:
    wanted = [Wanted("ada", ADA, region=region(0, 100)), Wanted("bob", BOB, region=region(100, 200))]
    matching = match([face(150, BOB), face(92, ADA)], wanted)  # nine tenths of Ada's face are in her region
    assert matching.is_complete
    assert all(person.in_place for person in matching.people)
    assert statuses(match([face(92, BOB), face(150, ADA)], wanted)) == ["mixed", "mixed"]
    outside = match([face(150, BOB), face(250, ADA)], wanted)
    assert [person.in_place for person in outside.people] == [False, True]
    assert statuses(match([face(150), face(250)], wanted, recogniser=None)) == ["missing", "found"]


@pytest.mark.parametrize(("x", "inside"), [(95.0, True), (100.0, False), (105.0, False), (1.0, True), (-9.0, False)])
def test_more_than_half_of_a_face_is_within_its_region(x: float, inside: bool) -> None:
    """Half of what is beyond the picture's edge counts as outside."""
    matching = match([face(x)], [Wanted("ada", region=region(0, 100))], recogniser=None)
    assert statuses(matching) == ["found" if inside else "missing"]


def test_regions_partly_or_wholly_beyond_the_picture() -> None:
    """A mask has the picture's size: what a region has beyond it is cut off, and faces there are nobody's."""
    edge = Wanted("ada", ADA, region=region(290, 300))
    assert match([face(295, ADA, width=8)], [edge]).people[0].in_place
    for x, y in ((295, 50), (400, 50), (295, -40), (295, 400), (-60, -60)):
        (ada,) = match([face(x, ADA, y=y)], [edge]).people
        assert (ada.status, ada.in_place) == ("found", False)
    nowhere = match([face(50, ADA)], [Wanted("ada", ADA, region=region(0, 0))])
    assert (statuses(nowhere), nowhere.people[0].in_place) == (["found"], False)


def numbers() -> Any:
    return st.floats(-1, 1, allow_subnormal=False).map(lambda value: round(value, 3))


def faces_anywhere(most: int = 6) -> Any:
    """Faces at various places, like the people of `crowd` and others to any degree."""
    one = st.tuples(st.sampled_from(range(0, 400, 10)), *[numbers()] * 6)
    unlike = one.filter(lambda row: any(abs(value) > 0.01 for value in row[1:]))
    return st.lists(unlike, max_size=most, unique_by=lambda row: row[0]).map(
        lambda rows: [face(float(row[0]), np.array(row[1:])) for row in rows]
    )


def crowd() -> list[Wanted]:
    """Somebody at a place, two whose places overlap, one in a region, one who may be anywhere, and an unknown one."""
    return [
        Wanted("ada", ADA, at(LEFT)),
        Wanted("bob", BOB, at(60)),
        Wanted("cyd", CYD, region=region(200, 300)),
        Wanted("dot", DOT),
        Wanted("new", None, at(MIDDLE)),
    ]


@hypothesis.given(faces_anywhere(), st.randoms(use_true_random=False), st.sampled_from(["ours", None]))
def test_the_order_of_faces_does_not_matter(faces: list[Face], dice: Any, recogniser: str | None) -> None:
    shuffled = list(faces)
    dice.shuffle(shuffled)
    assert match(shuffled, crowd(), recogniser) == match(faces, crowd(), recogniser)


@hypothesis.given(faces_anywhere())
def test_a_far_stranger_changes_nobodys_verdict(faces: list[Face]) -> None:
    before = match(faces, crowd())
    stranger = face(900.0, NOBODY)
    after = match([*faces, stranger], crowd())
    assert after.people == before.people
    assert set(after.strangers) == {*before.strangers, stranger.box}
    assert after.faces == before.faces + 1


@hypothesis.given(faces_anywhere(), st.sampled_from(["ours", None]))
def test_every_face_is_somebodys_or_a_strangers(faces: list[Face], recogniser: str | None) -> None:
    matching = match(faces, crowd(), recogniser)
    matched = [person.face for person in matching.people if person.face is not None]
    copies = [box for person in matching.people for box in person.copies]
    assert len(set(matched)) == len(matched)
    assert {*matched, *copies, *matching.strangers} == {one.box for one in faces}
    assert not {*matching.strangers} & {*matched, *copies}
    for person in matching.people:
        assert (person.status == "doubled") == bool(person.copies)
        assert (person.status == "missing") == (person.face is None)


def test_the_faces_of_a_real_photo_are_counted_and_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample picture of the package insightface shows six people; YuNet finds them, and nobody recognises them."""
    spec = importlib.util.find_spec("insightface")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the group photo in the package insightface")
    monkeypatch.setenv("MULTIID_MODELS_DIR", str(needs("models")))
    photo = load_photo(Path(spec.submodule_search_locations[0]) / "data" / "images" / "t1.jpg")
    faces = face_analyzer("opencv", recognise=False).analyze(photo)
    anywhere = match_faces(faces, [Wanted(f"p{number}") for number in range(6)], recogniser=None)
    print(f"{anywhere.faces} faces, {len(anywhere.strangers)} strangers")
    assert (anywhere.is_complete, anywhere.faces, anywhere.strangers) == (True, 6, ())
    # A little beside each face, as a pose would have it; the largest face is at nobody's place.
    boxes = [Box(*(value + 0.2 * one.box.width for value in one.box.corners)) for one in faces]
    wanted = [Wanted(f"p{number}", face=box) for number, box in enumerate(boxes[1:])]
    matching = match_faces(faces, wanted, recogniser=None)
    assert [person.face for person in matching.people] == [one.box for one in faces[1:]]
    assert matching.strangers == (faces[0].box,)
    assert matching.recogniser is None
