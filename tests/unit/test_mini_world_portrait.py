from dataclasses import replace

import numpy as np
import pytest

from multiid.mini.world.people import ATTRIBUTES, Person, make_person, options
from multiid.mini.world.portrait import draw_portrait

MAN = Person(
    gender="male", age="adult", hair_colour="brown", hair_style="curly", skin="honey", eyes="blue", glasses="none",
    beard="none", face="oval",
)  # fmt: skip
WOMAN = replace(MAN, gender="female")
GRANDPA = replace(MAN, age="elder", hair_colour="grey")
LEAST_CHANGE = {"eyes": 0.5, "beard": 1.4, "glasses": 1.7}
"""Mean grey levels of 255 over the whole portrait; eyes are few of its pixels."""
LEAST_OF_OTHERS = 2.0


def pixels(person: Person, seed: int = 3, size: int = 48) -> np.ndarray:
    return np.asarray(draw_portrait(person, seed=seed, size=size).picture).astype(float)


def change(one: Person, other: Person) -> float:
    return max(float(np.abs(pixels(one, seed) - pixels(other, seed)).mean()) for seed in (3, 4))


def test_the_same_seeds_draw_the_same_bytes():
    one, other = draw_portrait(MAN, seed=7), draw_portrait(MAN, seed=7)
    assert one.picture.tobytes() == other.picture.tobytes()
    assert one.picture.size == (64, 64)
    assert one.picture.mode == "RGB"
    assert draw_portrait(MAN, seed=8).picture.tobytes() != one.picture.tobytes()


@pytest.mark.parametrize("attribute", [name for name in ATTRIBUTES if name not in ("gender", "age")])
def test_each_value_of_an_attribute_shows(attribute: str):
    values = options(attribute, gender="male", age="adult")
    pictured = [replace(MAN, **{attribute: value}) for value in values]
    changes = {
        (a, b): change(pictured[i], pictured[j]) for i, a in enumerate(values) for j, b in enumerate(values) if i < j
    }
    least = min(changes, key=lambda pair: changes[pair])
    print(f"{attribute}: least change {changes[least]:.2f} ({least[0]}, {least[1]})")
    assert changes[least] > LEAST_CHANGE.get(attribute, LEAST_OF_OTHERS)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("gender", MAN, WOMAN),
        ("child", MAN, replace(MAN, age="child")),
        ("elder", replace(GRANDPA, hair_colour="grey"), MAN),
    ],
)
def test_gender_and_age_show(name: str, one: Person, other: Person):
    measured = change(one, other)
    print(f"{name}: {measured:.2f}")
    assert measured > 1.5


def test_what_varies_is_not_the_person():
    views = [draw_portrait(MAN, seed=seed) for seed in range(40)]
    assert {view.expression.open > 0 for view in views} == {True, False}
    assert max(view.view.turn for view in views) > 15 > -15 > min(view.view.turn for view in views)
    # The same day looks the same whoever it is: pose and expression come from the second seed alone.
    for seed in range(10):
        one, other = draw_portrait(MAN, seed=seed), draw_portrait(make_person(seed), seed=seed)
        assert (one.view, one.expression) == (other.view, other.expression)


@pytest.mark.parametrize("person", [MAN, WOMAN, GRANDPA], ids=lambda person: person.noun)
def test_the_face_box_holds_the_face(person: Person):
    for seed in range(12):
        portrait = draw_portrait(person, seed=seed, size=64)
        box = portrait.face
        assert box.left >= 0
        assert box.right <= 64
        x, y = box.centre
        assert (x, y) == pytest.approx((portrait.view.x, portrait.view.y), abs=0.1 * portrait.view.unit)


def test_the_size_is_free_but_not_tiny():
    assert draw_portrait(MAN, size=48).picture.size == (48, 48)
    with pytest.raises(ValueError, match="at least 16 pixels, but got 8"):
        draw_portrait(MAN, size=8)
