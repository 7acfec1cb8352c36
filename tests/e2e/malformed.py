"""What the tables of malformed input are made of: each case prepares a folder, and gives the command to run there."""

import json
import os
import pickle
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from conftest import ROOT
from photos import blocks
from PIL.PngImagePlugin import PngInfo
from tinies import write_scene

from multiid import Identity, MultiIDError, Recipe, Scene, Size
from multiid.people.tensorfile import read_tensors, write_tensors
from multiid.pipeline.tiny import tiny_adapter

Command = list[str]
Prepare = Callable[[Path], Command]
"""Makes its input in a folder with a good scene; returns the command."""

Cases = Mapping[str, tuple[Prepare, str]]
"""What is wrong, in words: how to bring it about, and what the one line must say."""

Make = Callable[[Path], object]
"""Writes a file, or a folder, at a path."""

COMPOSE = ["compose", "scene.yaml", "--preset", "tiny", "--device", "cpu", "-o", "out/tea.png"]


def add(
    photo: str,
    *,
    options: tuple[str, ...] = ("--preset", "tiny"),
    name: str = "ada",
    noun: str = "woman",
    output: str = "out/ada.safetensors",
) -> Command:
    """Makes an identity."""
    return ["people", "add", name, "--noun", noun, "--photos", photo, "-o", output, *options]


def with_photo(make: Make, name: str = "photo.jpg") -> Prepare:
    """An identity from that photo."""

    def prepare(folder: Path) -> Command:
        make(folder / name)
        return add(name)

    return prepare


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims that size in RGB and has next to no pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + pixels + chunk(b"IEND", b"")


def with_scene(**changes: Any) -> Prepare:
    """A picture of the scene with other keys."""

    def prepare(folder: Path) -> Command:
        write_scene(folder, **changes)
        return COMPOSE

    return prepare


def with_text(text: str | bytes) -> Prepare:
    """A picture of a scene file that says something else altogether."""

    def prepare(folder: Path) -> Command:
        (folder / "scene.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return COMPOSE

    return prepare


def with_ada(make: Make | None = None, **changes: Any) -> Prepare:
    """A picture of the scene with other keys of its first person, and perhaps a file "extra" beside it."""

    def prepare(folder: Path) -> Command:
        if make is not None:
            make(folder / "extra")
        people = yaml.safe_load((folder / "scene.yaml").read_text())["people"]
        write_scene(folder, people=[people[0] | changes, people[1]])
        return COMPOSE

    return prepare


def with_template(change: Callable[[dict[str, Any]], object] | str) -> Prepare:
    """A picture in a changed template of the library, or in one that says something else altogether."""

    def prepare(folder: Path) -> Command:
        template = json.loads((ROOT / "pose_templates" / "couple-standing.json").read_text())
        text = change if isinstance(change, str) else json.dumps(change(template) or template)
        (folder / "mine.json").write_text(text)
        write_scene(folder, template="mine.json")
        return COMPOSE

    return prepare


def with_identity(make: Make) -> Prepare:
    """A picture with that identity file."""

    def prepare(folder: Path) -> Command:
        make(folder / "ada.safetensors")
        isaac = yaml.safe_load((folder / "scene.yaml").read_text())["people"][1]
        write_scene(folder, people=[{"identity": "ada.safetensors"}, isaac])
        return COMPOSE

    return prepare


def person(name: str, *, encoder: str = "0" * 64) -> Identity:
    """Somebody; of an ID encoder that no preset has, unless told otherwise."""
    return Identity(name, "woman", torch.full((1, 1, 48), len(name) / 10), encoder=encoder)


def identity_file(tensors: Mapping[str, torch.Tensor] | None = None, **changes: Any) -> Make:
    """An identity file of Ada with other tensors, or with other notes in its header."""

    def make(file: Path) -> None:
        person("ada").save(file)
        before, about = read_tensors(file, error=MultiIDError)
        write_tensors(file, before if tensors is None else tensors, about | changes)

    return make


def checkpoint_file(change: Callable[[dict[str, torch.Tensor], dict[str, Any]], object]) -> Make:
    """The adapter of the preset "tiny" as a file, with changed tensors and notes."""

    def make(file: Path) -> None:
        tiny_adapter().save(file)
        tensors, about = read_tensors(file, error=MultiIDError)
        change(tensors, about)
        write_tensors(file, tensors, about)

    return make


def with_checkpoint(make: Make) -> Prepare:
    """For a preset that takes other adapters; neither the network nor its other models are needed to refuse one."""

    def prepare(folder: Path) -> Command:
        make(folder / "adapter.bin")
        return add("ada.png", options=("--preset", "sdxl", "--adapter", "adapter.bin"))

    return prepare


def with_lora(make: Make, name: str = "style.safetensors", **keys: Any) -> Prepare:
    """A picture in the style of that LoRA."""

    def prepare(folder: Path) -> Command:
        make(folder / name)
        write_scene(folder, loras=[{"source": name} | keys])
        return COMPOSE

    return prepare


def with_model(make: Make, name: str, option: str = "--base") -> Prepare:
    """A picture by the miniature with another model in it."""

    def prepare(folder: Path) -> Command:
        make(folder / name)
        return ["compose", "scene.yaml", "--preset", "mini", "--device", "cpu", option, name, "-o", "out/tea.png"]

    return prepare


def with_preset(text: str, name: str = "mine.yaml") -> Prepare:
    """A picture by a preset of the user's own."""

    def prepare(folder: Path) -> Command:
        (folder / name).write_text(text)
        return ["compose", "scene.yaml", "--preset", name, "--device", "cpu", "-o", "out/tea.png"]

    return prepare


def with_options(*options: str, output: str = "out/tea.png", make: Make | None = None) -> Prepare:
    """A picture of the good scene with other options, and perhaps something in the folder."""

    def prepare(folder: Path) -> Command:
        if make is not None:
            make(folder)
        return [*COMPOSE[:-1], output, *options]

    return prepare


def with_recipe(text: str | None, *, people: str = "people") -> Prepare:
    """A picture with that recipe, and a folder with two people, one of them of the preset's ID encoder."""

    def prepare(folder: Path) -> Command:
        info = PngInfo()
        if text is not None:
            info.add_itxt("multiid", text)
        blocks(0).save(folder / "picture.png", pnginfo=info)
        (folder / "people").mkdir()
        person("max").save(folder / "people" / "max.safetensors")
        _known().save(folder / "people" / "lise.safetensors")
        return ["compose", "--from", "picture.png", "--people", people, "-o", "out/tea.png"]

    return prepare


def _known() -> Identity:
    return person("lise", encoder=tiny_adapter().fingerprint)


def recipe(**changes: Any) -> str:
    """The recipe of a picture of somebody who is not in the folder."""
    return _recipe(person("ada1"), lambda content: content.update(changes))


def own_recipe(change: Callable[[dict[str, Any]], object]) -> str:
    """The recipe of a picture of somebody who is in the folder, changed."""
    return _recipe(_known(), change)


def _recipe(who: Identity, change: Callable[[dict[str, Any]], object]) -> str:
    scene = Scene(f"a {{{who.name}}}", people=[who], steps=2, seed=1, layout="stack", merge_step=0, guidance=5.0)
    content = json.loads(Recipe.of(scene, size=Size(128, 128), pose=None, preset="tiny").to_json())
    change(content)
    return json.dumps(content)


class Burglar:
    """Unpickling it leaves a mark in the working directory."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("burgled",)


def burglar_pickle(protocol: int = 2) -> Make:
    """A plain pickle with code in it."""
    return lambda file: _folder_of(file).write_bytes(pickle.dumps({"state_dict": Burglar()}, protocol=protocol))


def burglar_torch(*, legacy: bool = False) -> Make:
    """A file of torch's with code in it, in today's form or that of before 2020."""

    def make(file: Path) -> None:
        content = {"id_encoder": Burglar(), "lora_weights": {}}
        torch.save(content, _folder_of(file), _use_new_zipfile_serialization=not legacy)

    return make


def _folder_of(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
