"""What a story's panels depend on: keys, seeds and anchors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tales import PORTRAITS, panels_of, planned, script, write_script

from multiid import find_preset, load_story
from multiid.errors import StoryError
from multiid.poses.row import make_row
from multiid.poses.skeleton import Pose
from multiid.story.plan import plan_story

Change = Callable[[dict[str, Any]], Any]


def keys(folder: Path, change: Change | None = None, **changes: Any) -> dict[str, str]:
    story = script(**changes)
    if change is not None:
        change(story)
    return {number: panel.key for number, panel in planned(folder, story).panels.items()}


def changed(folder: Path, change: Change) -> set[str]:
    before, after = keys(folder), keys(folder, change)
    return {number for number in before if before[number] != after[number]}


def test_the_same_script_has_the_same_keys_and_every_panel_its_own(tmp_path: Path) -> None:
    first = keys(tmp_path)
    assert list(first) == ["1.1", "1.2", "1.3", "1.4"]
    assert first == keys(tmp_path)
    assert len(set(first.values())) == 4


@pytest.mark.parametrize(
    "change",
    [
        lambda story: panels_of(story)[1].update(prompt="a {otto} in the snow"),
        lambda story: panels_of(story)[1].update(framing="close-up"),
        lambda story: panels_of(story)[1].update(template="portrait-seated"),
        lambda story: panels_of(story)[1].update(seed=5),
        lambda story: panels_of(story)[1].update(people=[{"who": "otto", "phrase": "holding a cup"}]),
        lambda story: panels_of(story)[1].update(people=[{"who": "otto", "strength": 0.5}]),
    ],
)
def test_what_one_panel_shows_is_in_its_key_alone(tmp_path: Path, change: Change) -> None:
    assert changed(tmp_path, change) == {"1.2"}


@pytest.mark.parametrize(
    "change",
    [
        lambda story: panels_of(story)[0].update(dialogue=[{"otto": "Oh!", "how": "shout"}]),
        lambda story: panels_of(story)[2].update(captions=[]),
        lambda story: panels_of(story)[3].update(sounds=["BOOM"]),
        lambda story: story["paper"].update(lettering={"size": 9.0}, background="#ffe"),
        lambda story: story.update(title="Another"),
    ],
)
def test_words_and_paper_are_in_no_key(tmp_path: Path, change: Change) -> None:
    assert changed(tmp_path, change) == set()


def test_who_follows_an_anchor_depends_on_it(tmp_path: Path) -> None:
    assert changed(tmp_path, lambda story: panels_of(story)[0].update(prompt="a {ada} and a {otto}")) == {
        "1.1", "1.2", "1.3",
    }  # fmt: skip
    assert changed(tmp_path, lambda story: story["style"].update(consistency=0.5)) == {"1.2", "1.3"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda story: story["cast"]["otto"].update(look="in a green coat"), {"1.1", "1.2", "1.3"}),
        (lambda story: story["cast"]["otto"].update(photos=str(PORTRAITS / "isaac")), {"1.1", "1.2", "1.3"}),
        (lambda story: story["style"].update(prompt="watercolour"), {"1.1", "1.2", "1.3", "1.4"}),
        (lambda story: story["style"]["scene"].update(steps=3), {"1.1", "1.2", "1.3", "1.4"}),
        (lambda story: story["style"].update(attempts=2), {"1.1", "1.2", "1.3", "1.4"}),
    ],
)
def test_cast_and_style_are_in_the_keys_of_those_they_touch(tmp_path: Path, change: Change, expected: set[str]) -> None:
    # Ada's lone panel follows the first, which Otto is in.
    assert changed(tmp_path, change) == expected


def test_anchors_are_where_somebody_first_wears_their_look(tmp_path: Path) -> None:
    plan = planned(tmp_path, script())
    assert [dict(panel.anchors) for panel in plan.panels.values()] == [{}, {"otto": "1.1"}, {"ada": "1.1"}, {}]
    assert plan.recorded("1.1") == ("ada", "otto")
    assert plan.followers("1.1") == ("1.2", "1.3")


def test_who_wears_something_else_follows_nobody(tmp_path: Path) -> None:
    story = script()
    panels_of(story)[0]["people"] = [{"who": "ada", "look": "in a white dress"}, "otto"]
    plan = planned(tmp_path, story)
    assert [dict(panel.anchors) for panel in plan.panels.values()] == [{}, {"otto": "1.1"}, {}, {}]


def test_a_close_up_is_an_anchor_only_where_there_is_no_other(tmp_path: Path) -> None:
    story = script()
    panels_of(story)[0]["framing"] = "close-up"
    panels = panels_of(story)
    panels.append({"prompt": "a {otto} at home", "people": ["otto"]})
    plan = planned(tmp_path, story)
    assert plan.panels["1.5"].anchors == {"otto": "1.2"}
    assert plan.panels["1.1"].anchors == {"otto": "1.2", "ada": "1.3"}
    assert plan.order[:2] == ("1.2", "1.3")


def test_anchors_that_name_each_other_make_no_circle(tmp_path: Path) -> None:
    story = script()
    both = panels_of(story)[0]
    panels_of(story)[1] = {**both, "prompt": "a {ada} and a {otto} in the snow"}
    story["cast"]["ada"]["anchor"] = "1.2"
    story["cast"]["otto"]["anchor"] = "1.1"
    plan = planned(tmp_path, story)
    assert plan.panels["1.1"].anchors == {}
    assert plan.panels["1.2"].anchors == {"otto": "1.1"}
    assert plan.panels["1.3"].anchors == {"ada": "1.2"}


def test_without_consistency_nobody_follows(tmp_path: Path) -> None:
    story = script()
    story["style"]["consistency"] = 0.0
    assert not any(panel.anchors for panel in planned(tmp_path, story).panels.values())


def test_seeds_follow_from_what_is_shown_unless_given(tmp_path: Path) -> None:
    story = script()
    panels_of(story)[1]["seed"] = 11
    plan = planned(tmp_path, story)
    assert plan.panels["1.2"].seed == 11
    assert plan.panels["1.3"].seed == planned(tmp_path, script()).panels["1.3"].seed
    assert plan.panels["1.3"].seed != plan.panels["1.4"].seed
    again = planned(tmp_path, story, {plan.panels["1.2"].shown: 12})
    assert again.panels["1.2"].seed == 12
    assert again.panels["1.2"].key != plan.panels["1.2"].key


def test_panels_become_scenes_of_their_shape(tmp_path: Path) -> None:
    plan = planned(tmp_path, script())
    view = plan.panels["1.4"].scene({}, {})
    assert view.pose is None
    assert view.steps == 2
    assert view.prompt == "mountains"
    assert (view.width, view.height) == tuple(plan.panels["1.4"].staged.size)


def test_children_take_childrens_places(tmp_path: Path) -> None:
    story = script()
    story["cast"]["leo"] = {"noun": "boy", "photos": str(PORTRAITS / "leo")}
    panels_of(story)[0].update(
        prompt="a {leo}, a {ada} and a {otto}", people=["leo", "ada", "otto"], template="family-three"
    )
    roles = planned(tmp_path, story).panels["1.1"].staged.roles
    assert {role.name: role.place for role in roles} == {"leo": 1, "ada": 0, "otto": 2}
    assert "child" in roles[0].reason


def test_a_photo_of_too_few_people_is_named_with_its_panel(tmp_path: Path) -> None:
    story = script()
    del panels_of(story)[0]["template"]
    panels_of(story)[0]["pose"] = str(PORTRAITS / "ada" / "1.png")
    document = load_story(write_script(tmp_path, story))

    def one(_: Path) -> Pose:
        return make_row(1)

    with pytest.raises(StoryError, match=r"page 1, panel 1: people: expected at most 1"):
        plan_story(document, find_preset("mini"), photo_pose=one)
