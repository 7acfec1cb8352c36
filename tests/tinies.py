"""The tiny pipeline with people, for tests that make whole pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from photos import blocks, write_blocks

from multiid import Composer, Identity, Person, Scene

SMALL: dict[str, Any] = {"template": "couple-standing", "steps": 2, "merge_step": 0, "width": 192, "height": 128}
"""A picture that is made in a fraction of a second."""


def tiny_composer() -> Composer:
    """A composer of the preset "tiny", without progress bars."""
    composer = Composer.from_preset("tiny", device="cpu")
    composer.pipeline.set_progress_bar_config(disable=True)
    return composer


def couple(composer: Composer) -> list[Identity]:
    """Ada, of one photo, and Isaac, of two."""
    return [
        composer.identity("ada", "woman", blocks(0)),
        composer.identity("isaac", "man", [blocks(1), blocks(2)]),
    ]


def small_scene(people: Sequence[Identity | Person], **changes: Any) -> Scene:
    """Both of them in a garden."""
    return Scene(**{"prompt": "a {ada} and a {isaac} in a garden", "people": people, "seed": 5} | SMALL | changes)


def write_scene(folder: Path, **changes: Any) -> Path:
    """A scene file of both of them, with photos beside it."""
    write_blocks(folder / "ada.png", 0)
    write_blocks(folder / "isaac" / "1.png", 1)
    write_blocks(folder / "isaac" / "2.png", 2)
    people = [
        {"name": "ada", "noun": "woman", "photos": "ada.png", "phrase": "in a red coat"},
        {"name": "isaac", "noun": "man", "photos": "isaac"},
    ]
    document = {"prompt": "a {ada} and a {isaac} in a garden", "people": people, "seed": 5} | SMALL | changes
    file = folder / "scene.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file
