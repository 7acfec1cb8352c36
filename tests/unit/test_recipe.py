"""The recipe inside a picture: enough to make the same pixels again, and nothing about the people but their names."""

import getpass
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from photos import blocks
from PIL.PngImagePlugin import PngInfo
from tinies import couple, small_scene, tiny_composer

from multiid import (
    Box,
    Composer,
    Identity,
    IdentityError,
    Lora,
    Person,
    Picture,
    Point,
    Pose,
    Recipe,
    RecipeError,
    Scene,
    Size,
    find_identities,
    load_template,
    read_recipe,
)
from multiid.people.tensorfile import write_tensors
from multiid.pipeline.recipe import RECIPE_KEY


@pytest.fixture(scope="module")
def composer() -> Composer:
    return tiny_composer()


@pytest.fixture(scope="module")
def people(composer: Composer) -> list[Identity]:
    return couple(composer)


@pytest.fixture(scope="module")
def picture(composer: Composer, people: list[Identity]) -> Picture:
    return composer.compose(small_scene([Person(people[0], "in a red coat"), people[1]]))


def same(picture: Picture, other: Picture) -> bool:
    return np.array_equal(np.asarray(picture.image), np.asarray(other.image))


def carrying(path: Path, text: str | None) -> Path:
    """A PNG with that text as its recipe."""
    info = PngInfo()
    if text is not None:
        info.add_itxt(RECIPE_KEY, text)
    blocks(0).save(path, pnginfo=info)
    return path


def changed(picture: Picture, path: Path, **changes: Any) -> Path:
    """A PNG whose recipe was changed by hand."""
    return carrying(path, json.dumps(json.loads(picture.recipe.to_json()) | changes))


def test_a_saved_picture_carries_the_whole_recipe(picture: Picture, tmp_path: Path) -> None:
    (file,) = picture.save(tmp_path / "tea.png")
    recipe = read_recipe(file)
    assert recipe == picture.recipe
    assert recipe.to_json() == picture.recipe.to_json()
    content = json.loads(recipe.to_json())
    assert content["generated"] is True
    assert content["preset"] == "tiny"
    assert content["format"] == "multiid-recipe-1"
    assert set(content["versions"]) == {"multiid", "torch", "diffusers", "transformers", "peft"}
    assert content["people"][0]["phrase"] == "in a red coat"


def test_what_the_scene_left_open_is_recorded(composer: Composer, people: list[Identity]) -> None:
    scene = Scene("a {ada}", people=people[:1], template="single-portrait", width=64, height=128, steps=1)
    settings = vars(composer.compose(scene).recipe.scene)
    assert (settings["steps"], settings["guidance"], settings["layout"]) == (1, 5.0, "stack")
    assert (settings["scheduler"], settings["merge_step"], settings["style_strength"]) == ("euler", 0, None)
    assert isinstance(settings["seed"], int)
    assert (settings["width"], settings["height"]) == (64, 128)


def test_the_same_people_make_the_same_pixels(
    composer: Composer, people: list[Identity], picture: Picture, tmp_path: Path
) -> None:
    (file,) = picture.save(tmp_path / "tea.png")
    for person in people:
        person.save(tmp_path / f"{person.name}.safetensors")
    again = composer.compose(read_recipe(file).to_scene(find_identities(tmp_path)))
    assert same(again, picture)
    assert again.recipe == picture.recipe.model_copy(update={"scene": again.recipe.scene})
    other = composer.compose(replace(read_recipe(file).to_scene(people), seed=6))
    assert not same(other, picture)


@pytest.mark.parametrize(
    "changes",
    [
        {"images": 2, "seed": 9},
        {"layout": "inline", "scheduler": "dpm++-sde-karras", "negative_prompt": "rain"},
        {"template": None, "pose": load_template("couple-selfie").pose(), "soft_edge": 0.2, "face_markers": True},
        {"style_strength": 50.0, "merge_step": None, "control_scale": 0.5, "control_end": 0.5},
        {"guidance": 1.0, "control_identity": False, "scheduler": "heun"},
        {"template": "family-four"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_other_settings_make_the_same_pixels_again(
    composer: Composer, people: list[Identity], changes: dict[str, Any], tmp_path: Path
) -> None:
    picture = composer.compose(small_scene(people, **changes))
    files = picture.save(tmp_path / "tea.png")
    for index, file in enumerate(files):
        recipe = read_recipe(file)
        assert recipe.index == index
        again = composer.compose(recipe.to_scene(people))
        assert same(again.only(recipe.index), picture.only(index))


MASK = np.zeros((64, 96), bool)
MASK[10:, :40] = True
RAMP = np.linspace(0, 1, 96, dtype=np.float32)[None].repeat(64, 0)

REGIONS: dict[str, Any] = {
    "box": Box(0, 8.5, 90, 128),
    "bool": MASK,
    "float": RAMP,
    "double": RAMP.astype(np.float64) ** 2,
    "bytes": (RAMP * 255).astype(np.uint8),
    "wide": MASK.astype(np.int64) * 255,
    "grey": PIL.Image.fromarray((RAMP * 255).astype(np.uint8)),
    "bit": PIL.Image.fromarray(MASK),
    "colour": PIL.Image.fromarray(MASK).convert("RGB"),
    "palette": PIL.Image.fromarray(MASK).convert("P"),
    "clear": PIL.Image.merge("LA", [PIL.Image.new("L", (96, 64), 255), PIL.Image.fromarray(MASK).convert("L")]),
}


@pytest.mark.parametrize("kind", REGIONS)
def test_boxes_and_painted_masks_survive(composer: Composer, people: list[Identity], kind: str) -> None:
    scene = small_scene([Person(people[0], region=REGIONS[kind]), people[1]], images=1)
    picture = composer.compose(scene, output_type="latent")
    recipe = Recipe.model_validate_json(picture.recipe.to_json())
    again = recipe.to_scene(people)
    if kind == "box":
        assert again.cast[0].region == REGIONS[kind]
    assert torch.equal(composer.stage(again).regions, picture.stage.regions)
    assert 0.1 < picture.stage.regions[0].mean() < 0.9
    latents = composer.compose(again, output_type="latent").latents
    assert latents is not None
    assert picture.latents is not None
    assert torch.equal(latents, picture.latents)


def test_a_mask_leaves_only_its_pixels(composer: Composer, people: list[Identity]) -> None:
    painted = PIL.Image.fromarray(MASK).convert("RGB")
    painted.info |= {"icc_profile": b"made by somebody at home" * 50, "comment": "holidays"}
    alone = composer.compose(small_scene([Person(people[0], region=MASK), people[1]], steps=1))
    tagged = composer.compose(small_scene([Person(people[0], region=painted), people[1]], steps=1))
    assert tagged.recipe.people[0].mask == alone.recipe.people[0].mask


def test_no_path_and_no_embedding_leaves_with_the_picture(
    composer: Composer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in any byte of the file: neither where things lay, nor whose computer it was, nor when."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    blocks(0).save(tmp_path / "photos" / "aunt-mary.png")
    template = load_template("single-portrait").model_dump(mode="json", exclude_none=True)
    (tmp_path / "posture.json").write_text(json.dumps(template | {"name": "posture"}))
    ada = composer.identity("ada", "woman", tmp_path / "photos")
    scene = Scene("a {ada}", people=[ada], template=tmp_path / "posture.json", width=64, height=64, steps=1, seed=1)
    (file,) = composer.compose(scene).save(tmp_path / "tea.png")
    content = file.read_bytes()
    assert b"posture" in content
    assert ada.fingerprint.encode() in content
    year, user = time.localtime().tm_year, getpass.getuser()
    secrets = [str(tmp_path), "aunt-mary", "photos", str(Path.home()), ada.encoder, f"{year}-", f"{year}:", "tIME"]
    for secret in (*secrets, *([user] if len(user) > 3 else [])):  # shorter ones may come up by chance
        assert secret.encode() not in content, secret
    numbers = ada.embeddings.numpy().ravel()
    assert numbers[:2].tobytes() not in content
    assert f"{numbers[0]:.4f}".encode() not in content


def test_of_a_lora_only_its_name_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "ink.safetensors").write_bytes(b"")
    sources = [str(tmp_path / "ink.safetensors"), "owner/film", str(tmp_path / "gone.safetensors"), "~/a/b.safetensors"]
    scene = Scene("tea", steps=1, merge_step=0, seed=0, loras=[Lora(source, 0.5) for source in sources])
    recipe = Recipe.of(scene, size=Size(64, 64), pose=None, preset=None, own_latents=False)
    recorded = [lora.source for lora in recipe.to_scene([]).loras]
    assert recorded == ["ink.safetensors", "owner/film", "gone.safetensors", "b.safetensors"]


def test_people_are_found_by_fingerprint_under_the_name_they_had(
    people: list[Identity], picture: Picture, tmp_path: Path
) -> None:
    """Neither a file's name nor the name and noun in it matter, for pictures depend on the embeddings alone."""
    replace(people[1], name="newton", noun="old man").save(tmp_path / "a.safetensors")
    people[0].save(tmp_path / "z.safetensors")
    scene = picture.recipe.to_scene(find_identities(tmp_path))
    assert [(person.identity.name, person.identity.noun) for person in scene.cast] == [
        ("ada", "woman"),
        ("isaac", "man"),
    ]
    assert [person.identity.fingerprint for person in scene.cast] == [person.fingerprint for person in people]


def test_who_is_missing_is_named(composer: Composer, people: list[Identity], picture: Picture) -> None:
    stranger = composer.identity("isaac", "man", blocks(9))
    with pytest.raises(RecipeError) as caught:
        picture.recipe.to_scene([people[0], stranger])
    said = str(caught.value)
    assert f"Expected the identity files of isaac (man, {people[1].fingerprint[:12]}), but found ada" in said
    assert f"isaac ({stranger.fingerprint[:12]})" in said
    with pytest.raises(RecipeError, match=r"of ada .*, isaac .*, but found nobody: name the folder"):
        picture.recipe.to_scene([])


def test_folders_without_people(tmp_path: Path, people: list[Identity]) -> None:
    with pytest.raises(IdentityError, match=r"Expected a folder with identity files, but .*absent is none"):
        find_identities(tmp_path / "absent")
    with pytest.raises(IdentityError, match="found none: see multiid people add"):
        find_identities(tmp_path)
    write_tensors(tmp_path / "other.safetensors", {"weight": torch.zeros(1)}, {})
    (tmp_path / "notes.txt").write_text("ada")
    with pytest.raises(IdentityError, match="found none"):
        find_identities(tmp_path)
    people[0].save(tmp_path / "ada.safetensors")
    assert [person.name for person in find_identities(tmp_path)] == ["ada"]
    whole = (tmp_path / "ada.safetensors").read_bytes()
    (tmp_path / "isaac.safetensors").write_bytes(whole[:-8])
    with pytest.raises(IdentityError, match=r"isaac\.safetensors cannot be read"):
        find_identities(tmp_path)


def test_a_picture_of_given_latents_cannot_be_repeated(composer: Composer, people: list[Identity]) -> None:
    picture = composer.compose(small_scene(people), latents=torch.randn(1, 4, 16, 24))
    assert picture.recipe.unrecorded == ("latents",)
    with pytest.raises(RecipeError, match="latents were given by hand"):
        picture.recipe.to_scene(people)


def test_a_picture_saved_again_elsewhere_has_none(picture: Picture, tmp_path: Path) -> None:
    (file,) = picture.save(tmp_path / "tea.png")
    with PIL.Image.open(file) as image:
        PIL.Image.fromarray(np.asarray(image)).save(tmp_path / "copy.png")
        image.save(tmp_path / "tea.jpg")
    with pytest.raises(RecipeError, match="but it carries none: other programs drop it when they save"):
        read_recipe(tmp_path / "copy.png")
    for name, came in (("tea.jpg", "it is none, or damaged"), ("no.png", "No such file"), ("", "Is a directory")):
        with pytest.raises(RecipeError, match=f"expected a PNG picture with a recipe, but .*{came}"):
            read_recipe(tmp_path / name)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"format": "multiid-recipe-1"}'])
def test_damaged_json_is_refused(tmp_path: Path, text: str) -> None:
    file = carrying(tmp_path / "a.png", text)
    with pytest.raises(RecipeError) as caught:
        read_recipe(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)


def without(recipe: dict[str, Any], *path: Any) -> dict[str, Any]:
    record: Any = recipe
    for key in path[:-1]:
        record = record[key]
    del record[path[-1]]
    return recipe


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r | {"format": "multiid-recipe-2", "mood": "gay"}, "but got multiid-recipe-2: use the version"),
        (lambda r: r | {"format": 1}, "but got 1: use the version"),
        (lambda r: without(r, "format"), "but got None: use the version"),
        (lambda r: r | {"mood": "gay"}, "mood: unknown key"),
        (lambda r: without(r, "people", 0, "fingerprint"), "people.0.fingerprint: expected a value, but it is missing"),
        (lambda r: without(r, "scene", "prompt"), "scene.prompt: expected a value, but it is missing"),
        (lambda r: r | {"scene": r["scene"] | {"steps": 0}}, "scene.steps: expected greater than or equal to 1"),
        (lambda r: r | {"index": 1}, "expected an index below 1, the number of pictures, but got 1"),
        (lambda r: r | {"index": -1}, "index: expected greater than or equal to 0"),
        (lambda r: r | {"generated": False}, "generated: expected True, but got False"),
    ],
)
def test_damaged_recipes_say_where(
    picture: Picture, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], said: str
) -> None:
    file = carrying(tmp_path / "a.png", json.dumps(change(json.loads(picture.recipe.to_json()))))
    with pytest.raises(RecipeError) as caught:
        read_recipe(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "person",
    [
        {"box": [8, 0, 8, 8]},
        {"mask": "no base64!"},
        {"mask": "QUJD"},
    ],
)
def test_what_only_the_scene_can_tell_is_refused_then(
    picture: Picture, people: Sequence[Identity], person: dict[str, Any], tmp_path: Path
) -> None:
    content = json.loads(picture.recipe.to_json())
    content["people"][0] |= person
    recipe = read_recipe(carrying(tmp_path / "a.png", json.dumps(content)))
    with pytest.raises(RecipeError, match="but this one is damaged"):
        recipe.to_scene(people)


def test_a_pose_of_too_few_points_is_refused(picture: Picture, people: Sequence[Identity], tmp_path: Path) -> None:
    content = json.loads(picture.recipe.to_json())
    content["pose"]["places"][0]["keypoints"].pop()
    with pytest.raises(RecipeError, match="Expected 18 points in OpenPose order, but got 17"):
        read_recipe(carrying(tmp_path / "a.png", json.dumps(content))).to_scene(people)


def test_no_damage_to_the_file_escapes_as_another_error(picture: Picture, tmp_path: Path) -> None:
    (file,) = picture.save(tmp_path / "tea.png")
    whole = file.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for position in random.integers(0, min(len(whole), 4000), random.integers(1, 8)):
            damaged[position] = random.integers(256)
        file.write_bytes(damaged[: random.integers(8, len(whole))] if random.random() < 0.3 else damaged)
        try:
            read_recipe(file)
        except RecipeError:
            refused += 1
    print(f"{refused} of 300 damaged files refused")
    assert refused > 200


def test_a_recipe_of_other_library_versions_says_so(picture: Picture, people: list[Identity], tmp_path: Path) -> None:
    assert picture.recipe.notes == ()
    versions = {**picture.recipe.versions, "torch": "2.0.1", "xformers": "0.1"}
    recipe = read_recipe(changed(picture, tmp_path / "a.png", versions=versions))
    (note,) = recipe.notes
    here = picture.recipe.versions["torch"]
    assert note == (
        f"The picture was made with torch 2.0.1 (here {here}), xformers 0.1 (here None): pixels may differ."
    )
    assert recipe.to_scene(people).seed == 5


def test_a_pose_survives_bit_for_bit(composer: Composer, people: list[Identity]) -> None:
    """Also where its points lie beyond the canvas or are unseen."""
    pose = load_template("couple-selfie").pose().fitted(Size(192, 128))
    recipe = Recipe.of(
        replace(small_scene(people, template=None), pose=pose, layout="stack"),
        size=Size(192, 128),
        pose=pose,
        preset=None,
        own_latents=False,
    )
    back = Recipe.model_validate_json(recipe.to_json()).to_scene(people).pose
    assert isinstance(back, Pose)
    assert back == pose
    assert any(point is None for place in pose.places for point in place.skeleton.points)
    assert composer.stage(replace(small_scene(people, template=None), pose=back)).pose == pose


def test_hands_and_faces_of_a_pose_survive(composer: Composer, people: list[Identity]) -> None:
    pose = load_template("couple-selfie").pose()
    hand = (Point(0.25, 0.5), None, *(Point(0.25 + 0.005 * i, 0.55) for i in range(19)))
    face = tuple(Point(0.3 + 0.001 * i, 0.3) if i % 3 else None for i in range(70))
    place = pose.places[0]
    detailed = replace(place, skeleton=replace(place.skeleton, left_hand=hand, face=face))
    pose = replace(pose, places=(detailed, *pose.places[1:]))
    picture = composer.compose(small_scene(people, template=None, pose=pose))
    again = Recipe.model_validate_json(picture.recipe.to_json()).to_scene(people)
    assert picture.stage.pose is not None
    assert again.pose == picture.stage.pose
    skeleton = picture.stage.pose.places[0].skeleton
    assert skeleton.left_hand is not None
    assert skeleton.face is not None
    assert skeleton.right_hand is None
    assert composer.stage(again).control == picture.stage.control


def test_a_mask_of_another_size_is_refused_unread(composer: Composer, people: list[Identity]) -> None:
    masks = [np.zeros((128, 192), bool), np.zeros((128, 192), bool)]
    masks[0][:, :96], masks[1][:, 96:] = True, True
    cast = [Person(person, region=mask) for person, mask in zip(people, masks, strict=True)]
    recipe = composer.compose(small_scene(cast, template=None)).recipe
    larger = recipe.model_copy(update={"scene": recipe.scene.model_copy(update={"width": 200})})
    with pytest.raises(RecipeError, match="a mask is of 192x128 pixels, the picture of 200x128"):
        larger.to_scene(people)
