"""`multiid evaluate` as a user types it: files and words that come out, and what is told where input is wrong."""

import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import yaml
from click.testing import CliRunner, Result

from multiid.cli import main

SUITE: dict[str, Any] = {
    "title": "One picture",
    "about": "For tests.",
    "preset": "tiny",
    "kept": 1,
    "groups": {"small": 1, "full": 2},
    "cases": [{"name": "two people", "people": 2}],
    "settings": [{"name": "made", "scene": {"steps": 1}}, {"name": "true", "truth": True}],
    "metrics": ["nearest", "count", "single_sim"],
}


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)], prog_name="multiid")


def written(folder: Path, **changes: Any) -> Path:
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump({**SUITE, **changes}), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Result]:
    folder = tmp_path_factory.mktemp("evaluate")
    suite = written(folder)
    return folder / "report", suite, evaluate(suite, "-o", folder / "report", "--size", "small", "--jobs", 1)


def test_a_report_is_written_and_named(report: tuple[Path, Path, Result]) -> None:
    folder, _, result = report
    assert result.exit_code == 0, result.stderr
    named = [line for line in result.stdout.splitlines() if line.startswith(str(folder))]
    assert {"report.html", "metrics.json", "metrics.csv"} <= {Path(line).name for line in named}
    assert all(Path(line).is_file() for line in named)
    assert "two people" in result.stdout
    assert "true" in result.stdout
    assert "note: The preset tiny has random weights" in result.stderr
    document = json.loads((folder / "metrics.json").read_text())
    assert (document["suite"], document["size"]) == ("mine.yaml", "small")
    assert document["command"] == "multiid evaluate mine.yaml --size small -o report/"
    true = document["cells"][1]
    assert (true["setting"], true["pictures"], true["figures"]["nearest"]["value"]) == ("true", 1, 1.0)
    assert str(folder.parent) not in (folder / "metrics.json").read_text() + (folder / "report.html").read_text()


def test_pictures_lie_beside_the_report(report: tuple[Path, Path, Result]) -> None:
    folder, _, _ = report
    for setting in ("made", "true"):
        with PIL.Image.open(folder / "pictures" / "two-people" / setting / "00000.png") as picture:
            picture.load()


def test_a_larger_run_goes_on_from_a_smaller_one(report: tuple[Path, Path, Result]) -> None:
    folder, suite, _ = report
    before = {file: file.stat().st_mtime_ns for file in (folder / "pictures").rglob("*.*")}
    result = evaluate(suite, "-o", folder, "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    assert "beside 2 that are there" in result.stderr
    assert all(file.stat().st_mtime_ns == then for file, then in before.items())
    assert json.loads((folder / "metrics.json").read_text())["cells"][0]["pictures"] == 2


def test_a_part_alone(report: tuple[Path, Path, Result], tmp_path: Path) -> None:
    _, suite, _ = report
    result = evaluate(suite, "-o", tmp_path / "part", "--size", "small", "--only", "true", "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    document = json.loads((tmp_path / "part" / "metrics.json").read_text())
    assert [cell["setting"] for cell in document["cells"]] == ["true"]
    assert document["command"] == "multiid evaluate mine.yaml --size small --only true -o part/"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("grops",), "Expected a suite's name or file, but got 'grops'; did you mean 'groups'?"),
        (("none.yaml",), "none.yaml: expected a YAML file, but it cannot be read"),
        (("groups", "--preset", "sdxl"), "Expected the preset mini or one like it"),
        (("groups", "--preset", "mni"), "Expected the name of a preset"),
        (("groups", "--photos", "photos"), "leave out --photos"),
        (("groups", "--only", "5 people"), "Expected the name of a case or a setting, but got '5 people'"),
        (("fastcomposer", "--photos", "nowhere"), "there is no nowhere"),
    ],
)
def test_wrong_input_is_told_in_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = evaluate(*arguments, "-o", tmp_path / "report")
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "report").exists()


def test_a_wrong_suite_names_file_and_key(tmp_path: Path) -> None:
    result = evaluate(written(tmp_path, mertics=["nearest"]), "-o", tmp_path / "report")
    assert result.exit_code == 2
    assert f"{tmp_path / 'mine.yaml'}: mertics: unknown key; did you mean 'metrics'?" in result.stderr


def test_a_folder_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    result = evaluate(written(tmp_path), "-o", tmp_path / "file" / "report", "--size", "small", "--jobs", 1)
    assert result.exit_code == 2
    assert result.stderr.startswith("multiid: error: Cannot write ")
    assert (tmp_path / "file").read_text() == "mine"
