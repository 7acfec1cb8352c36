"""Malformed recipes, presets and places to write to."""

import base64
from pathlib import Path
from typing import Any

from malformed import COMPOSE, Cases, add, own_recipe, recipe, with_options, with_preset, with_recipe
from photos import blocks


def standing_at(x: float, y: float) -> Any:
    """A pose of one person whose points are all in one place."""

    def change(content: dict[str, Any]) -> None:
        place = {"keypoints": [[x, y]] * 18, "depth": 0.0, "role": "adult"}
        content["pose"] = {"size": [128, 128], "places": [place]}

    return change


def inspect(name: str) -> Any:
    return lambda _: ["inspect", name]


def people(**changes: Any) -> Any:
    return lambda content: content["people"][0].update(changes)


def settings(**changes: Any) -> Any:
    return lambda content: content["scene"].update(changes)


def jpeg(folder: Path) -> list[str]:
    blocks(0).save(folder / "picture.jpg")
    return ["inspect", "picture.jpg"]


def folder_at(name: str) -> Any:
    return lambda folder: (folder / name).mkdir()


RECIPES: Cases = {
    "a picture without recipe": (
        with_recipe(None),
        "picture.png: expected a picture with a recipe, but it carries none",
    ),
    "a recipe that is no JSON": (with_recipe("{"), "picture.png: expected JSON, but got"),
    "a recipe that is a list": (with_recipe("[]"), "expected a recipe of the format multiid-recipe-1, but got None"),
    "a recipe nested too deeply": (with_recipe("[" * 100_000), "expected JSON, but got recursion limit exceeded"),
    "a recipe of tomorrow": (
        with_recipe('{"format": "multiid-recipe-9"}'),
        "but got multiid-recipe-9: use the version",
    ),
    "a recipe with an unknown key": (with_recipe(recipe(path="/home/ada")), "picture.png: path: unknown key"),
    "a picture that is a scene": (inspect("scene.yaml"), "it is none, or damaged"),
    "a picture that is a folder": (inspect("isaac"), "cannot be read: Is a directory"),
    "a picture that is a JPEG": (jpeg, "it is none, or damaged"),
    "a picture that is not there": (inspect("no.png"), "cannot be read: No such file or directory"),
    "a recipe of no picture of its batch": (with_recipe(recipe(index=3)), "expected an index below 1"),
    "a recipe of given latents": (with_recipe(recipe(unrecorded=["latents"])), "latents were given by hand"),
    "a recipe with an unknown preset": (with_recipe(recipe(people=[], preset="tinny")), "did you mean 'tiny'?"),
    "a recipe of somebody else": (with_recipe(recipe()), "Expected the identity files of ada1 (woman, "),
    "a recipe with a mask that is text": (
        with_recipe(own_recipe(people(mask=base64.b64encode(b"no mask").decode()))),
        "Expected a recipe as multiid writes it, but this one is damaged",
    ),
    "a recipe with a box of no area": (
        with_recipe(own_recipe(people(box=[5, 5, 1, 1]))),
        "Expected a recipe as multiid writes it, but this one is damaged",
    ),
    "a recipe with a brace in a name": (with_recipe(own_recipe(people(name="a{da}"))), "but got 'a{da}'"),
    "a recipe of somebody far away": (
        with_recipe(own_recipe(standing_at(1e9, 0.5))),
        "Expected points on the canvas or not far from it, but got (1e+09, 0.5)",
    ),
    "a recipe of too much strength": (with_recipe(own_recipe(people(strength=99.0))), "expected at most 10"),
    "a recipe with an unknown sampler": (with_recipe(own_recipe(settings(scheduler="eular"))), "did you mean 'euler'"),
    "a recipe of one side": (with_recipe(own_recipe(settings(width=None))), "width and height: expected both"),
    "people that are not there": (with_recipe(recipe(), people="absent"), "with identity files, but absent is none."),
    "people that are scenes": (with_recipe(recipe(), people="out"), "out/ada.safetensors cannot be read"),
}

PRESETS: Cases = {
    "an unknown preset": (with_options("--preset", "tinny"), "but got 'tinny'; did you mean 'tiny'"),
    "a device that is not there": (with_options("--device", "cudda"), "Expected a device of this machine"),
    "a device that holds no numbers": (with_options("--device", "meta"), "Expected a device of this machine"),
    "a base for tiny": (with_options("--base", "owner/model"), "base: expected a preset whose models can be replaced"),
    "a preset file that is not there": (with_options("--preset", "absent.yaml"), "absent.yaml: expected a YAML file"),
    "a preset file that is a list": (with_preset("- base"), "mine.yaml: expected keys such as base_on and base"),
    "a preset file with an unknown key": (with_preset("base_on: tiny\nlore: x"), "lore: unknown key; did you mean"),
    "a preset file that bears code": (
        with_preset("base_on: !!python/object/apply:os.mkdir [burgled]"),
        "could not determine a constructor for the tag",
    ),
    "a preset file that is based on nothing": (with_preset("base_on: tinny"), "did you mean 'tiny'"),
    "a preset file that is based on itself": (with_preset("base_on: mine.yaml"), "but it is based on itself"),
    "a preset file without a model": (with_preset("title: nothing"), "base: expected a source"),
    "a preset file that is named as another": (with_preset("base_on: tiny", "mini.yaml"), "expected another file name"),
}

PLACES: Cases = {
    "an output folder that is not there": (
        with_options(output="absent/tea.png"),
        "Expected an existing folder to write tea.png into, but absent is none.",
    ),
    "an output folder that is a file": (with_options(output="scene.yaml/tea.png"), "but scene.yaml is none."),
    "an output folder that leads to itself": (
        with_options(output="loop/tea.png", make=lambda folder: (folder / "loop").symlink_to("loop")),
        "but loop is none.",
    ),
    "an output that is a folder": (
        with_options(output="folder.png", make=folder_at("folder.png")),
        "Expected the name of a file to write, but folder.png is a folder.",
    ),
    "an output that is no PNG": (with_options(output="out/tea.jpg"), "Expected a file name ending in .png"),
    "an output without a name": (with_options(output=""), "Expected a file name ending in .png"),
    "an output of too long a name": (with_options(output="t" * 300 + ".png"), "File name too long"),
    "an explanation of too long a name": (with_options("--explain", output="t" * 245 + ".png"), "File name too long"),
    "an explanation that is a folder": (
        with_options("--explain", make=folder_at("out/tea-explain.png")),
        "but out/tea-explain.png is a folder",
    ),
    "a second picture that is a folder": (
        with_options("--images", "2", make=folder_at("out/tea-2.png")),
        "but out/tea-2.png is a folder",
    ),
    "a people folder that is not there": (with_options("--save-people", "absent"), "but absent is none."),
    "a person's file that is a folder": (
        with_options("--save-people", "out", make=folder_at("out/isaac.safetensors")),
        "but out/isaac.safetensors is a folder",
    ),
    "an identity without a folder": (
        lambda _: add("ada.png", output="absent/ada.safetensors"),
        "Expected an existing folder to write ada.safetensors into",
    ),
    "an identity that would be a folder": (lambda _: add("ada.png", output="out"), "but out is a folder"),
    "a demonstration without a folder": (lambda _: ["demo", "-o", "absent/demo.png"], "but absent is none."),
    "a training run that is a file": (
        lambda _: ["mini", "train", "autoencoder", "-o", "scene.yaml"],
        "scene.yaml/autoencoder cannot be one: Not a directory",
    ),
    "a training recipe that is not there": (
        lambda _: ["mini", "train", "autoencoder", "-o", "run", "--recipe", "absent"],
        "there is no autoencoder.yaml in absent",
    ),
    "figures in a file": (lambda _: ["mini", "figures", "-o", "scene.yaml"], "Cannot write scene.yaml"),
    "a scene that is also a preset": (lambda _: [*COMPOSE[:3], "scene.yaml", *COMPOSE[4:]], "unknown key"),
}
