"""The form of a script: short forms, ranges, and the schema that is published for editors."""

import json
import re
from typing import Any

import pytest
import yaml
from conftest import ROOT
from pydantic import ValidationError
from stories import PANEL, STORY, changed
from story_faults import FAULTS

from multiid.story.scene_keys import ELSEWHERE
from multiid.story.script import Appearance, Caption, Line, Panel, Sound, Story, story_schema

GUIDE = (ROOT / "docs" / "guides" / "story.md").read_text(encoding="utf-8")
EXAMPLE = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)[0])


def test_a_name_alone_is_an_appearance() -> None:
    assert Appearance.model_validate("mia") == Appearance(who="mia")


def test_lines_by_name_are_lines() -> None:
    assert Line.model_validate({"mia": "Hello!"}) == Line(who="mia", text="Hello!")
    assert Line.model_validate({"mia": "Hello!", "how": "shout"}) == Line(who="mia", text="Hello!", how="shout")
    assert Line.model_validate("It was late.") == Line(text="It was late.", how="narration")


def test_a_text_alone_is_a_caption_or_a_sound() -> None:
    assert Caption.model_validate("Later") == Caption(text="Later")
    assert Sound.model_validate("Boom") == Sound(text="Boom")


@pytest.mark.parametrize("name", ["mia", "Zoë", "美咲", "मीना", "สมชาย์", "old-joe", "_x", "3po"])
def test_names_of_every_script(name: str) -> None:
    story = changed((["cast", name], STORY["cast"]["leo"]))
    assert Story.model_validate(story).cast[name].noun == "man"
    assert fits(story_schema(), story, story_schema())
    assert not fits(story_schema(), changed((["cast", name], {"nuon": "man"})), story_schema())


@pytest.mark.parametrize("name", ["", "a b", "a.b", "{a}", "a\n", "a\u3000b"])
def test_what_cannot_stand_in_prompts_is_no_name(name: str) -> None:
    story = changed((["cast", name], STORY["cast"]["leo"]))
    with pytest.raises(ValidationError, match="expected a name of letters, digits, - and _, but got"):
        Story.model_validate(story)
    assert not fits(story_schema(), story, story_schema())


@pytest.mark.parametrize("colour", ["white", "#ffd400", "#FD0", "rgb(1, 2, 3)", "hsl(10, 50%, 50%)"])
def test_colours(colour: str) -> None:
    assert Sound(text="Boom", colour=colour).colour == colour


@pytest.mark.parametrize("colour", ["", "nocolour", "#ff", "#ffd40080", "rgb(300, 0, 0)", "x" * 200])
def test_what_is_no_colour(colour: str) -> None:
    with pytest.raises(ValidationError, match="expected a colour such as white or #ffd400, but got"):
        Sound(text="Boom", colour=colour)


def test_panels_are_numbered_by_page() -> None:
    assert list(Story.model_validate(STORY).panels) == ["1.1", "1.2", "1.3", "2.1"]


# The schema


def fits(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """Whether a JSON schema takes a value: as much of the standard as the story's schema needs."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema and not fits(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root):
        return False
    if "anyOf" in schema and not any(fits(option, value, root) for option in schema["anyOf"]):
        return False
    if not all(fits(option, value, root) for option in schema.get("allOf", ())):
        return False
    if "not" in schema and fits(schema["not"], value, root):
        return False
    if "if" in schema and not fits(schema["then" if fits(schema["if"], value, root) else "else"], value, root):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    kinds = {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "null": value is None,
    }
    if "type" in schema and not kinds[schema["type"]]:
        return False
    if isinstance(value, str):
        least, most = schema.get("minLength", 0), schema.get("maxLength", len(value))
        return least <= len(value) <= most and matches(schema.get("pattern", ""), value)
    if isinstance(value, list):
        sized = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return sized and all(fits(schema.get("items", True), item, root) for item in value)
    if isinstance(value, dict):
        sized = schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value))
        named = all(fits(schema.get("propertyNames", True), key, root) for key in value)
        return sized and named and set(schema.get("required", ())) <= set(value) and all_fit(schema, value, root)
    if kinds["number"]:
        above = value > schema.get("exclusiveMinimum", value - 1)
        return above and schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return True


def matches(pattern: str, text: str) -> bool:
    """As in JavaScript, whose dialect JSON schemas are read in: only the very end of the text is its end."""
    return re.search(re.sub(r"\$$", r"\\Z", pattern), text) is not None


def all_fit(schema: dict[str, Any], value: dict[str, Any], root: dict[str, Any]) -> bool:
    patterns = schema.get("patternProperties", {})
    for key, entry in value.items():
        others = [option for pattern, option in patterns.items() if matches(pattern, key)]
        others = others or [schema.get("additionalProperties", True)]
        if not fits(schema.get("properties", {}).get(key, others[0]), entry, root):
            return False
    return True


LINE = ("pages", 0, "panels", 0, "dialogue", 0)


@pytest.mark.parametrize("story", [STORY, EXAMPLE], ids=["the tests'", "the guide's"])
def test_the_schema_takes_stories_with_their_short_forms(story: dict[str, Any]) -> None:
    assert fits(story_schema(), story, story_schema())
    assert Story.model_validate(story)


@pytest.mark.parametrize(
    ("location", "value"),
    [
        (("titel",), "x"),
        (("title",), ""),
        (("cast", "mia", "nuon"), "girl"),
        (("cast", "mia", "anchor"), "one"),
        (("paper", "size"), "a5"),
        (("paper", "dpi"), 5000),
        (("pages", 0, "panels", 0, "framing"), "near"),
        (("pages", 0, "panels", 0, "people", 0), {"name": "mia"}),
        (LINE, {"mia": "Hello!", "leo": "Hello!", "otto": "Hello!"}),
        (LINE, {"mia": 3}),
        (LINE, {"mia": "Hello!", "how": "sung"}),
        (LINE, {"mia": "Hello!", "how": "narration"}),
        (LINE, {"mia": "Hello!", "leo": "Hello!"}),
        (LINE, {"a b": "Hello!"}),
        (LINE, {"how": "shout"}),
        (LINE, {"text": "Hello!"}),
        (LINE, {"who": "mia", "text": "Hello!", "how": "narration"}),
        (LINE, {}),
        (LINE, "x" * 2001),
        ((*PANEL, "people", 0), "m i a"),
        ((*PANEL, "captions"), ["x" * 2001]),
        ((*PANEL, "captions"), [" "]),
        ((*PANEL, "sounds"), ["x" * 61]),
        ((*PANEL, "template"), ""),
    ],
)
def test_the_schema_and_the_models_refuse_alike(location: tuple[str | int, ...], value: Any) -> None:
    story = changed((location, value))
    assert not fits(story_schema(), story, story_schema())
    with pytest.raises(ValidationError):
        Story.model_validate(story)


BEYOND_A_SCHEMA = {"small letters too large", "an inset of no area", "a colour of no name"}


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_form_forbids_the_schema_refuses(name: str) -> None:
    story = changed(*FAULTS[name][0])
    try:
        Story.model_validate(story)
    except ValidationError:
        takes = name in BEYOND_A_SCHEMA
    else:  # wrong in what the form does not say; of these a schema knows the keys of scene files alone
        takes = not {"style", "scene"} <= set(FAULTS[name][0][0][0]) or name == "scene keys that contradict"
    readable = all(isinstance(key, str) for key in story.get("cast", {}))
    assert (readable and fits(story_schema(), story, story_schema())) == (takes and readable)


@pytest.mark.parametrize(
    ("location", "value"),
    [
        (("cast", "mia", "identity"), None),
        ((*PANEL, "pose"), None),
        (LINE, {"text": "Hello!", "how": "narration", "who": None}),
        (LINE, {"who": "mia", "text": "Hello!"}),
        (LINE, {"mia": "Hello!"}),
        (("style", "scene"), {"steps": 30, "guidance": 5.0, "layout": "auto"}),
        (("style", "consistency"), 0),
    ],
)
def test_the_schema_takes_what_the_models_take(location: tuple[str | int, ...], value: Any) -> None:
    story = changed((location, value))
    assert Story.model_validate(story)
    assert fits(story_schema(), story, story_schema())


def test_the_schema_knows_the_keys_of_scene_files() -> None:
    known = set(story_schema()["$defs"]["Style"]["properties"]["scene"]["properties"])
    assert {"steps", "guidance", "mask_rule"} <= known
    assert not known & set(ELSEWHERE)


def keys(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every key of the format, by record and name."""
    found: dict[str, dict[str, Any]] = {}
    for name, record in ({"Story": schema} | schema["$defs"]).items():
        for part in (record, *record.get("anyOf", [])):
            if part.get("additionalProperties") is False:
                found |= {f"{name}.{key}": entry for key, entry in part["properties"].items()}
    return found


def test_every_key_is_described() -> None:
    schema = story_schema()
    found = keys(schema)
    # What says the same as the record that it refers to is left out of the schema.
    texts = {name: schema["$defs"].get(entry.get("$ref", "")[8:], {}) | entry for name, entry in found.items()}
    assert len(found) > 60
    assert {name for name, entry in texts.items() if len(entry.get("description", "")) > 5} == set(found)


def test_every_key_is_in_the_guide() -> None:
    missing = {name for name in keys(story_schema()) if not re.search(rf"\b{name.partition('.')[2]}\b", GUIDE)}
    assert missing <= {"LoraEntry.file"}


def test_the_schema_is_json() -> None:
    assert json.loads(json.dumps(story_schema())) == story_schema()
    assert set(story_schema()["required"]) == {"title", "pages"}
    assert Panel.__doc__ in story_schema()["$defs"]["Panel"]["description"]
