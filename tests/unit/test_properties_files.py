"""Files that people write, tried on many that nobody thought of: what is right arrives whole, the rest is refused."""

import copy
import json
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from photos import blocks, write_blocks
from PIL.PngImagePlugin import PngInfo

from multiid import (
    Identity,
    IdentityError,
    MultiIDError,
    Recipe,
    RecipeError,
    Scene,
    SceneError,
    Size,
    TemplateError,
    load_scene_file,
    load_template,
    read_recipe,
    template_names,
)
from multiid.people.identity import check_words
from multiid.pipeline.recipe import RECIPE_KEY
from multiid.pipeline.scene_file import SceneFile, parse_scene
from multiid.pipeline.schedulers import SCHEDULERS
from multiid.pipeline.yaml_file import read_yaml

# The type checker of the tests draws which items of a list it looks at.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

# What a file may say, as plain data.
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
words = st.text(string.ascii_letters + "äß漢 ,.-", min_size=1, max_size=20).filter(str.strip)
ADA: dict[str, Any] = {"name": "ada", "noun": "woman", "photos": "ada.png"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_blocks(folder / "ada.png")
    return folder


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


@st.composite
def scene_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Scene files that are right, with every key now and then."""
    width, height = 8 * draw(st.integers(8, 40)), 8 * draw(st.integers(8, 40))
    left, top = draw(st.integers(0, width - 8)), draw(st.integers(0, height - 8))
    box = [left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))]
    person = ADA | {"box": box, "phrase": draw(words), "strength": draw(st.floats(0, 10))}
    document = {
        "prompt": f"{draw(words)} {{ada}} {draw(words)}",
        "people": [person],
        "width": width,
        "height": height,
        "negative_prompt": draw(maybe(words)),
        "layout": draw(maybe(st.sampled_from(["stack", "inline", "auto"]))),
        "merge_step": draw(maybe(st.integers(-1, 1000))),
        "steps": draw(maybe(st.integers(1, 1000))),
        "guidance": draw(maybe(st.floats(0, 100))),
        "scheduler": draw(maybe(st.sampled_from(sorted(SCHEDULERS)))),
        "control_scale": draw(maybe(st.floats(0, 2))),
        "control_end": draw(maybe(st.floats(0.001, 1))),
        "face_markers": draw(maybe(st.booleans())),
        "soft_edge": draw(maybe(st.floats(0, 0.5))),
        "images": draw(maybe(st.integers(1, 64))),
        "seed": draw(maybe(st.integers(0, 2**63 - 65))),
        "loras": draw(maybe(st.lists(st.fixed_dictionaries({"source": st.just("o/x"), "weight": st.floats(-10, 10)})))),
    }
    return {key: value for key, value in document.items() if value is not None}


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """A document with one of its values replaced, left out or joined by a new one, anywhere in it."""
    whole = [copy.deepcopy(document)]
    holder: Any = whole
    key: Any = 0
    while isinstance(holder[key], dict | list) and holder[key] and draw(st.integers(0, 3)):
        holder = holder[key]
        key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    change = draw(st.sampled_from(["replace", "replace", "drop", "add"]))
    if change == "drop" and holder is not whole:
        del holder[key]
    elif change == "add" and isinstance(holder, dict):
        holder[draw(st.text(max_size=8))] = draw(json_values)
    else:
        holder[key] = draw(json_values)
    return whole[0]


def person(name: str, noun: str, photos: Any) -> Identity:
    return Identity(name, noun, torch.ones(len(photos), 1, 8), encoder="e" * 64)


def refusal(work: Callable[[], object], kind: type[MultiIDError] = MultiIDError) -> str:
    """What is said, in one line, about what is refused; nothing where all is well."""
    try:
        work()
    except kind as error:
        said = str(error)
    else:
        return ""
    assert said
    assert len(said.splitlines()) == 1
    assert len(said) < 2000
    return said


# Scenes


@settings(max_examples=25)
@given(document=scene_documents())
def test_a_scene_file_arrives_whole(folder: Path, document: dict[str, Any]) -> None:
    file = folder / "scene.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    scene = load_scene_file(file).scene(person)
    (ada,) = scene.cast
    for key, value in document.items():
        if key == "loras":
            assert [{"source": lora.source, "weight": lora.weight} for lora in scene.loras] == value
        elif key != "people":
            assert getattr(scene, key) == value
    (entry,) = document["people"]
    assert (ada.identity.name, ada.phrase, ada.strength) == ("ada", entry["phrase"], entry["strength"])
    assert list(ada.region.corners) == entry["box"]  # type: ignore[union-attr]


@settings(max_examples=40)
@given(data=st.data())
def test_a_changed_scene_file_is_read_or_refused_in_one_line(folder: Path, data: st.DataObject) -> None:
    document = data.draw(changed(data.draw(scene_documents())))
    file = folder / "changed.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    said = refusal(lambda: load_scene_file(file))
    assert not said or str(folder) in said


@settings(max_examples=40)
@given(document=scene_documents(), name=st.text(string.ascii_lowercase, min_size=1, max_size=12), value=json_values)
def test_no_unknown_key_is_passed_over(document: dict[str, Any], name: str, value: Any) -> None:
    for place in (document, document["people"][0]):
        known = (
            SceneFile.model_fields
            if place is document
            else SceneFile.model_fields["people"].annotation.__args__[0].model_fields
        )  # type: ignore[union-attr]
        if name in known:
            continue
        place[name] = value
        with pytest.raises(SceneError, match=rf"{name}: unknown key; "):
            parse_scene(document, "scene.yaml")
        del place[name]


@settings(max_examples=60)
@given(data=plain)
def test_any_data_is_a_scene_or_refused_in_one_line(data: Any) -> None:
    said = refusal(lambda: parse_scene(data, "scene.yaml"), SceneError)
    assert not said or said.startswith("scene.yaml: ")


# YAML

yaml_texts = st.text("ab01:- []{}&*!<>|%@`'\"\n\t#?,.\\~=x_", max_size=40) | st.text(max_size=20)


@settings(max_examples=100)
@given(content=yaml_texts.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=20))
def test_any_bytes_are_yaml_or_refused_in_one_line(folder: Path, content: bytes) -> None:
    file = folder / "any.yaml"
    file.write_bytes(content)
    said = refusal(lambda: read_yaml(file), SceneError)
    assert not said or said.startswith(f"{file}")


@settings(max_examples=40)
@given(data=st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(string.ascii_letters, max_size=5), inner),
    max_leaves=8,
))  # fmt: skip
def test_plain_data_come_back_from_yaml_as_they_were(folder: Path, data: Any) -> None:
    file = folder / "plain.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    assert read_yaml(file) == data


# Templates


def template_document(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "pose_templates" / f"{name}.json").read_text(encoding="utf-8"))


@settings(max_examples=15)
@given(
    heights=st.lists(st.floats(0.3, 0.8), min_size=1, max_size=4), turn=st.floats(-40, 40), nod=st.floats(-20, 20),
    title=words, depth=st.floats(0, 5), sitting=st.booleans(), tags=st.lists(words, max_size=3),
)  # fmt: skip
def test_a_template_file_arrives_whole(
    folder: Path,
    heights: list[float],
    turn: float,
    nod: float,
    title: str,
    depth: float,
    sitting: bool,
    tags: list[str],
) -> None:
    bodies = [
        {
            "height": height,
            "face": [(index + 1) / (len(heights) + 1), 0.3],
            "turn": turn,
            "head_nod": nod,
            "stance": "sitting" if sitting else "standing",
        }
        for index, height in enumerate(heights)
    ]
    document = {
        "name": "made-up",
        "title": title,
        "size": [1536, 768],
        "tags": tags,
        "places": [{"body": body, "depth": depth} for body in bodies],
    }
    file = folder / "made-up.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    template = load_template(file)
    assert template.model_dump(mode="json", exclude_unset=True) | {"places": []} == document | {"places": []}
    pose = template.pose()
    assert pose.size == Size(1536, 768)
    for place, body in zip(pose.places, bodies, strict=True):
        assert place.depth == depth
        assert place.skeleton["nose"] == pytest.approx(tuple(body["face"]), abs=1e-6)


@settings(max_examples=50)
@given(data=st.data(), name=st.sampled_from(template_names()))
def test_a_changed_template_is_read_or_refused_in_one_line(folder: Path, data: st.DataObject, name: str) -> None:
    file = folder / "changed.json"
    file.write_text(json.dumps(data.draw(changed(template_document(name)))), encoding="utf-8")
    said = refusal(lambda: load_template(file).pose(), TemplateError)
    assert not said or said.startswith(f"{file}: ")


# Recipes

KNOWN = Identity("ada", "woman", torch.ones(1, 1, 8), encoder="e" * 64)


def recipe() -> dict[str, Any]:
    scene = Scene("a {ada}", people=[KNOWN], steps=2, seed=1, layout="stack", merge_step=0, guidance=5.0)
    pose = load_template("single-portrait").pose()
    return json.loads(Recipe.of(scene, size=Size(128, 128), pose=pose, preset="tiny").to_json())


@settings(max_examples=50)
@given(data=st.data())
def test_a_changed_recipe_is_read_or_refused_in_one_line(folder: Path, data: st.DataObject) -> None:
    info = PngInfo()
    info.add_itxt(RECIPE_KEY, json.dumps(data.draw(changed(recipe()))))
    file = folder / "changed.png"
    blocks(0).save(file, pnginfo=info)
    said = refusal(lambda: read_recipe(file), RecipeError)
    assert not said or said.startswith(f"{file}: ")
    if not said:
        refusal(lambda: read_recipe(file).to_scene([KNOWN]))


# Identities

names = st.text(st.characters(categories=["L", "M", "N"], include_characters="-_"), min_size=1, max_size=12)


@settings(max_examples=40)
@given(
    name=names, noun=st.lists(names, min_size=1, max_size=3).map(" ".join),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 9)), seed=st.integers(0, 99),
    kinds=st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=5), max_size=2, unique=True),
)  # fmt: skip
def test_an_identity_file_arrives_whole(
    folder: Path, name: str, noun: str, shape: tuple[int, int, int], seed: int, kinds: list[str]
) -> None:
    noun = noun.replace("_", "-")
    generator = torch.Generator().manual_seed(seed)
    faces = {kind: torch.randn(2, 5, generator=generator) for kind in kinds}
    identity = Identity(name, noun, torch.randn(shape, generator=generator), encoder="e" * 64, face_embeddings=faces)
    file = folder / "somebody.safetensors"
    identity.save(file)
    found = Identity.load(file)
    assert (found.name, found.noun, found.encoder) == (name, noun, identity.encoder)
    assert found.fingerprint == identity.fingerprint
    assert torch.equal(found.embeddings, identity.embeddings)
    assert set(found.face_embeddings) == set(faces)
    assert all(torch.equal(found.face_embeddings[kind], faces[kind]) for kind in kinds)


@settings(max_examples=50)
@given(name=st.text(max_size=12), noun=st.text(max_size=12))
def test_words_that_cannot_stand_in_prompts_are_refused(name: str, noun: str) -> None:
    said = refusal(lambda: check_words(name, noun), IdentityError)
    assert said or not set(name + noun) & set("{}\n\t.,")
