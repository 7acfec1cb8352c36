"""Malformed input of every kind: one clear line, exit code 2, nothing written, and what was there left alone."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from click.testing import CliRunner
from conftest import ROOT
from photos import blocks, write_blocks
from PIL.PngImagePlugin import PngInfo
from tinies import write_scene

from multiid import Identity, Recipe, Scene, Size
from multiid.cli import main
from multiid.modelfiles import MODELS_DIR_VARIABLE
from multiid.pipeline.tiny import tiny_adapter

# Each makes its input in a folder with a good scene, and gives the command to run there.
Command = list[str]
COMPOSE = ["compose", "scene.yaml", "--preset", "tiny", "--device", "cpu", "-o", "out/tea.png"]


def add(photo: str, *, options: tuple[str, ...] = ("--preset", "tiny")) -> Command:
    return ["people", "add", "ada", "--noun", "woman", "--photos", photo, "-o", "out/ada.safetensors", *options]


def with_photo(make: Callable[[Path], object], name: str = "photo.jpg") -> Callable[[Path], Command]:
    def prepare(folder: Path) -> Command:
        make(folder / name)
        return add(name)

    return prepare


def cut(file: Path) -> None:
    blocks(0).save(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def animate(file: Path) -> None:
    blocks(0).save(file, save_all=True, append_images=[blocks(1)])


def fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.txt").write_text("no photo")


def with_scene(**changes: Any) -> Callable[[Path], Command]:
    def prepare(folder: Path) -> Command:
        write_scene(folder, **changes)
        return COMPOSE

    return prepare


def with_text(text: str | bytes) -> Callable[[Path], Command]:
    def prepare(folder: Path) -> Command:
        (folder / "scene.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return COMPOSE

    return prepare


def with_ada(**changes: Any) -> Callable[[Path], Command]:
    def prepare(folder: Path) -> Command:
        people = yaml.safe_load((folder / "scene.yaml").read_text())["people"]
        write_scene(folder, people=[people[0] | changes, people[1]])
        return COMPOSE

    return prepare


class Burglar:
    """Unpickling it leaves a mark in the working directory."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("burgled",)


def with_checkpoint(make: Callable[[Path], object]) -> Callable[[Path], Command]:
    """For a preset that takes other adapters; neither the network nor its other models are needed to refuse one."""

    def prepare(folder: Path) -> Command:
        make(folder / "adapter.bin")
        return add("ada.png", options=("--preset", "sdxl", "--adapter", "adapter.bin"))

    return prepare


def cut_checkpoint(file: Path) -> None:
    tiny_adapter().save(file)
    file.write_bytes(file.read_bytes()[:-1000])


def unlike_checkpoint(file: Path) -> None:
    torch.save(
        {"id_encoder": {"vision_model.weight": torch.zeros(2)}, "lora_weights": {"unet.x": torch.zeros(2)}}, file
    )


def with_template(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Path], Command]:
    def prepare(folder: Path) -> Command:
        template = json.loads((ROOT / "pose_templates" / "couple-standing.json").read_text())
        (folder / "mine.json").write_text(json.dumps(change(template)))
        write_scene(folder, template="mine.json")
        return COMPOSE

    return prepare


def with_identity(make: Callable[[Path], object]) -> Callable[[Path], Command]:
    def prepare(folder: Path) -> Command:
        make(folder / "ada.safetensors")
        isaac = yaml.safe_load((folder / "scene.yaml").read_text())["people"][1]
        write_scene(folder, people=[{"identity": "ada.safetensors"}, isaac])
        return COMPOSE

    return prepare


def with_options(*options: str) -> Callable[[Path], Command]:
    return lambda _: [*COMPOSE, *options]


def with_recipe(text: str | None, *, people: str = "people") -> Callable[[Path], Command]:
    """A picture with that recipe, and a folder with one person."""

    def prepare(folder: Path) -> Command:
        info = PngInfo()
        if text is not None:
            info.add_itxt("multiid", text)
        blocks(0).save(folder / "picture.png", pnginfo=info)
        (folder / "people").mkdir()
        person("max").save(folder / "people" / "max.safetensors")
        return ["compose", "--from", "picture.png", "--people", people, "-o", "out/tea.png"]

    return prepare


def person(name: str, *, encoder: str = "0" * 64) -> Identity:
    """Somebody of an ID encoder that no preset has."""
    return Identity(name, "woman", torch.full((1, 1, 48), len(name) / 10), encoder=encoder)


def recipe(**changes: Any) -> str:
    """The recipe of a picture of Ada."""
    scene = Scene("a {ada}", people=[person("ada1")], steps=2, seed=1, layout="stack", merge_step=0, guidance=5.0)
    made = Recipe.of(scene, size=Size(128, 128), pose=None, preset="tiny", own_latents=False)
    return json.dumps(json.loads(made.to_json()) | changes)


CASES: dict[str, tuple[Callable[[Path], Command], str]] = {
    # Photos
    "a photo that is text": (with_photo(lambda file: file.write_text("no photo")), "Expected a JPEG, PNG or WebP"),
    "a photo that is empty": (with_photo(lambda file: file.touch()), "photo.jpg is empty"),
    "a photo cut short": (with_photo(cut), "ends too early or is damaged"),
    "a photo too small": (
        with_photo(lambda file: write_blocks(file, side=40)),
        "at least 64 pixels, but photo.jpg has",
    ),
    "an animated photo": (with_photo(animate, "photo.webp"), "Expected a still photo, but photo.webp is animated"),
    "an empty folder": (with_photo(Path.mkdir, "people"), "but people is empty"),
    "a folder without photos": (with_photo(fill, "people"), "none of its entries is one, for example notes.txt"),
    "a photo that is not there": (lambda _: add("absent.jpg"), "there is no absent.jpg; check the path"),
    "a good photo and a bad one": (lambda _: [*add("ada.png"), "scene.yaml"], "but scene.yaml begins with"),
    # Scenes
    "a scene that is no YAML": (with_text("prompt: [a\nseed: 1"), "scene.yaml, line 2: expected YAML"),
    "a scene of other bytes": (with_text(b"\xff\xd8\xff\x00"), "scene.yaml: expected YAML as UTF-8 text"),
    "a scene that is a list": (with_text("- prompt"), "expected keys such as prompt and people, but got list"),
    "a scene that is not there": (lambda _: ["compose", "no.yaml", *COMPOSE[2:]], "no.yaml: expected a YAML file"),
    "an unknown key": (with_scene(guidence=3), "guidence: unknown key; did you mean 'guidance'?"),
    "an unknown key of a person": (with_ada(frase="x"), "people.0.frase: unknown key; did you mean 'phrase'?"),
    "a key of the wrong type": (with_scene(steps="many"), "steps: expected a valid integer, but got 'many'."),
    "a key out of range": (with_scene(soft_edge=0.9), "soft_edge: expected less than or equal to 0.5, but got 0.9."),
    "a strength that is no number": (with_ada(strength=float("nan")), "people.0.strength: expected"),
    "an unknown sampler": (with_scene(scheduler="eular"), "but got 'eular'; did you mean 'euler'"),
    "two people without a template": (with_scene(template=None), "template: expected one, or a box or mask for each"),
    "too many people": (with_scene(template="single-portrait"), "expected at most 1, one per place, but got 2"),
    "sides of odd length": (with_scene(width=190), "expected a multiple of 8, but got 190: the nearest is 192."),
    "a box beyond the picture": (
        with_ada(box=[0, 0, 500, 128]),
        "scene.yaml: Expected the box of people[0] (ada)",
    ),
    "a box of no area": (with_ada(box=[9, 0, 9, 128]), "people.0.box: Expected a box with right > left"),
    "a mask of another shape": (with_ada(mask="ada.png"), "scene.yaml: Expected a mask of the picture's aspect ratio"),
    "a place taken twice": (with_ada(place=1), "ada and isaac both stand in 1"),
    "a noun that cannot be read": (with_ada(noun="a+b"), "Expected a class noun of words"),
    "a LoRA that is not there": (
        with_scene(loras=[{"source": "absent.safetensors"}]),
        "loras: expected a LoRA for SDXL",
    ),
    # Prompts
    "an unknown name": (with_scene(prompt="a {eda}"), "the prompt says '{eda}'; did you mean 'ada'?"),
    "a lone brace": (with_scene(prompt="a {ada} and }"), 'Expected braces in pairs, but "}" stands alone'),
    # Checkpoints
    "a checkpoint that is text": (
        with_checkpoint(lambda file: file.write_text("no weights at all")),
        "Expected a torch or safetensors file, but adapter.bin is neither",
    ),
    "a checkpoint cut short": (with_checkpoint(cut_checkpoint), "adapter.bin cannot be read"),
    "a checkpoint that bears code": (
        with_checkpoint(lambda file: file.write_bytes(pickle.dumps(Burglar(), protocol=2))),
        "adapter.bin asks to run code (",
    ),
    "a checkpoint of torch that bears code": (
        with_checkpoint(lambda file: torch.save({"id_encoder": Burglar(), "lora_weights": {}}, file)),
        "adapter.bin asks to run code (",
    ),
    "a checkpoint of something else": (
        with_checkpoint(lambda file: torch.save({"state_dict": {}}, file)),
        "Expected a dict with the keys id_encoder and lora_weights, but adapter.bin holds state_dict",
    ),
    "a checkpoint with other weights": (with_checkpoint(unlike_checkpoint), "Expected the"),
    "a checkpoint that is not there": (
        lambda _: add("ada.png", options=("--adapter", "no.bin")),
        "Expected a checkpoint file, or one on the hub as owner/name/file, but there is no no.bin.",
    ),
    "an adapter for tiny": (
        lambda _: add("ada.png", options=("--preset", "tiny", "--adapter", "no.bin")),
        "adapter: expected a preset whose models can be replaced, but tiny is built in.",
    ),
    # Templates
    "an unknown template": (with_scene(template="cuple-standing"), "did you mean 'couple-standing'?"),
    "a template that is not there": (with_scene(template="no.json"), "no.json: expected a template, but it cannot be"),
    "a template without places": (
        with_template(lambda t: t | {"places": []}),
        "mine.json: places: expected at least 1",
    ),
    "a template with an unknown key": (with_template(lambda t: t | {"titel": 1}), "titel: unknown key; did you mean"),
    # Identities
    "an identity that is text": (
        with_identity(lambda file: file.write_text("ada")),
        "Expected a whole safetensors file",
    ),
    "an identity that is none": (with_identity(tiny_adapter().save), "Expected an identity file of format 1, but"),
    "an identity of another encoder": (with_identity(person("ada").save), "Expected ada to be made by ID encoder"),
    "an identity that is not there": (with_identity(lambda _: None), "ada.safetensors cannot be read"),
    # Recipes
    "a picture without recipe": (
        with_recipe(None),
        "picture.png: expected a picture with a recipe, but it carries none",
    ),
    "a recipe that is no JSON": (with_recipe("{"), "picture.png: expected JSON, but got"),
    "a recipe of tomorrow": (
        with_recipe('{"format": "multiid-recipe-9"}'),
        "but got multiid-recipe-9: use the version",
    ),
    "a picture that is a scene": (lambda _: ["inspect", "scene.yaml"], "it is none, or damaged"),
    "a picture that is not there": (lambda _: ["inspect", "no.png"], "cannot be read: No such file or directory"),
    "a recipe of no picture of its batch": (with_recipe(recipe(index=3)), "expected an index below 1"),
    "a recipe of given latents": (with_recipe(recipe(own_latents=True)), "initial latents were given by hand"),
    "a recipe with an unknown preset": (with_recipe(recipe(people=[], preset="tinny")), "did you mean 'tiny'?"),
    "a recipe of somebody else": (with_recipe(recipe()), "Expected the identity files of ada1 (woman, "),
    "people that are not there": (with_recipe(recipe(), people="absent"), "with identity files, but absent is none."),
    "people that are scenes": (with_recipe(recipe(), people="out"), "Expected identity files (.safetensors) in out"),
    # Outputs and presets
    "an output folder that is not there": (
        lambda _: [*COMPOSE[:-1], "absent/tea.png"],
        "Expected an existing folder to write tea.png into, but absent is none.",
    ),
    "an output that is a folder": (
        lambda folder: (folder / "folder.png").mkdir() or [*COMPOSE[:-1], "folder.png"],
        "Expected the name of a file to write, but folder.png is a folder.",
    ),
    "an output that is no PNG": (lambda _: [*COMPOSE[:-1], "out/tea.jpg"], "Expected a file name ending in .png"),
    "an output without a name": (lambda _: [*COMPOSE[:-1], ""], "Expected a file name ending in .png"),
    "an output of too long a name": (lambda _: [*COMPOSE[:-1], "t" * 300 + ".png"], "File name too long"),
    "a people folder that is not there": (with_options("--save-people", "absent"), "but absent is none."),
    "an identity without a folder": (
        lambda _: [*add("ada.png")[:-3], "absent/ada.safetensors", "--preset", "tiny"],
        "Expected an existing folder to write ada.safetensors into",
    ),
    "an unknown preset": (with_options("--preset", "tinny"), "Expected the name of a preset, but got 'tinny'; did you"),
    "a device that is not there": (with_options("--device", "cudda"), "Expected a device of this machine"),
    "a base for tiny": (with_options("--base", "owner/model"), "base: expected a preset whose models can be replaced"),
    "a steps count that a sampler refuses": (
        with_scene(scheduler="lcm", steps=60),
        "steps: expected a number that LCMScheduler can make, but got 60",
    ),
}


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good scene with its photos, and results of an earlier day."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(MODELS_DIR_VARIABLE, raising=False)
    write_scene(tmp_path)
    (tmp_path / "out").mkdir()
    for name in ("tea.png", "ada.safetensors", "tea.jpg"):
        (tmp_path / "out" / name).write_text("here before")
    return tmp_path


def test_the_good_scene_is_good(folder: Path) -> None:
    """Without it the cases below would prove nothing."""
    shutil.rmtree(folder / "out")
    (folder / "out").mkdir()
    assert CliRunner().invoke(main, COMPOSE).exit_code == 0
    assert CliRunner().invoke(main, add("ada.png")).exit_code == 0
    assert len(list((folder / "out").iterdir())) == 2


@pytest.mark.parametrize(("prepare", "said"), CASES.values(), ids=CASES)
def test_malformed_input_gives_one_clear_line(folder: Path, prepare: Callable[[Path], Command], said: str) -> None:
    command = prepare(folder)
    before = contents(folder)
    result = CliRunner().invoke(main, command)
    lines = result.stderr.splitlines()
    print(*lines, sep="\n")
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(lines) == 1
    assert lines[0].startswith("multiid: error: ")
    assert said in lines[0]
    assert contents(folder) == before


def test_the_program_itself_does_the_same(folder: Path) -> None:
    program = Path(sys.executable).with_name("multiid")
    command = [program] if program.exists() else [sys.executable, "-c", "from multiid.cli import main; main()"]
    result = subprocess.run(
        [*command, "compose", "scene.yaml", "--preset", "tinny", "-o", "out/tea.png"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == ("multiid: error: Expected the name of a preset, but got 'tinny'; did you mean 'tiny'?\n")
