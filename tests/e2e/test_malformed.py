"""Malformed input of every kind: one clear line, exit code 2, nothing written, and what was there left alone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from malformed import COMPOSE, Cases, Prepare, add
from malformed_people import IDENTITIES, PHOTOS
from malformed_places import PLACES, PRESETS, RECIPES
from malformed_scenes import SCENES, TEMPLATES, YAML
from malformed_weights import CHECKPOINTS, LORAS, MODELS
from tinies import write_scene

from multiid.cli import main
from multiid.modelfiles import MODELS_DIR_VARIABLE
from multiid.pipeline.user_presets import PRESETS_DIR_VARIABLE

TABLES = (PHOTOS, IDENTITIES, YAML, SCENES, TEMPLATES, CHECKPOINTS, LORAS, MODELS, RECIPES, PRESETS, PLACES)
CASES: Cases = {name: case for table in TABLES for name, case in table.items()}


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good scene with its photos, and results of an earlier day."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(MODELS_DIR_VARIABLE, raising=False)
    monkeypatch.delenv(PRESETS_DIR_VARIABLE, raising=False)
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


def test_there_are_a_hundred_cases_and_no_two_of_one_name() -> None:
    print(f"{len(CASES)} cases of malformed input, at least 100 required")
    assert len(CASES) == sum(map(len, TABLES))
    assert len(CASES) >= 100


@pytest.mark.parametrize(("prepare", "said"), CASES.values(), ids=CASES)
def test_malformed_input_gives_one_clear_line(
    folder: Path, capfd: pytest.CaptureFixture[str], prepare: Prepare, said: str
) -> None:
    command = prepare(folder)
    before = contents(folder)
    result = CliRunner().invoke(main, command)
    lines = result.stderr.splitlines()
    remarks = "".join(capfd.readouterr())
    print(*lines, sep="\n")
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert remarks == ""  # of libraries, past the command line
    assert len(lines) == 1
    assert lines[0].startswith("multiid: error: ")
    assert said in lines[0]
    assert contents(folder) == before


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no file names of any bytes")
def test_a_name_that_no_terminal_can_show_is_no_reason_to_fail(folder: Path) -> None:
    result = CliRunner().invoke(main, add("ada.png", output="out/\udcff.safetensors"))
    assert result.exit_code == 0
    assert result.stdout.startswith("out/\\udcff.safetensors: ada (woman)")
    assert (folder / "out" / "\udcff.safetensors").is_file()


def test_the_program_itself_does_the_same(folder: Path) -> None:
    program = Path(sys.executable).with_name("multiid")
    command = [program] if program.exists() else [sys.executable, "-c", "from multiid.cli import main; main()"]
    result = subprocess.run(
        [*command, "compose", "scene.yaml", "--preset", "tinny", "-o", "out/tea.png"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("multiid: error: ")
    assert "but got 'tinny'; did you mean 'tiny'" in line
