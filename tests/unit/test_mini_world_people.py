import itertools

import pytest

from multiid.mini.world.people import ATTRIBUTES, VALUES, Person, differences, gather, look_alike, make_person, options
from multiid.mini.world.words import PLACES, Clothes, describe_scene, phrase


def test_a_seed_is_a_person():
    assert make_person(5) == make_person(5)
    assert len({make_person(seed) for seed in range(200)}) > 195
    assert make_person(5, age="elder").age == "elder"
    assert make_person(5, gender="male").gender == "male"


def test_every_value_occurs():
    crowd = [make_person(seed) for seed in range(3000)]
    for attribute in ATTRIBUTES:
        assert {getattr(person, attribute) for person in crowd} == set(VALUES[attribute])
    assert {person.noun for person in crowd} == {"man", "woman", "boy", "girl", "old man", "old woman"}


def test_ten_thousand_are_well_apart():
    people = gather(10_000, seed=1)
    assert len(people) == 10_000
    for one, other in itertools.combinations(people[:400], 2):
        assert len(differences(one, other)) >= 2
    for one, other in itertools.combinations(gather(150, seed=2, apart=4), 2):
        assert len(differences(one, other)) >= 4


def test_too_many_too_far_apart_are_refused():
    with pytest.raises(ValueError, match=r"expected at most \d+ people that far apart, but got 40"):
        gather(40, seed=1, apart=9)
    with pytest.raises(ValueError, match="apart: expected 1 to 9"):
        gather(2, seed=1, apart=10)


@pytest.mark.parametrize("changes", [1, 2, 3, 6])
def test_look_alikes_differ_in_exactly_that_many(changes: int):
    for seed in range(60):
        person = make_person(seed)
        other = look_alike(person, changes, seed=seed)
        assert len(differences(person, other)) == changes
        assert other.noun == person.noun
        assert other == look_alike(person, changes, seed=seed)


def test_look_alikes_cannot_change_what_they_have_not():
    girl = make_person(1, gender="female", age="child")
    with pytest.raises(ValueError, match="expected 1 to 6 for a girl, but got 7"):
        look_alike(girl, 7, seed=0)
    man = make_person(1, gender="male", age="adult")
    assert len(differences(man, look_alike(man, 7, seed=0))) == 7


def test_what_does_not_go_together_is_refused():
    girl = make_person(1, gender="female", age="child")
    values = {name: getattr(girl, name) for name in ATTRIBUTES}
    with pytest.raises(ValueError, match="beard: expected one of none for female, child, but got full"):
        Person(**{**values, "beard": "full"})
    with pytest.raises(ValueError, match="eyes: expected one of brown"):
        Person(**{**values, "eyes": "red"})
    assert "tufts" not in options("hair_style", gender="male", age="child")


def test_words_say_who_wears_what_and_where():
    assert phrase("old woman", Clothes("red", "coat")) == "an old woman in a red coat"
    assert phrase("boy", Clothes("orange", "shirt")) == "a boy in an orange shirt"
    assert describe_scene(["man", "girl", "old man"], "beach") == "a man, a girl and an old man at the beach"
    assert describe_scene(["woman"], "night") == "a woman at night"
    assert len(PLACES) >= 8
