"""scene.yaml: every key arrives in the scene, paths lie beside the file, and faults are named before models load."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
import yaml
from annotated_types import Ge, Gt, Le
from conftest import ROOT
from photos import blocks, write_blocks

from multiid import (
    PRESETS,
    Box,
    Identity,
    IdentityError,
    Lora,
    MultiIDError,
    PhotoError,
    PromptError,
    RegionError,
    Scene,
    SceneError,
    TemplateError,
    load_scene_file,
    scene_schema,
)
from multiid.geometry import Size
from multiid.people.photo import Photo
from multiid.pipeline.scene_file import SceneFile, SceneSettings
from multiid.pipeline.staging import set_stage

ADA: dict[str, Any] = {"name": "ada", "noun": "woman", "photos": "ada.png"}
ISAAC: dict[str, Any] = {"name": "isaac", "noun": "old man", "photos": "isaac"}

# For each key of Scene that a file may hold: a value, and what must come with it.
VALUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "prompt": ("tea for {ada}", {}),
    "negative_prompt": ("rain", {}),
    "template": ("couple-selfie", {}),
    "casting": ("roles", {}),
    "layout": ("inline", {}),
    "merge_step": (-1, {}),
    "style_strength": (12.5, {}),
    "steps": (7, {}),
    "guidance": (3, {}),
    "scheduler": ("dpm++-karras", {}),
    "loras": ([{"source": "owner/film", "weight": -0.5, "file": "film.safetensors"}, {"source": "owner/ink"}], {}),
    "control_scale": (0.7, {}),
    "control_end": (0.5, {}),
    "control_identity": (False, {}),
    "mask_rule": ("multiplicative", {}),
    "face_markers": (True, {}),
    "soft_edge": (0.1, {}),
    "width": (640, {"height": 512}),
    "height": (640, {"width": 512}),
    "images": (3, {}),
    "seed": (0, {}),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with photos of two people; the tests run elsewhere."""
    folder = tmp_path / "scenes"
    write_blocks(folder / "ada.png", 0)
    write_blocks(folder / "isaac" / "1.png", 1)
    write_blocks(folder / "isaac" / "2.png", 2)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return folder


def write(folder: Path, document: Any) -> Path:
    file = folder / "scene.yaml"
    file.write_text(document if isinstance(document, str) else yaml.safe_dump(document), encoding="utf-8")
    return file


def person(name: str, noun: str, photos: Sequence[Photo]) -> Identity:
    """An identity that tells how many photos it was made of."""
    return Identity(name, noun, torch.ones(len(photos), 1, 8), encoder="e" * 64)


def read(folder: Path, **keys: Any) -> Scene:
    document = {"prompt": "a {ada}", "people": [ADA], "template": "couple-standing"} | keys
    return load_scene_file(write(folder, document)).scene(person)


def complaint(folder: Path, document: Any, error: type[MultiIDError] = SceneError) -> str:
    file = write(folder, document)
    with pytest.raises(error) as caught:
        load_scene_file(file)
    assert type(caught.value) is error
    text = str(caught.value)
    assert "\n" not in text
    return text.replace(str(file), "FILE").replace(str(folder), "FOLDER")


@pytest.mark.parametrize("key", VALUES)
def test_every_key_arrives_in_the_scene(folder: Path, key: str) -> None:
    value, more = VALUES[key]
    arrived = getattr(read(folder, **{key: value} | more), key)
    if key == "loras":
        assert arrived == (Lora("owner/film", -0.5, "film.safetensors"), Lora("owner/ink"))
    else:
        assert arrived == value
        assert type(arrived) is type(value) or (isinstance(value, int) and isinstance(arrived, float))


def test_the_keys_are_those_of_a_scene() -> None:
    not_plain = {"people", "pose", "init", "controls", "style_image"}
    assert set(VALUES) == {field.name for field in fields(Scene)} - not_plain
    assert set(SceneFile.model_fields) == set(VALUES) | {"people", "init"}
    values = {field.name: field.default for field in fields(Scene)}
    for key, field in SceneSettings.model_fields.items():
        assert field.is_required() == (key == "prompt")
        if key != "prompt":
            assert field.default == values[key]


def test_people_arrive_with_all_they_have(folder: Path) -> None:
    entry = ADA | {"phrase": "in red", "strength": 0.5, "place": 1, "box": [0, 8, 64, 128.5]}
    scene = read(folder, people=[entry, ISAAC | {"place": 0}], prompt="{ada}, {isaac}")
    ada, isaac = scene.cast
    assert (ada.identity.name, ada.identity.noun, ada.identity.images) == ("ada", "woman", 1)
    assert (ada.phrase, ada.strength, ada.place, ada.region) == ("in red", 0.5, 1, Box(0, 8, 64, 128.5))
    assert (isaac.identity.name, isaac.identity.noun, isaac.identity.images) == ("isaac", "old man", 2)
    assert (isaac.phrase, isaac.strength, isaac.place, isaac.region) == ("", 1.0, 0, None)


def test_paths_lie_beside_the_file(folder: Path) -> None:
    person("max", "boy", [Photo(blocks(0), "x")]).save(folder / "people.safetensors")
    template = json.loads((ROOT / "pose_templates" / "couple-selfie.json").read_text())
    (folder / "poses").mkdir()
    (folder / "poses" / "mine.json").write_text(json.dumps(template | {"name": "mine"}))
    (folder / "ink.safetensors").write_bytes(b"")
    scene = read(
        folder,
        people=[ADA | {"photos": ["ada.png", "isaac"]}, {"identity": "people.safetensors"}],
        template="poses/mine.json",
        loras=[{"source": "ink.safetensors"}, {"source": "owner/ink"}],
    )
    assert scene.cast[0].identity.images == 3
    assert scene.cast[1].identity.name == "max"
    assert scene.template == folder / "poses" / "mine.json"
    assert [lora.source for lora in scene.loras] == [str(folder / "ink.safetensors"), "owner/ink"]
    shutil.copy(folder / "poses" / "mine.json", folder / "mine.json")
    assert read(folder, template="mine.json").template == folder / "mine.json"


def test_a_template_of_that_name_elsewhere_is_not_taken(folder: Path) -> None:
    shutil.copy(ROOT / "pose_templates" / "couple-selfie.json", "couple-selfie.json")  # in the working directory
    document = {"prompt": "tea", "template": "couple-selfie.json"}
    assert "FOLDER/couple-selfie.json: expected a template, but it cannot be read" in complaint(
        folder, document, TemplateError
    )


def test_regions_wait_for_a_size_that_only_the_preset_knows(folder: Path) -> None:
    region = Box(0, 0, 5000, 5000)
    assert read(folder, template=None, people=[ADA | {"box": list(region.corners)}]).cast[0].region == region


def test_a_name_too_long_for_a_file_is_no_file(folder: Path) -> None:
    assert read(folder, loras=[{"source": "o/" + "n" * 300}]).loras[0].source == "o/" + "n" * 300


def test_absolute_paths_are_taken_as_they_are(folder: Path, tmp_path: Path) -> None:
    far = write_blocks(tmp_path / "far" / "ada.png", 5)
    assert read(folder, people=[ADA | {"photos": str(far)}]).cast[0].identity.images == 1


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "RGBA", "LA"])
def test_a_painted_mask_is_white_where_the_person_is(folder: Path, mode: str) -> None:
    """Transparent counts as black, whatever colour is beneath."""
    painted = np.zeros((128, 192), np.uint8)
    painted[32:, :96] = 255
    picture = PIL.Image.fromarray(painted)
    if mode in ("RGBA", "LA"):
        picture = PIL.Image.merge(mode, [PIL.Image.new("L", picture.size, 255)] * (len(mode) - 1) + [picture])
    picture.convert(mode).save(folder / "mask.png")
    scene = read(folder, people=[ADA | {"mask": "mask.png"}], template=None, width=192, height=128)
    (region,) = set_stage(scene, default_size=Size(64, 64), multiple=8, limb_width=4).regions
    assert torch.equal(region, torch.from_numpy(painted / 255).float())


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"promt": "tea"}, "promt: unknown key; did you mean 'prompt'? (and 1 more)."),
        ({"prompt": "tea", "pose": 1}, "pose: unknown key; known are casting, control_end, "),
        ({"prompt": "a", "people": [ADA | {"foto": 1}]}, "people.0.foto: unknown key; did you mean 'photos'?"),
        ({"prompt": "a", "people": [ADA, ISAAC | {"strenght": 1}]}, "people.1.strenght: unknown key; did you mean "),
        ({"prompt": "a", "loras": [{"source": "x/y", "wieght": 1}]}, "loras.0.wieght: unknown key; did you mean "),
        ({"template": "couple-standing"}, "prompt: expected a value, but it is missing."),
        ({"prompt": 3}, "prompt: expected a text, but got 3: put a text that looks like a number"),
        ({"prompt": "a", "people": ADA}, "people: expected a list, but got "),
        ({"prompt": "a", "people": ["ada"]}, "people.0: expected "),
        ({"prompt": "a", "steps": "30"}, "steps: expected a valid integer, but got '30'."),
        ({"prompt": "a", "steps": 2.5}, "steps: expected a valid integer, but got 2.5."),
        ({"prompt": "a", "steps": True}, "steps: expected a valid integer, but got True."),
        ({"prompt": "a", "guidance": True}, "guidance: expected a valid number, but got True."),
        ({"prompt": "a", "guidance": float("nan")}, "guidance: expected less than or equal to 100, but got nan."),
        ({"prompt": "a", "face_markers": 1}, "face_markers: expected a valid boolean, but got 1."),
        ({"prompt": "a", "layout": "stak"}, "layout: expected 'stack', 'inline' or 'auto', but got 'stak'."),
        ({"prompt": "a", "template": 3}, "template: expected a text, but got 3: put a text"),
        ({"prompt": "a", "merge_step": 1, "style_strength": 20}, "expected either merge_step or style_strength"),
        ({"prompt": "a", "width": 512}, "width and height: expected both or neither, but got one."),
        ({"prompt": "a", "width": 510, "height": 512}, "expected a multiple of 8, but got 510: the nearest is 512."),
        ({"prompt": "a", "scheduler": "eular"}, "expected the name of a sampler, but got 'eular'; did you mean"),
        ({"prompt": "a", "people": [ADA | {"strength": 11}]}, "people.0.strength: expected less than or equal to 10"),
        ({"prompt": "a", "people": [ADA | {"strength": -1}]}, "people.0.strength: expected greater than or equal to 0"),
        ({"prompt": "a", "people": [ADA | {"place": -1}]}, "people.0.place: expected greater than or equal to 0"),
        ({"prompt": "a", "people": [ADA | {"photos": []}]}, "people.0.photos: expected a photo or a folder, or a list"),
        ({"prompt": "a", "people": [ADA | {"photos": 3}]}, "people.0.photos: expected a photo or a folder, or a list"),
        ({"prompt": "a", "people": [ADA | {"photos": ""}]}, "people.0.photos: expected a photo or a folder, or a list"),
        ({"prompt": "a", "people": [ADA | {"box": [1, 2, 3]}]}, "people.0.box: expected at least 4 values, but got 3."),
        ({"prompt": "a", "people": [ADA | {"box": [9, 2, 3, 4]}]}, "people.0.box: Expected a box with right > left"),
        ({"prompt": "a", "people": [ADA | {"box": [1, 2, 3, "4"]}]}, "people.0.box.3: expected a valid number"),
        ({"prompt": "a", "people": [ADA | {"box": [1, 2, 3, 4], "mask": "m.png"}]}, "a box or a mask, but got both."),
        ({"prompt": "a", "people": [ADA | {"identity": "a"}]}, "but got identity and name."),
        ({"prompt": "a", "people": [{"identity": "a", "photos": "b"}]}, "but got identity and photos."),
        ({"prompt": "a", "people": [{"name": "ada"}]}, "but without noun and photos."),
        ({"prompt": "a", "people": [ADA, ADA], "template": "couple-selfie"}, "every name once, but ada came twice."),
        ({"prompt": "a", "people": [ADA, ISAAC]}, "template: expected one, or a box or mask for each person"),
        ({"prompt": "a", "people": [ADA, ISAAC], "template": "single-portrait"}, "at most 1, one per place, but got 2"),
        ({"prompt": "a", "people": [ADA | {"place": 2}], "template": "couple-selfie"}, "0 to 1, but ada asks for 2."),
        ({"prompt": "a", "people": [ADA | {"place": 0}]}, "expected a template or a pose to stand in"),
        (["prompt"], "expected keys such as prompt and people, but got list."),
        ("", "expected keys such as prompt and people, but got NoneType."),
    ],
)
def test_what_is_wrong_names_file_and_key(folder: Path, document: Any, said: str) -> None:
    text = complaint(folder, document)
    assert text.startswith("FILE: ")
    assert said in text


@pytest.mark.parametrize(
    ("document", "error", "said"),
    [
        ({"prompt": "{eda}", "people": [ADA]}, PromptError, "FILE: Expected the name of a person of the scene"),
        ({"prompt": "a } b"}, PromptError, 'FILE: Expected braces in pairs, but "}" stands alone'),
        ({"prompt": "a", "people": [ADA | {"name": "a b"}]}, IdentityError, "FILE: Expected a name of letters"),
        ({"prompt": "a", "people": [ADA | {"noun": ""}]}, IdentityError, "FILE: Expected a class noun of words"),
        ({"prompt": "a", "template": "cuple-selfie"}, TemplateError, "did you mean 'couple-selfie'?"),
        ({"prompt": "a", "people": [{"identity": "no.safetensors"}]}, IdentityError, "FOLDER/no.safetensors"),
        (
            {"prompt": "a", "people": [ADA | {"box": [0, 0, 2000, 9]}], "template": "single-portrait"},
            RegionError,
            "FILE: Expected the box of people[0] (ada) inside the picture",
        ),
        (
            {"prompt": "a", "people": [ADA | {"mask": "ada.png"}], "width": 192, "height": 128},
            RegionError,
            "FILE: Expected a mask of the picture's aspect ratio",
        ),
        ({"prompt": "a", "people": [ADA | {"photos": "no.png"}]}, PhotoError, "there is no FOLDER/no.png"),
        ({"prompt": "a", "people": [ADA | {"mask": "no.png"}]}, PhotoError, "there is no FOLDER/no.png"),
    ],
)
def test_names_words_and_files_are_looked_at_before_any_model(
    folder: Path, document: Any, error: type[MultiIDError], said: str
) -> None:
    assert said in complaint(folder, document, error)


def test_regions_must_fit_the_pictures_of_the_preset(folder: Path) -> None:
    """The miniature's pictures are smaller than the template's, and their sides not quite in the same proportion."""
    PIL.Image.new("L", (312, 184), 255).save(folder / "mask.png")
    masked = {"prompt": "a", "template": "team-eight", "people": [ADA | {"mask": "mask.png"}]}
    boxed = masked | {"people": [ADA | {"box": [0, 0, 600, 300]}]}
    for document, defaults in ((masked, None), (boxed, PRESETS["mini"].defaults)):
        (folder / "scene.yaml").write_text(yaml.safe_dump(document))
        with pytest.raises(RegionError):
            load_scene_file(folder / "scene.yaml", defaults=defaults)
    for document, defaults in ((boxed, None), (masked, PRESETS["mini"].defaults)):
        (folder / "scene.yaml").write_text(yaml.safe_dump(document))
        assert load_scene_file(folder / "scene.yaml", defaults=defaults).people


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prompt: a\nsteps: [1\nseed: 2", "FILE, line 3: expected YAML, but this is none"),
        ("prompt: tea\nseed: 1\nseed: 2", "FILE, line 3: expected YAML, but this is none: the key 'seed' comes twice"),
        ("prompt: {ada} and {isaac}", "FILE, line 1: expected YAML, but this is none"),
        ("prompt: tea: green", "line 1: expected YAML, but this is none: mapping values are not allowed here (texts"),
        ("prompt: tea\n---\nprompt: coffee", "FILE, line 2: expected YAML, but this is none: found another document"),
        ("prompt: !!python/object/apply:os.getcwd []", "line 1: expected YAML, but this is none: could not determine"),
        ("seed: 2020-13-45", "FILE: expected YAML, but a value in it cannot be read"),
        ("prompt: \x00", "FILE, line 1: expected YAML, but it holds '\\x00', which is no character of a text."),
        ("[" * 3000, "FILE: expected YAML, but it is nested too deeply."),
    ],
)
def test_what_is_no_yaml_names_the_line(folder: Path, text: str, said: str) -> None:
    assert said in complaint(folder, text)


def test_other_bytes_and_absent_files(folder: Path) -> None:
    with pytest.raises(SceneError, match=r"no\.yaml: expected a YAML file, but it cannot be read: No such file"):
        load_scene_file(folder / "no.yaml")
    with pytest.raises(SceneError, match="cannot be read: Is a directory"):
        load_scene_file(folder)
    with pytest.raises(SceneError, match="expected YAML as UTF-8 text"):
        load_scene_file(folder / "ada.png")


def test_a_byte_order_mark_is_no_key(folder: Path) -> None:
    (folder / "scene.yaml").write_bytes("\ufeffprompt: tea".encode())
    assert load_scene_file(folder / "scene.yaml").scene(person).prompt == "tea"


def test_the_example_is_valid() -> None:
    entry = load_scene_file(ROOT / "examples" / "tea.yaml")
    assert [member.identity.name for member in entry.scene(person).cast] == ["ada", "isaac"]


# The schema, for editors.

KEYWORDS = {
    "$defs", "$ref", "additionalProperties", "anyOf", "default", "description", "enum", "exclusiveMinimum", "items",
    "maxItems", "maximum", "minItems", "minimum", "properties", "required", "title", "type",
}  # fmt: skip


def nodes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema and all schemas within it."""
    children = [*schema.get("$defs", {}).values(), *schema.get("properties", {}).values(), *schema.get("anyOf", [])]
    children += [schema["items"]] if "items" in schema else []
    return [schema, *(node for child in children for node in nodes(child))]


def test_the_schema_is_a_json_schema() -> None:
    schema = scene_schema()
    assert json.loads(json.dumps(schema)) == schema
    for node in nodes(schema):
        assert set(node) <= KEYWORDS
        assert node.get("type", "null") in ("object", "array", "string", "number", "integer", "boolean", "null")
        assert node.get("$ref", "#/$defs/LoraEntry") in {f"#/$defs/{name}" for name in schema["$defs"]}
        if "properties" in node:
            assert set(node.get("required", [])) <= set(node["properties"])
            assert node["additionalProperties"] is False
            assert "Args:" not in node["description"]


def test_every_key_is_described() -> None:
    schema = scene_schema()
    for record in (schema, *schema["$defs"].values()):
        for name, key in record["properties"].items():
            assert len(key.get("description", "")) > 5, name


def limits(node: dict[str, Any]) -> set[tuple[str, float]]:
    spread = [node, *node.get("anyOf", [])]
    return {(key, part[key]) for part in spread for key in ("minimum", "maximum", "exclusiveMinimum") if key in part}


def test_ranges_reach_the_schema_also_where_none_is_allowed() -> None:
    properties = scene_schema()["properties"]
    names = {Ge: ("minimum", "ge"), Gt: ("exclusiveMinimum", "gt"), Le: ("maximum", "le")}
    ranged = 0
    for field in fields(Scene):
        hint = Scene.__annotations__[field.name]
        marks = [mark for part in (hint, *getattr(hint, "__args__", ())) for mark in getattr(part, "__metadata__", ())]
        expected = {(names[type(mark)][0], getattr(mark, names[type(mark)][1])) for mark in marks}
        if expected:
            assert limits(properties[field.name]) == expected, field.name
            ranged += 1
    assert ranged == 11
    definitions = scene_schema()["$defs"]
    assert limits(definitions["PersonEntry"]["properties"]["strength"]) == {("minimum", 0), ("maximum", 10)}
    assert limits(definitions["PersonEntry"]["properties"]["place"]) == {("minimum", 0)}
    assert limits(definitions["LoraEntry"]["properties"]["weight"]) == {("minimum", -10), ("maximum", 10)}


RANGES = [
    ("merge_step", -1, 1000, 1),
    ("style_strength", 0.0, 100.0, 0.5),
    ("steps", 1, 1000, 1),
    ("guidance", 0.0, 100.0, 0.5),
    ("control_scale", 0.0, 2.0, 0.1),
    ("control_end", 0.01, 1.0, 0.01),
    ("soft_edge", 0.0, 0.5, 0.1),
    ("images", 1, 64, 1),
    ("seed", 0, 2**63 - 65, 1),
]


@pytest.mark.parametrize(("key", "least", "most", "step"), RANGES)
def test_ranges_include_their_ends_and_nothing_beyond(
    folder: Path, key: str, least: float, most: float, step: float
) -> None:
    for value in (least, most):
        assert getattr(read(folder, **{key: value}), key) == value
        assert getattr(Scene("tea", **{key: value}), key) == value
    for value in (least - step, most + step):
        text = complaint(folder, {"prompt": "tea", key: value})
        assert text.startswith(f"FILE: {key}: expected ")
        assert text.endswith(f", but got {value}.")
        with pytest.raises(SceneError, match=f"^{key}: expected (at least|at most|more than) .*, but got {value}.$"):
            Scene("tea", **{key: value})
