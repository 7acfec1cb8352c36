"""`multiid verify` and `multiid compose --verify`, as a user types them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner, Result
from drawn import Drawn, draw_group
from photos import blocks
from tinies import couple, small_scene, tiny_composer, write_scene

from multiid import Identity, read_recipe, refine_faces
from multiid.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="multiid")


def pixels(file: Path) -> np.ndarray:
    with PIL.Image.open(file) as image:
        return np.asarray(image)


@pytest.fixture(scope="module")
def group() -> Drawn:
    return draw_group()


@pytest.fixture(scope="module")
def people(group: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everybody's identity file, and with that of somebody else."""
    folder = tmp_path_factory.mktemp("people")
    save_people(group.people, folder)
    return folder


def save_people(people: list[Identity], folder: Path) -> None:
    for person in people:
        person.save(folder / f"{person.name}.safetensors")


@pytest.fixture
def picture(group: Drawn, tmp_path: Path) -> Path:
    return group.picture.save(tmp_path / "tea.png")[0]


def test_everybody_is_there(picture: Path, people: Path) -> None:
    result = run("verify", picture, "--people", people)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert len(lines) == 4
    assert [line.split(",")[0] for line in lines[:3]] == ["p1: found", "p2: found", "p3: found"]
    assert lines[3] == "compared by mini"


def test_somebody_is_missing(group: Drawn, people: Path, tmp_path: Path) -> None:
    painted = group.painted_over(2).save(tmp_path / "painted.png")[0]
    for options in (["--people", people], []):
        result = run("verify", painted, *options)
        assert result.exit_code == 3
        assert result.stdout.splitlines()[2] == "p3: missing"
    assert "identity was not checked" in result.stdout


def test_somebody_is_mixed(group: Drawn, people: Path, tmp_path: Path) -> None:
    exchanged = group.exchanged(0, 1).save(tmp_path / "exchanged.png")[0]
    result = run("verify", exchanged, "--people", people)
    assert result.exit_code == 3
    assert result.stdout.startswith("p1: mixed, similarity ")
    assert ", nearest to p2 " in result.stdout.splitlines()[0]
    assert run("verify", exchanged).exit_code == 0, "there is a face at each place"


def test_other_pictures_show_the_people_or_not(group: Drawn, people: Path, tmp_path: Path) -> None:
    group.image.save(tmp_path / "party.jpg", quality=95)
    found = run("verify", tmp_path / "party.jpg", "--people", people)
    assert found.exit_code == 0, found.output
    assert found.stdout.splitlines()[-1] == "compared by mini", "the recogniser that knows them"
    others = tmp_path / "others"
    others.mkdir()
    save_people(draw_group(index=2).people, others)
    result = run("verify", tmp_path / "party.jpg", "--people", others)
    assert result.exit_code == 3
    assert "found" not in result.stdout


def test_the_annotated_picture_and_json(picture: Path, people: Path, tmp_path: Path) -> None:
    result = run("verify", picture, "--people", people, "--explain", tmp_path / "who.png", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["complete"]
    assert [person["name"] for person in told["people"]] == ["p1", "p2", "p3"]
    assert result.stderr == f"{tmp_path / 'who.png'}\n"
    sheet = pixels(tmp_path / "who.png")
    assert sheet.shape[1] >= 960
    plain = run("verify", picture, "--explain", tmp_path / "who.png")
    assert plain.stdout.splitlines()[-1] == str(tmp_path / "who.png")
    assert not np.array_equal(pixels(tmp_path / "who.png"), sheet)


def test_the_annotated_picture_never_takes_the_pictures_place(
    picture: Path, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way the file is named; it holds the only copy of the recipe."""
    before = picture.read_bytes()
    monkeypatch.chdir(picture.parent)
    (picture.parent / "linked.png").symlink_to(picture)
    for name in (picture, "tea.png", "linked.png"):
        result = run("verify", picture, "--people", people, "--explain", name)
        assert result.exit_code == 2
        assert "Expected another file than the picture itself for --explain" in result.stderr
        assert picture.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Expected --people with"),
        (["--people", "people", "--faces", "mini", "--preset", "mini"], "Expected either --faces or --preset"),
        (["--people", "nowhere"], "Expected a folder with identity files"),
        (["--people", "."], "Expected identity files (.safetensors) in"),
        (["--people", "people", "--preset", "tiny"], "Expected a preset with a face analyzer, but tiny has none"),
        (["--people", "people", "--preset", "minni"], "Expected the name of a preset"),
        (["--people", "people", "--explain", "who.jpg"], "Expected a file name ending in .png for --explain"),
        (["--people", "people", "--explain", "nowhere/who.png"], "Expected an existing folder to write"),
        (["--people", "people", "--faces", "eyes"], "Invalid value for '--faces'"),
    ],
)
def test_wrong_input_is_one_line(
    options: list[str], said: str, people: Path, group: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people").symlink_to(people)
    group.image.save("plain.png")
    result = run("verify", "plain.png", *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "who.jpg").exists()


def test_what_is_no_picture_is_one_line(people: Path, tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("words")
    for file in ("words.png", "nothing.png"):
        result = run("verify", tmp_path / file, "--people", people)
        assert result.exit_code == 2
        assert result.stderr.startswith("multiid: error: ")
        assert len(result.stderr.splitlines()) == 1


def test_a_damaged_recipe_is_told_before_models_are_missed(
    group: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom no recogniser knows is for YuNet, whose file may be absent."""
    monkeypatch.setenv("MULTIID_MODELS_DIR", str(tmp_path))
    save_people([replace(person, face_embeddings={}) for person in group.people], tmp_path)
    info = PIL.PngImagePlugin.PngInfo()
    info.add_itxt("multiid", "{}")
    group.image.save(tmp_path / "damaged.png", pnginfo=info)
    result = run("verify", tmp_path / "damaged.png", "--people", tmp_path)
    assert result.exit_code == 2
    assert "multiid-recipe-1" in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--attempts", "2"], "Expected --verify with --attempts."),
        (["--verify", "--attempts", "0"], "Invalid value for '--attempts'"),
        (["--verify"], "verify: expected a face analyzer to check the picture with, but this composer has none"),
    ],
)
def test_verifying_needs_somebody_who_sees(options: list[str], said: str, tmp_path: Path) -> None:
    result = run("compose", write_scene(tmp_path), "--preset", "tiny", "-o", tmp_path / "tea.png", *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "tea.png").exists()


def test_repeating_a_picture_checks_nothing(tmp_path: Path) -> None:
    result = run("compose", "--from", "a.png", "--people", ".", "--verify", "-o", tmp_path / "b.png")
    assert result.exit_code == 2
    assert "Expected --from alone" in result.stderr


def test_a_picture_refined_twice_is_made_again(tmp_path: Path) -> None:
    composer = tiny_composer()
    identities = couple(composer)
    scene = small_scene(identities, images=2, steps=4)
    picture = composer.compose(scene)
    for change in ({"strength": 0.5}, {"strength": 0.8, "people": ["isaac"]}):
        picture = refine_faces(composer, scene, picture, below=1000, **change)
    files = picture.save(tmp_path / "tea.png")
    save_people(identities, tmp_path)
    assert [each.strength for each in read_recipe(files[1]).refinements] == [0.5, 0.8]
    result = run("compose", "--from", files[1], "--people", tmp_path, "--device", "cpu", "-o", tmp_path / "again.png")
    assert result.exit_code == 0, result.stderr
    assert np.array_equal(pixels(tmp_path / "again.png"), pixels(files[1]))
    assert len(read_recipe(tmp_path / "again.png").refinements) == 2


def test_without_a_preset_with_faces_others_are_taken(people: Path, group: Drawn, tmp_path: Path) -> None:
    """A recipe of the preset tiny, which sees nothing: the people say which recogniser knows them."""
    tiny = group.picture.recipe.model_copy(update={"preset": "tiny"})
    file = type(group.picture)(
        group.picture.images, None, (tiny,), group.picture.stage, group.picture.names, (), ()
    ).save(tmp_path / "tiny.png")[0]
    assert run("verify", file, "--people", people).stdout.splitlines()[-1] == "compared by mini"
    blocks(0).save(tmp_path / "blocks.png")
    nobody = run("verify", tmp_path / "blocks.png", "--people", people)
    assert nobody.exit_code == 3
    assert nobody.stdout.splitlines()[:3] == ["p1: missing", "p2: missing", "p3: missing"]
