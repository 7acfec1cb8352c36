"""Templates found by words, numbers, tags and roles; what is said when there is none."""

import pytest
from shelf import shelf_template

from multiid import find_templates, template_names, templates_for
from multiid.poses.library import fitting_templates, known_tags, why_none


def found(text: str = "", **wishes: object) -> list[str]:
    return [template.name for template in find_templates(text, **wishes)]


def test_nothing_asked_for_is_everything() -> None:
    assert found() == template_names()
    assert found("the people and a person") == template_names()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("selfie of a couple", "couple-selfie"),
        ("a family of five", "family-five"),
        ("FAMILY FOUR", "family-four"),
        ("over the shoulder", "over-the-shoulder"),
        ("a birthday table", "party-birthday-seven"),
        ("hiking", "friends-hike-four"),
        ("Dance!", "couple-dancing"),
        ("families of six", "family-six"),
        ("\uff26\uff21\uff2d\uff29\uff2c\uff39 four", "family-four"),  # full-width letters
        ("mother and daughter", "family-parent-and-child"),
        ("embracing", "hugging-two"),
    ],
)
def test_words_find_what_they_describe(text: str, first: str) -> None:
    assert found(text)[0] == first


def test_a_number_is_that_of_the_people() -> None:
    for text in ("two", "2 people", "the two"):
        assert found(text)
        assert all(shelf_template(name).people == 2 for name in found(text))


def test_words_count_where_they_are_alike() -> None:
    assert found("sitting") == found("seated")
    assert set(found("sitting")) <= set(found("sit"))
    assert found("children") == found("kids") == found("child")
    assert "couple-selfie" in found("selfies")
    assert found("families") == found("family")
    assert "couple-selfie" not in found("selfless"), "a stem and any end is not enough"


def test_nouns_find_the_places_of_their_role() -> None:
    for text, role in (("grandmas", "elder"), ("nephews and a daughter", "child"), ("boys", "child")):
        fitting = {name for name in template_names() if role in {place.role for place in shelf_template(name).places}}
        assert set(found(text)) == fitting
    grandparents = found("grandparents")
    assert grandparents[0] == "family-grandparents-four", "who is named comes before whom a place is for"
    assert "wedding-eight" in grandparents


def test_most_words_come_first_and_stand_alone() -> None:
    """Nobody who asks for a selfie of two sees all twos."""
    both = found("two selfie")
    assert "couple-selfie" in both
    assert set(both) < set(found("two"))
    assert found("two selfie zebra") == both
    assert found("zebra") == []


def test_a_name_or_tag_outweighs_a_description() -> None:
    """One template is called after a shoulder; of others a hand lies on one."""
    names = found("shoulder")
    tagged = ["shoulder" in (*shelf_template(name).tags, *name.split("-")) for name in names]
    assert set(tagged) == {True, False}
    assert tagged == sorted(tagged, reverse=True)


def test_people_and_tags_narrow_it_down() -> None:
    assert found(people=5) == templates_for(5)
    families = found(tags=["family"])
    assert families
    assert all("family" in shelf_template(name).tags for name in families)
    both = found(tags=["family", "standing"])
    assert set(both) == set(families) & set(found(tags=["standing"]))
    assert found("children", people=4, tags=["family"])[0] in set(families) & set(templates_for(4))
    assert found(people=40) == []


def test_equals_keep_the_order_of_their_fit() -> None:
    fits = [shelf_template(name).people for name in found("family", people=4) if shelf_template(name).people >= 4]
    assert fits
    by_weight = found("family", people=4)
    assert set(by_weight) <= set(templates_for(4))


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"people": 400}, "looked for places for 400. The most people that a template has places for are "),
        ({"tags": ["famly"]}, "looked for the tag famly. There is no tag 'famly'; did you mean 'family'"),
        ({"tags": ["hiking"]}, "or 'hugging'? Near it are friends-hike-four."),
        ({"tags": [""]}, "There is no tag ''; known are "),
        ({"text": "zebra"}, 'looked for "zebra". Tags are '),
        ({"text": "zebra", "tags": ["selfie"]}, 'looked for "zebra", the tag selfie. Near it are couple-selfie'),
        ({"tags": ["selfie", "birthday"]}, "looked for the tags selfie and birthday. Tags are "),
        ({"text": "selfie", "people": 11}, 'looked for "selfie", places for 11. Near it are couple-selfie'),
    ],
)
def test_what_was_looked_for_is_said_with_the_nearest(wishes: dict[str, object], said: str) -> None:
    assert found(**wishes) == []
    line = why_none(**wishes)
    assert said in line
    assert "\n" not in line


def test_the_known_tags_are_those_of_the_library() -> None:
    assert known_tags() == sorted(known_tags())
    assert {"family", "selfie", "standing"} <= set(known_tags())


def test_fitting_ones_have_room_then_roles_then_tags() -> None:
    names = [template.name for template in fitting_templates(["adult", "child", "adult", "child"])]
    assert sorted(names) == sorted(templates_for(4))
    exact = [name for name in names if shelf_template(name).people == 4]
    assert names[: len(exact)] == exact
    children = [sum(place.role == "child" for place in shelf_template(name).places) for name in exact]
    assert children[0] == 2
    assert children[-1] != 2
    assert fitting_templates(["adult"] * 2, tags=["selfie", "couple"])[0].name == "couple-selfie"
    assert fitting_templates(["adult"] * 400) == []
