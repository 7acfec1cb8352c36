"""A suite on the shipped miniature, in two processes and in one: what it exists to show, and the same from both."""

import json
import shutil
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import yaml
from click.testing import CliRunner

from multiid.cli import main

SUITE: dict[str, Any] = {
    "title": "Regions on and off",
    "about": "For tests: few groups in few steps.",
    "groups": {"full": 3},
    "cases": [{"name": "four", "people": 4}],
    "settings": [
        {"name": "with regions", "scene": {"steps": 8}},
        {"name": "without regions", "scene": {"steps": 8, "mask_rule": "none"}},
        {"name": "true renders", "truth": True},
    ],
    "metrics": ["nearest", "complete", "count", "single_sim"],
}


def evaluate(suite: Path, folder: Path, *, jobs: int) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["evaluate", str(suite), "-o", str(folder), "--jobs", str(jobs)])
    assert result.exit_code == 0, result.stderr
    document = json.loads((folder / "metrics.json").read_text())
    for cell in document["cells"]:
        cell["seconds"] = None
    return document


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("suite") / "mine.yaml"
    file.write_text(yaml.safe_dump(SUITE), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def report(suite: Path) -> Path:
    evaluate(suite, suite.parent / "report", jobs=2)
    return suite.parent / "report"


def test_regions_keep_people_apart(report: Path) -> None:
    cells = json.loads((report / "metrics.json").read_text())["cells"]
    nearest = {cell["setting"]: cell["figures"]["nearest"]["value"] for cell in cells}
    print(
        f"nearest to their own person: {nearest}; required: with regions at least 0.2 more than without, true ones 0.9"
    )
    assert nearest["with regions"] - nearest["without regions"] >= 0.2
    assert nearest["true renders"] >= 0.9


def test_one_process_comes_to_the_same_as_two(suite: Path, report: Path) -> None:
    """One group of each setting is made by the other number of processes, from the same numbers."""
    again = suite.parent / "one" / "report"
    shutil.copytree(report, again)
    gone = [file for file in again.rglob("00001.*") if "true-renders" not in file.parts]
    assert len(gone) == 4
    before = {file.relative_to(again): file.read_bytes() for file in gone if file.suffix == ".png"}
    for file in gone:
        file.unlink()
    figures = evaluate(suite, again, jobs=1)
    first = json.loads((report / "metrics.json").read_text())
    for cell in first["cells"]:
        cell["seconds"] = None
    assert figures == first
    for file, data in before.items():
        (suite.parent / "before.png").write_bytes(data)
        with PIL.Image.open(again / file) as one, PIL.Image.open(suite.parent / "before.png") as other:
            assert one.tobytes() == other.tobytes()
