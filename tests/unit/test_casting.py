"""Who stands where, and why."""

from dataclasses import replace

import jaxtyping
import pytest
import torch

from multiid import Box, Identity, Person, Place, Pose, Recipe, Scene, SceneError, cast_people, load_template
from multiid.pipeline.casting import whom_for
from multiid.pipeline.staging import Stage, set_stage
from multiid.poses.roles import role_of

FOUR = load_template("family-four").pose()  # adult, child, child, adult
FIVE = load_template("family-five").pose()  # elder, child, adult, child, adult


def crowd(*nouns: str) -> list[tuple[str, str, int | None]]:
    """People named after the letters, none of whom asks for a place."""
    return [(chr(ord("a") + index), noun, None) for index, noun in enumerate(nouns)]


def places(pose: Pose, *nouns: str, how: str = "roles") -> tuple[int, ...]:
    return cast_people(crowd(*nouns), pose, how=how).places


@pytest.mark.parametrize(
    ("noun", "role"),
    [
        ("girl", "child"), ("little boy", "child"), ("old boy", "child"), ("Toddler", "child"), ("daughter", "child"),
        ("grandson", "child"), ("old man", "elder"), ("elderly woman", "elder"), ("grandmother", "elder"),
        ("grandpa", "elder"), ("woman", "adult"), ("young man", "adult"), ("old-fashioned woman", "adult"),
        ("pirate", "adult"), ("", "adult"), ("boyfriend", "adult"), ("great-grandmother", "elder"),
        ("step-son", "child"), ("\uff27\uff29\uff32\uff2c", "child"),
    ],
)  # fmt: skip
def test_nouns_say_whose_place_fits(noun: str, role: str) -> None:
    assert role_of(noun) == role


def test_in_order_everybody_has_the_place_of_their_index() -> None:
    casting = cast_people(crowd("girl", "woman"), FOUR, tags=("family", "standing"))
    assert casting.places == (0, 1)
    assert casting.reasons[0] == "a (girl) takes place 0: in the order of the people"
    assert casting.vacant == (2, 3)
    assert casting.notes == (
        "Nobody takes places 2 (child), 3 (adult): strangers will stand there. Templates for 2 people are "
        "family-parent-and-child, back-to-back, couple-arm-in-arm, couple-dancing, couple-standing and 14 more.",
    )


def test_too_few_people_are_told_of_templates_like_the_one_they_have() -> None:
    (note,) = cast_people(crowd("woman"), load_template("couple-selfie").pose(), tags=("close-up",)).notes
    assert note.startswith(
        "Nobody takes place 1 (adult): strangers will stand there. Templates for 1 person are close-up,"
    )
    assert note.endswith(" and 11 more.")
    (note,) = cast_people([], FOUR).notes
    assert note.endswith("strangers will stand there."), "no template is made for nobody"
    (note,) = cast_people(crowd(*["man"] * 10), load_template("class-twelve").pose()).notes
    assert note.endswith("strangers will stand there."), "nor for ten"


def test_a_full_pose_leaves_nothing_to_say() -> None:
    assert cast_people(crowd("man", "girl", "boy", "woman"), FOUR).notes == ()


def test_children_stand_where_children_should() -> None:
    casting = cast_people([("mia", "girl", None), ("ada", "woman", None), ("tom", "boy", None)], FOUR, how="roles")
    assert casting.places == (1, 0, 2)
    assert casting.reasons == (
        "mia (girl) takes place 1: a child's place",
        "ada (woman) takes place 0: an adult's place",
        "tom (boy) takes place 2: a child's place",
    )
    assert casting.notes[:3] == casting.reasons
    assert len(casting.notes) == 4


def test_elders_have_their_own() -> None:
    assert places(FIVE, "man", "boy", "woman", "girl", "grandmother") == (2, 1, 4, 3, 0)


@pytest.mark.parametrize("pose", [FOUR, FIVE])
def test_people_of_one_role_keep_their_order(pose: Pose) -> None:
    for role, noun in (("adult", "man"), ("child", "girl")):
        mine = [index for index, place in enumerate(pose.places) if place.role == role]
        assert places(pose, *[noun] * len(mine)) == tuple(mine)
    assert places(load_template("team-eight").pose(), *["man"] * 5) == (0, 1, 2, 3, 4)


def test_where_none_fits_the_nearest_does() -> None:
    """An elder takes an adult's place rather than a child's; a child who is left over any."""
    casting = cast_people(crowd("old man"), FOUR, how="roles")
    assert casting.reasons == ("a (old man) takes place 0: an adult's place, as no elder's is left",)
    assert sorted(places(FOUR, "girl", "boy", "kid", "man")) == [0, 1, 2, 3]
    assert places(FOUR, "old man", "girl", "woman") == (0, 1, 3)
    reasons = cast_people(crowd("girl", "boy", "kid"), FOUR, how="roles").reasons
    assert sum("as no child's is left" in reason for reason in reasons) == 1


def test_whoever_asks_has_the_place() -> None:
    people = [("mia", "girl", 3), ("ada", "woman", None), ("tom", "boy", None)]
    casting = cast_people(people, FOUR, how="roles")
    assert casting.places == (3, 0, 2)
    assert casting.reasons[0] == "mia (girl) takes place 3: asked for"
    assert casting.reasons[0] not in casting.notes


def test_extras_places_are_filled_last() -> None:
    pose = Pose(FOUR.size, (*FOUR.places[:2], *(replace(place, extra=True) for place in FOUR.places[2:])))
    for how in ("order", "roles"):
        assert cast_people(crowd("man"), pose, how=how).vacant == (1,)
        assert set(places(pose, "man", "woman", how=how)) == {0, 1}
    casting = cast_people(crowd("woman", "girl", "boy"), pose, how="roles")
    assert casting.places == (0, 1, 2)
    assert casting.reasons[2] == "c (boy) takes place 2: an extra's, as the others are taken"
    assert casting.notes == casting.reasons


def test_too_many_people_are_told_where_they_fit() -> None:
    with pytest.raises(SceneError) as caught:
        cast_people(crowd("man", "woman", "girl", "boy", "girl"), FOUR, tags=["family"])
    said = str(caught.value)
    assert said.startswith("people: expected at most 4, one per place, but got 5: templates that fit are family-")
    assert said.count(",") <= 6  # a handful, not the whole library
    with pytest.raises(SceneError, match="no template has 99 places"):
        cast_people(crowd(*["man"] * 99), FOUR)


@pytest.mark.parametrize(
    ("people", "how", "said"),
    [
        ([("a", "man", 4)], "order", "place: expected 0 to 3, but a asks for 4"),
        ([("a", "man", -1)], "roles", "place: expected 0 to 3, but a asks for -1"),
        ([("a", "man", 1), ("b", "man", 1)], "roles", "expected one person per place, but a and b both stand in 1"),
        ([("a", "man", 1), ("b", "man", None)], "order", "expected one person per place, but a and b both stand in 1"),
    ],
)
def test_what_cannot_be_cast_is_said(people: list[tuple[str, str, int | None]], how: str, said: str) -> None:
    with pytest.raises(SceneError, match=said):
        cast_people(people, FOUR, how=how)


def test_a_way_of_casting_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of tests nothing else stands between a user and a wrong word."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(SceneError, match='casting: expected one of order, roles, but got "role"'):
        cast_people(crowd("man"), FOUR, how="role")  # type: ignore[arg-type]
    with pytest.raises(SceneError, match='casting: expected one of order, roles, but got "role"'):
        Scene("tea", casting="role")  # type: ignore[arg-type]


def test_everybody_has_a_place_of_their_own_in_a_crowd() -> None:
    """Costs stay exact with many places."""
    pose = Pose(FOUR.size, FOUR.places * 25)
    chosen = places(pose, *["man", "girl"] * 40)
    assert len(set(chosen)) == 80
    fit = ["child" if index % 2 else "adult" for index in range(80)]
    print(f"{sum(pose.places[at].role == role for at, role in zip(chosen, fit, strict=True))} of 80 fit, required 80")
    assert [pose.places[at].role for at in chosen] == fit
    assert list(chosen[::2]) == sorted(chosen[::2])
    assert list(chosen[1::2]) == sorted(chosen[1::2])


def test_an_empty_place_is_for_somebody() -> None:
    child = FOUR.places[1]
    assert whom_for(child) == "a girl, a boy"
    assert whom_for(replace(child, extra=True)) == "a stranger, unless people need it"
    assert whom_for(Place(child.skeleton)) == "a woman, a man"


# Scenes


def identity(name: str, noun: str) -> Identity:
    return Identity(name, noun, torch.ones(1, 1, 8) * len(name), encoder="e" * 64)


def stage_of(scene: Scene) -> Stage:
    return set_stage(scene, default_size=FOUR.size, multiple=8, limb_width=8.0)


def test_a_scene_is_cast_and_its_recipe_keeps_the_places() -> None:
    """Whatever the nouns' table says in years to come, the recipe's picture has everybody where they were."""
    people = [identity("mia", "girl"), Person(identity("thomas", "man"), "in blue"), identity("grandma", "old woman")]
    scene = Scene("{mia}", people, template="family-five", casting="roles", seed=1, steps=1, guidance=1.0)
    stage = stage_of(scene)
    assert stage.places == (1, 2, 0)
    assert stage.casting is not None
    assert stage.casting.reasons[2] == "grandma (old woman) takes place 0: an elder's place"
    settled = stage.settled(scene)
    assert [person.place for person in settled.cast] == [1, 2, 0]
    assert settled.cast[1].phrase == "in blue"
    recipe = Recipe.of(replace(settled, layout="stack", merge_step=-1), size=stage.size, pose=stage.pose, preset="mini")
    assert [person.place for person in recipe.people] == [1, 2, 0]
    again = Recipe.model_validate_json(recipe.to_json()).to_scene([person.identity for person in scene.cast])
    assert stage_of(again).places == stage.places
    assert torch.equal(stage_of(again).regions, stage.regions)


def test_by_order_is_the_default_and_records_nothing_new() -> None:
    scene = Scene("tea", [identity("mia", "girl"), identity("thomas", "man")], template="family-four")
    stage = stage_of(scene)
    assert stage.places == (0, 1)
    assert stage.settled(scene) is scene


def test_a_scene_without_a_pose_has_no_casting() -> None:
    region = Box(0, 0, 64, 64)
    scene = Scene("tea", [Person(identity("mia", "girl"), region=region)], width=128, height=128, casting="roles")
    stage = stage_of(scene)
    assert (stage.casting, stage.places) == (None, (None,))
    with pytest.raises(SceneError, match="so that 2 people can be kept apart: templates that fit are "):
        stage_of(Scene("tea", [identity("mia", "girl"), identity("thomas", "man")]))


def test_the_error_of_a_scene_names_templates_like_its_own() -> None:
    people = [identity(name, "girl") for name in ("a", "b", "c")]
    with pytest.raises(SceneError, match="at most 2, one per place, but got 3: templates that fit are "):
        stage_of(Scene("tea", people, template="couple-selfie"))
