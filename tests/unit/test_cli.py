"""The commands, as a user types them, on the preset tiny."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner, Result
from tinies import write_scene

from multiid import PRESETS, Identity, __version__, read_recipe, scene_schema, story_schema, template_schema
from multiid.cli import main
from multiid.cli.models import model_options


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="multiid")


def succeed(*arguments: object) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return result


def compose(*arguments: object) -> Result:
    return succeed("compose", "--preset", "tiny", "--device", "cpu", *arguments)


def pixels(file: Path) -> np.ndarray:
    with PIL.Image.open(file) as image:
        return np.asarray(image)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write_scene(tmp_path)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_scene_file_becomes_a_picture(scene: Path, out: Path) -> None:
    result = compose(scene, "-o", out / "tea.png")
    assert result.stdout == f"{out / 'tea.png'}\n"
    assert "note: The preset tiny has random weights" in result.stderr
    assert pixels(out / "tea.png").shape == (128, 192, 3)
    assert pixels(out / "tea.png").std() > 1
    assert names(out) == ["tea.png"]


def test_from_makes_the_same_pixels_again(scene: Path, out: Path) -> None:
    compose(scene, "-o", out / "tea.png", "--save-people", out)
    assert names(out) == ["ada.safetensors", "isaac.safetensors", "tea.png"]
    again = succeed("compose", "--from", out / "tea.png", "--people", out, "--device", "cpu", "-o", out / "again.png")
    assert "pixels may differ" not in again.stderr
    assert np.array_equal(pixels(out / "again.png"), pixels(out / "tea.png"))


def test_one_of_several_is_made_again_by_itself(scene: Path, out: Path) -> None:
    result = compose(scene, "-o", out / "tea.png", "--images", 2, "--seed", 8, "--save-people", out)
    assert result.stdout.splitlines()[:2] == [str(out / "tea-1.png"), str(out / "tea-2.png")]
    assert read_recipe(out / "tea-2.png").index == 1
    succeed("compose", "--from", out / "tea-2.png", "--people", out, "-o", out / "again.png", "--device", "cpu")
    assert np.array_equal(pixels(out / "again.png"), pixels(out / "tea-2.png"))
    assert not np.array_equal(pixels(out / "again.png"), pixels(out / "tea-1.png"))
    assert read_recipe(out / "again.png").index == 1


def test_seed_takes_the_place_of_the_scenes(scene: Path, out: Path) -> None:
    compose(scene, "-o", out / "a.png")
    compose(scene, "-o", out / "b.png", "--seed", 6)
    compose(write_scene(scene.parent, seed=6), "-o", out / "c.png")
    assert not np.array_equal(pixels(out / "a.png"), pixels(out / "b.png"))
    assert np.array_equal(pixels(out / "b.png"), pixels(out / "c.png"))


def test_explain_writes_a_sheet_beside_the_picture(scene: Path, out: Path) -> None:
    result = compose(scene, "-o", out / "tea.png", "--explain")
    assert result.stdout.splitlines() == [str(out / "tea.png"), str(out / "tea-explain.png")]
    sheet = pixels(out / "tea-explain.png")
    assert sheet.shape[1] > 3 * 500  # three panels
    assert sheet.std() > 10


def test_other_library_versions_are_noted(scene: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compose(scene, "-o", out / "tea.png", "--save-people", out)
    monkeypatch.setattr("multiid.pipeline.recipe.version", lambda name: f"{name}-of-tomorrow")
    result = succeed("compose", "--from", out / "tea.png", "--people", out, "-o", out / "b.png", "--device", "cpu")
    assert f"note: The picture was made with multiid {__version__} (here multiid-of-tomorrow), torch " in result.stderr


def test_a_recipe_without_preset_needs_one(scene: Path, out: Path) -> None:
    compose(scene, "-o", out / "tea.png", "--save-people", out)
    with PIL.Image.open(out / "tea.png") as image:
        recipe = json.loads(image.info["multiid"])
        del recipe["preset"]
        text = PIL.PngImagePlugin.PngInfo()
        text.add_itxt("multiid", json.dumps(recipe))
        image.save(out / "own.png", pnginfo=text)
    result = run("compose", "--from", out / "own.png", "--people", out, "-o", out / "again.png")
    assert result.exit_code == 2
    assert "names none: give --preset." in result.stderr
    compose("--from", out / "own.png", "--people", out, "-o", out / "again.png")
    assert np.array_equal(pixels(out / "again.png"), pixels(out / "tea.png"))


def test_inspect_prints_the_recipe(scene: Path, out: Path) -> None:
    compose(scene, "-o", out / "tea.png")
    recipe = json.loads(succeed("inspect", out / "tea.png").stdout)
    assert recipe == json.loads(read_recipe(out / "tea.png").to_json())
    assert recipe["scene"]["prompt"] == "a {ada} and a {isaac} in a garden"
    assert [person["name"] for person in recipe["people"]] == ["ada", "isaac"]


def test_people_are_added_and_shown(scene: Path, out: Path) -> None:
    folder, file = scene.parent, out / "ada.safetensors"
    added = succeed(
        *("people", "add", "ada", "--preset", "tiny", "--noun", "old woman"),
        *("--photos", folder / "ada.png", folder / "isaac" / "1.png", "-o", file),
    )
    assert added.stdout == f"{file}: ada (old woman), 2 photo(s), 2 token(s)\n"
    shown = dict(line.split(":", 1) for line in succeed("people", "show", file).stdout.splitlines())
    identity = Identity.load(file)
    assert shown["name"].strip() == "ada"
    assert shown["noun"].strip() == "old woman"
    assert shown["photos"].strip() == "2"
    assert shown["fingerprint"].strip() == identity.fingerprint
    assert str(folder).encode() not in file.read_bytes()


@pytest.mark.parametrize(
    "photos", [["--photos", "{}/isaac"], ["--photos", "{}/isaac/1.png", "--photos", "{}/isaac/2.png"]]
)
def test_folders_and_repeated_options_are_photos_too(scene: Path, out: Path, photos: list[str]) -> None:
    arguments = [argument.format(scene.parent) for argument in photos]
    succeed("people", "add", "isaac", "--preset", "tiny", "--noun", "man", *arguments, "-o", out / "a.safetensors")
    assert Identity.load(out / "a.safetensors").images == 2


def test_an_added_person_stands_in_a_scene(scene: Path, out: Path) -> None:
    """The same picture as of the photos themselves."""
    folder = scene.parent
    compose(scene, "-o", out / "photos.png")
    succeed(
        "people",
        "add",
        "isaac",
        "--preset",
        "tiny",
        "--noun",
        "man",
        "--photos",
        folder / "isaac",
        "-o",
        folder / "i.safetensors",
    )
    ada = {"name": "ada", "noun": "woman", "photos": "ada.png", "phrase": "in a red coat"}
    compose(write_scene(folder, people=[ada, {"identity": "i.safetensors"}]), "-o", out / "file.png")
    assert np.array_equal(pixels(out / "photos.png"), pixels(out / "file.png"))


def test_schemas_are_printed() -> None:
    assert json.loads(succeed("schema", "scene").stdout) == scene_schema()
    assert json.loads(succeed("schema", "template").stdout) == template_schema()
    assert json.loads(succeed("schema", "story").stdout) == story_schema()
    assert run("schema", "novel").exit_code == 2


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


@pytest.mark.parametrize("path", [(), *commands(main)], ids=" ".join)
def test_every_command_helps(path: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        text = succeed(*path, option).stdout
        assert text.startswith(" ".join(("Usage: multiid", *path)))
        assert len(text.splitlines()) > 5
        assert "\b" not in text


def test_help_names_every_preset() -> None:
    @click.command()
    @model_options()
    def command(preset: str) -> None:
        del preset

    text = CliRunner().invoke(command, ["--help"]).output
    assert all(name in text for name in PRESETS)


def test_the_version_is_told() -> None:
    assert succeed("--version").stdout == f"multiid, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compose", "-o", "a.png"], "Expected either a scene file, or a picture after --from."),
        (["compose", "scene.yaml", "--from", "a.png", "-o", "b.png"], "Expected either a scene file, or a picture"),
        (["compose", "--from", "a.png", "-o", "b.png"], "Expected --people with the folder of identity files"),
        (["compose", "scene.yaml", "--people", ".", "-o", "b.png"], "Expected --from with --people"),
        (["compose", "--from", "a.png", "--people", ".", "-o", "b.png", "--seed", "1"], "Expected --from alone"),
        (["compose", "scene.yaml"], "Missing option '-o'"),
        (["compose", "scene.yaml", "-o", "b.png", "--seed", "-1"], "Invalid value for '--seed'"),
        (["compose", "scene.yaml", "-o", "b.png", "--images", "0"], "Invalid value for '--images'"),
        (["compose", "scene.yaml", "-o", "b.png", "--dtype", "int8"], "Invalid value for '--dtype'"),
        (["people", "add", "ada", "--noun", "woman", "-o", "a.safetensors"], "Missing option '--photos'"),
        (["paint"], "No such command 'paint'"),
    ],
)
def test_wrong_usage_is_told_from_wrong_input(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: multiid")
    assert said in result.stderr


def test_an_interrupt_ends_quietly(scene: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("multiid.pipeline.composer.Composer.compose", interrupt)
    result = run("compose", "--preset", "tiny", "--device", "cpu", scene, "-o", out / "tea.png")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "multiid: stopped."
    assert "Traceback" not in result.output
    assert names(out) == []


def test_precision_and_memory_are_chosen(scene: Path, out: Path) -> None:
    compose(scene, "-o", out / "a.png", "--dtype", "bfloat16", "--offload", "model", "--vae-tiling")
    compose(scene, "-o", out / "b.png")
    assert pixels(out / "a.png").shape == pixels(out / "b.png").shape
    assert not np.array_equal(pixels(out / "a.png"), pixels(out / "b.png"))


def test_where_to_write_is_looked_at_first(tmp_path: Path) -> None:
    """Before any work, and before what else is wrong."""
    added = run(
        "people", "add", "ada", "--noun", "woman", "--photos", "no.jpg", "-o", tmp_path / "no" / "a.safetensors"
    )
    composed = run("compose", tmp_path / "no.yaml", "-o", tmp_path / "no" / "tea.png")
    for result in (added, composed):
        assert "Expected an existing folder to write" in result.stderr


def test_refining_is_repeated_with_the_picture(scene: Path, out: Path) -> None:
    compose(scene, "-o", out / "plain.png")
    compose(scene, "--refine", "--refine-below", "500", "-o", out / "fine.png", "--save-people", out)
    compose("--from", out / "fine.png", "--people", out, "-o", out / "again.png")
    assert (pixels(out / "fine.png") != pixels(out / "plain.png")).any()
    assert (pixels(out / "fine.png") == pixels(out / "again.png")).all()
    small = compose(scene, "--refine", "--refine-below", "1", "-o", out / "none.png")
    assert "note: No face is less than 1 pixels wide" in small.stderr
    assert (pixels(out / "none.png") == pixels(out / "plain.png")).all()


def test_the_picture_it_started_from_is_named_again(tmp_path: Path, out: Path) -> None:
    scene = write_scene(tmp_path, init={"image": "start.png", "strength": 0.5, "people": ["ada"]}, steps=4)
    PIL.Image.new("RGB", (192, 128), "teal").save(tmp_path / "start.png")
    compose(scene, "-o", out / "ada.png", "--save-people", out)
    again = ("compose", "--preset", "tiny", "--from", out / "ada.png", "--people", out, "-o", out / "b.png")
    refused = run(*again)
    assert refused.exit_code == 2
    assert "Expected the very picture that this one was made from, but none was given: name it." in refused.stderr
    succeed(*again, "--init", tmp_path / "start.png")
    assert (pixels(out / "ada.png") == pixels(out / "b.png")).all()
