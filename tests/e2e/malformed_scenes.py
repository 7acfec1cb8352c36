"""Malformed scenes, prompts and templates."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import PIL.Image
from malformed import COMPOSE, Cases, Command, with_ada, with_scene, with_template, with_text

KEYPOINTS = [[0.5, 0.5]] * 18


def bomb(line: str, first: str, last: str) -> str:
    """A few lines in which each of ten names stands for nine of the one before."""
    names = "abcdefghij"
    lines = [f"a: &a {first}"] + [
        line.format(name=name, nine=", ".join([f"*{one}"] * 9)) for one, name in pairwise(names)
    ]
    return "\n".join([*lines, last.format(name=names[-1])])


def first_place(**changes: Any) -> Any:
    """A template whose first place has other keys."""

    def change(template: dict[str, Any]) -> None:
        template["places"][0] |= changes

    return change


def first_body(**changes: Any) -> Any:
    def change(template: dict[str, Any]) -> None:
        template["places"][0]["body"] |= changes

    return change


def templates(*arguments: str) -> Any:
    return lambda _: ["templates", *arguments]


def previews_into_a_file(_: Path) -> Command:
    return ["templates", "preview", "couple-standing", "-o", "scene.yaml"]


YAML: Cases = {
    "a scene that is no YAML": (with_text("prompt: [a\nseed: 1"), "scene.yaml, line 2: expected YAML"),
    "a scene of other bytes": (with_text(b"\xff\xd8\xff\x00"), "scene.yaml, line 1: expected YAML as UTF-8 text"),
    "a scene that is a list": (with_text("- prompt"), "expected keys such as prompt and people, but got list"),
    "a scene that is empty": (with_text(""), "expected keys such as prompt and people, but got NoneType"),
    "a scene that is a folder": (lambda _: ["compose", "isaac", *COMPOSE[2:]], "it cannot be read: Is a directory"),
    "a scene that is not there": (lambda _: ["compose", "no.yaml", *COMPOSE[2:]], "no.yaml: expected a YAML file"),
    "a scene of two documents": (with_text("prompt: a\n---\nprompt: b"), "line 2: expected YAML, but this is none"),
    "a scene with a tab": (with_text("prompt: a\n\tseed: 1"), "scene.yaml, line 2: expected YAML"),
    "a scene nested too deeply": (with_text("[" * 3000), "expected YAML, but it is nested too deeply"),
    "a scene that bears code": (
        with_text("prompt: !!python/object/apply:os.mkdir [burgled]"),
        "could not determine a constructor for the tag",
    ),
    "a scene with a key twice": (with_text("prompt: a\nseed: 1\nseed: 2"), "line 3: expected YAML, but this is none"),
    "a scene with a number for a key": (with_text("prompt: a\n3: 4"), "3: expected a text as key, but got 3: put"),
    "a scene with a list for a key": (with_text("prompt: a\n[b, c]: 4"), "line 2: expected YAML, but this is none"),
    "a scene that grows without end": (
        with_text(bomb("{name}: &{name} [{nine}]", "[x]", "prompt: a\npeople: [{{photos: *{name}}}]")),
        "with references written out, it holds more than 10,000 values",
    ),
    "a scene whose keys grow without end": (
        with_text(bomb("{name}: &{name} {{<<: [{nine}]}}", "{x: 1}", "prompt: a")),
        "with references written out, it holds more than 10,000 values",
    ),
    "a scene that contains itself": (
        with_text("prompt: a\npeople: &p [*p]"),
        "line 2: expected YAML, but this is none",
    ),
    "a scene with half a character": (with_text('prompt: "\\ud83d"'), "a text holds '\\ud83d', which is no character"),
    "a template with a zero in its name": (
        with_text('prompt: a\ntemplate: "a\\0.json"'),
        "line 2: expected YAML, but this is none: a text holds '\\x00', which is no character.",
    ),
    "a scene of a day that is none": (with_text("prompt: a\nseed: 2020-99-99"), "a value in it cannot be read: month"),
    "a seed of too many digits": (with_text(f"prompt: a\nseed: {'9' * 5000}"), "a value in it cannot be read: Exceeds"),
}

SCENES: Cases = {
    "an unknown key": (with_scene(guidence=3), "guidence: unknown key; did you mean 'guidance'?"),
    "an unknown key of a person": (with_ada(frase="x"), "people.0.frase: unknown key; did you mean 'phrase'?"),
    "a key of the wrong type": (with_scene(steps="many"), "steps: expected a valid integer, but got 'many'."),
    "a key out of range": (with_scene(soft_edge=0.9), "soft_edge: expected less than or equal to 0.5, but got 0.9."),
    "a strength that is no number": (with_ada(strength=float("nan")), "people.0.strength: expected"),
    "an unknown sampler": (with_scene(scheduler="eular"), "but got 'eular'; did you mean 'euler'"),
    "two people without a template": (with_scene(template=None), "template: expected one, or a box or mask for each"),
    "too many people": (with_scene(template="single-portrait"), "expected at most 1, one per place, but got 2"),
    "two people of one name": (with_ada(name="isaac"), "expected every name once, but isaac came twice"),
    "sides of odd length": (with_scene(width=190), "expected a multiple of 8, but got 190: the nearest is 192."),
    "a box beyond the picture": (
        with_ada(box=[0, 0, 500, 128]),
        "scene.yaml: Expected the box of people[0] (ada)",
    ),
    "a box of no area": (with_ada(box=[9, 0, 9, 128]), "people.0.box: Expected a box with right > left"),
    "a box of no number": (with_ada(box=[float("nan"), 0, 9, 9]), "people.0.box: Expected a box with right > left"),
    "a box between pixels": (with_ada(box=[1.1, 1.1, 1.2, 1.2]), "Expected a region with at least one pixel"),
    "a box without end": (with_ada(box=[0, 0, float("inf"), 9]), "but got (0, 0, inf, 9)"),
    "a mask of another shape": (with_ada(mask="ada.png"), "scene.yaml: Expected a mask of the picture's aspect ratio"),
    "a mask that is text": (with_ada(lambda file: file.write_text("no mask"), mask="extra"), "but extra begins with"),
    "a mask that is black": (
        with_ada(lambda file: PIL.Image.new("L", (192, 128)).save(file, format="PNG"), mask="extra"),
        "Expected a region with at least one pixel for people[0] (ada), but got an empty one",
    ),
    "a place taken twice": (with_ada(place=1), "ada and isaac both stand in 1"),
    "a noun that cannot be read": (with_ada(noun="a+b"), "Expected a class noun of words"),
    "a steps count that a sampler refuses": (
        with_scene(scheduler="lcm", steps=60),
        "steps: expected a number that LCMScheduler can make, but got 60",
    ),
    "an unknown name": (with_scene(prompt="a {eda}"), "the prompt says '{eda}'; did you mean 'ada'?"),
    "an empty name": (with_scene(prompt="a {}"), "the prompt says '{}'; known are ada, isaac"),
    "a lone brace": (with_scene(prompt="a {ada} and }"), 'Expected braces in pairs, but "}" stands alone'),
}

TEMPLATES: Cases = {
    "an unknown template": (with_scene(template="cuple-standing"), "did you mean 'couple-standing' or"),
    "a template that is not there": (with_scene(template="no.json"), "no.json: expected a template, but it cannot be"),
    "a template that is no JSON": (with_template("{"), "mine.json: expected JSON, but got EOF"),
    "a template that is a list": (with_template("[]"), "mine.json: expected keys and values, but got []."),
    "a template nested too deeply": (with_template("[" * 100_000), "expected JSON, but got recursion limit exceeded"),
    "a template without places": (
        with_template(lambda t: t | {"places": []}),
        "mine.json: places: expected at least 1",
    ),
    "a template with an unknown key": (with_template(lambda t: t | {"titel": 1}), "titel: unknown key; did you mean"),
    "a template without a title": (with_template(lambda t: t | {"title": ""}), "title: expected at least 1 character"),
    "a template of no size": (with_template(lambda t: t | {"size": [0, 0]}), "but got 0x0; the nearest is 8x8"),
    "a template of half pixels": (with_template(lambda t: t | {"size": [8.5, 8]}), "size.0: expected a valid integer"),
    "a template larger than any memory": (
        with_template(lambda t: t | {"size": [800_000, 800_000]}),
        "size: expected width and height of at most 8192, but got 800000x800000",
    ),
    "a template with a name in capitals": (
        with_template(lambda t: t | {"name": "Mine"}),
        "name: expected small letters",
    ),
    "a template from right to left": (
        with_template(lambda t: t | {"places": t["places"][::-1]}),
        "places.1: expected places from left to right",
    ),
    "a template of two in one place": (
        with_template(lambda t: t | {"places": t["places"][:1] * 2}),
        "places.1: expected faces apart",
    ),
    "a place of nobody": (
        with_template(first_place(body=None)),
        "places.0: expected exactly one of body and keypoints",
    ),
    "a place with 17 points": (
        with_template(first_place(body=None, keypoints=KEYPOINTS[:17])),
        "places.0.keypoints: expected at least 18 values, but got 17",
    ),
    "a place outside": (
        with_template(first_place(body=None, keypoints=[[2, 2], *KEYPOINTS[1:]])),
        "keypoints.0: expected x and y from 0 to 1, or null",
    ),
    "a place without a head": (with_template(first_place(body=None, keypoints=[None] * 18)), "expected a visible head"),
    "a place behind the camera": (with_template(first_place(depth=-1)), "places.0.depth: expected greater than or"),
    "a place for a giant": (with_template(first_place(role="giant")), "expected 'adult', 'child' or 'elder'"),
    "a body of no height": (with_template(first_body(height=0)), "height: expected 0.05 to 10, but got 0"),
    "an unknown template to show": (templates("show", "cuple-standing"), "did you mean 'couple-standing' or"),
    "previews into a file": (previews_into_a_file, "scene.yaml cannot be one: File exists"),
}
