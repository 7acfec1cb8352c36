"""A pickle with code in it never runs, whatever it is called and whoever is asked to read it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from diffusers.utils import logging
from malformed import (
    COMPOSE,
    Burglar,
    Command,
    Make,
    add,
    burglar_pickle,
    burglar_torch,
    with_ada,
    with_identity,
    with_lora,
    with_model,
)
from minis import SHIPPED
from tinies import write_scene

from multiid.cli import main
from multiid.modelfiles import MODELS_DIR_VARIABLE

Prepare = Callable[[Path], Command]


def in_numpy(file: Path) -> None:
    with file.open("wb") as stream:
        np.savez(stream, weights=np.array([Burglar()], dtype=object))


FORMS: dict[str, Make] = {
    "a pickle for people": burglar_pickle(0),
    "a pickle": burglar_pickle(2),
    "a new pickle": burglar_pickle(5),
    "a file of torch": burglar_torch(),
    "an old file of torch": burglar_torch(legacy=True),
    "a file of numpy": in_numpy,
}

NAMES = ("adapter.bin", "adapter.pt", "adapter.pth", "adapter.ckpt", "adapter.safetensors", "adapter")


def adapter(make: Make, name: str) -> Prepare:
    def prepare(folder: Path) -> Command:
        make(folder / name)
        return add("ada.png", options=("--preset", "sdxl", "--adapter", name))

    return prepare


def at(name: str, *command: str) -> Callable[[Make], Prepare]:
    """A file of that name, and the command that reads it."""

    def with_form(make: Make) -> Prepare:
        def prepare(folder: Path) -> Command:
            make(folder / name)
            return list(command)

        return prepare

    return with_form


def template(make: Make) -> Prepare:
    def prepare(folder: Path) -> Command:
        make(folder / "mine.json")
        write_scene(folder, template="mine.json")
        return COMPOSE

    return prepare


def miniature(make: Make, part: str, name: str) -> Prepare:
    """The miniature, one of whose parts has such weights instead of its own."""

    def model(folder: Path) -> None:
        shutil.copytree(SHIPPED, folder)
        for weights in (folder / part).glob("*.safetensors"):
            weights.unlink()
        make(folder / part / name)

    return with_model(model, "model")


PLACES: dict[str, Callable[[Make], Prepare]] = {
    "a photo": at("photo.jpg", *add("photo.jpg")),
    "an identity to show": at("ada.safetensors", "people", "show", "ada.safetensors"),
    "a scene's identity": with_identity,
    "a scene's mask": lambda make: with_ada(make, mask="extra"),
    "a scene": at("scene.yaml", *COMPOSE),
    "a template": template,
    "a template to show": at("mine.json", "templates", "show", "./mine.json"),
    "a preset": at("mine.yaml", "compose", "scene.yaml", "--preset", "mine.yaml", "-o", "out/tea.png"),
    "a picture to inspect": at("tea.png", "inspect", "tea.png"),
    "a picture to make again": at("tea.png", "compose", "--from", "tea.png", "--people", "isaac", "-o", "out/tea.png"),
    "a LoRA": with_lora,
    "a LoRA called .bin": lambda make: with_lora(make, "style.bin"),
    "a folder's LoRA": lambda make: with_lora(lambda folder: make(folder / "pytorch_lora_weights.bin"), "style"),
    "a named LoRA of a folder": lambda make: with_lora(lambda folder: make(folder / "a.bin"), "style", file="a.bin"),
    "a base": lambda make: with_model(make, "model.safetensors"),
    "a base called .ckpt": lambda make: with_model(make, "model.ckpt"),
    "a base called .bin": lambda make: with_model(make, "model.bin"),
    "a VAE": lambda make: with_model(make, "model.ckpt", "--vae"),
    "a ControlNet": lambda make: with_model(make, "model.pt", "--controlnet"),
    "a base's UNet": lambda make: miniature(make, "unet", "diffusion_pytorch_model.bin"),
    "a base's text encoder": lambda make: miniature(make, "text_encoder", "pytorch_model.bin"),
    "a base's VAE": lambda make: miniature(make, "vae", "diffusion_pytorch_model.safetensors"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(MODELS_DIR_VARIABLE, raising=False)
    write_scene(tmp_path)
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture(autouse=True)
def quiet() -> object:
    """As the command line has diffusers, when it is what imports it."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.FATAL)
    yield
    logging.set_verbosity(before)


def refuse(folder: Path, prepare: Prepare) -> str:
    """What the command line says, in its one line, to input that bears code."""
    command = prepare(folder)
    result = CliRunner().invoke(main, command)
    # Models that came before it have their progress bars.
    lines = [line for line in result.stderr.splitlines() if line.strip(" \x1b[A") and "Loading " not in line]
    print(*lines, sep="\n")
    assert not (folder / "burgled").exists()
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2
    assert len(lines) == 1
    assert lines[0].startswith("multiid: error: ")
    assert list((folder / "out").iterdir()) == []
    return lines[0]


def test_the_burglar_is_one(folder: Path) -> None:
    """Without it the tests below would prove nothing."""
    import pickle

    burglar_pickle()(folder / "pickle")
    pickle.loads((folder / "pickle").read_bytes())
    assert (folder / "burgled").is_dir()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_no_adapter_runs_code(folder: Path, form: str, name: str) -> None:
    assert name in refuse(folder, adapter(FORMS[form], name))


@pytest.mark.parametrize("form", ["a pickle", "a file of torch"])
@pytest.mark.parametrize("place", PLACES)
def test_nothing_that_is_read_runs_code(folder: Path, place: str, form: str) -> None:
    refuse(folder, PLACES[place](FORMS[form]))


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_no_model_brings_code_of_its_own(folder: Path, part: str) -> None:
    """A folder of a model may name classes; those of files beside it are not taken."""

    def model(place: Path) -> None:
        shutil.copytree(SHIPPED, place)
        index = json.loads((place / "model_index.json").read_text())
        (place / "model_index.json").write_text(json.dumps(index | {part: ["burglar", "Burglar"]}))
        for code in (place / "burglar.py", place / part / "burglar.py"):
            code.write_text("import os\nos.mkdir('burgled')\n\n\nclass Burglar:\n    pass\n")

    refuse(folder, with_model(model, "model"))
