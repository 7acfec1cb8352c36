"""The public protocols from end to end, on the miniature: without photos, and on a folder of its portraits.

Each makes a few pictures in few steps here: whether they are good is for other tests.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from multiid.cli import main
from multiid.mini.world.people import make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.suites import suite as suites
from multiid.suites.photo_people import STAND_INS

DEFINITIONS = Path(suites.__file__).parent / "definitions"
STEPS = 2


def shorten(name: str, folder: Path) -> Path:
    """A copy of a suite of the package that makes one picture of each case."""
    document = yaml.safe_load((DEFINITIONS / f"{name}.yaml").read_text(encoding="utf-8"))
    document["groups"] = {"full": 1}
    for case in document["cases"]:
        case.pop("groups", None)
    for setting in document["settings"]:
        setting["scene"] = {"steps": STEPS}
    copy = folder / f"{name}.yaml"
    copy.write_text(yaml.safe_dump(document), encoding="utf-8")
    return copy


def evaluate(suite: Path, output: Path, *arguments: object) -> Result:
    words = ["evaluate", suite, "-o", output, "--jobs", 1, "--device", "cpu", *arguments]
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="multiid")


def metrics(result: Result, output: Path) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    return json.loads((output / "metrics.json").read_text(encoding="utf-8"))


def draw_people(folder: Path, photos: dict[str, int]) -> Path:
    """Portraits of the miniature's people as a folder of photos: so many of each."""
    for index, (name, count) in enumerate(photos.items()):
        person = make_person(index, age="adult")
        (folder / person.noun / name).mkdir(parents=True)
        for number in range(count):
            portrait = draw_portrait(person, seed=100 * index + number, size=96)
            portrait.picture.save(folder / person.noun / name / f"{number}.png")
    return folder


@pytest.mark.parametrize(
    ("name", "people", "published"),
    [
        ("fastcomposer", [1, 2], "minimum"),
        ("multiid-bench", [1, 2, 3, 4], "hungarian"),
        ("multihuman", [1, 2, 3, 4, 5], "hungarian"),
    ],
)
def test_a_protocol_runs_without_photos(tmp_path: Path, name: str, people: list[int], published: str) -> None:
    output = tmp_path / "report"
    told = metrics(evaluate(shorten(name, tmp_path), output), output)
    assert [cell["people"] for cell in told["cells"]] == people
    assert [cell["pictures"] for cell in told["cells"]] == [1] * len(people)
    assert told["made_with"]["preset"] == told["made_with"]["recogniser"] == "mini"
    assert told["notes"][0] == STAND_INS
    assert any(note.startswith("clip_t was not measured") for note in told["notes"])
    for cell in told["cells"]:
        print(cell["case"], {metric: figure["value"] for metric, figure in cell["figures"].items()})
        assert {published, "found", "nearest", "count"} <= set(cell["figures"])
    assert STAND_INS in (output / "report.html").read_text(encoding="utf-8")


def test_a_protocol_takes_a_folder_of_photos(tmp_path: Path) -> None:
    photos = draw_people(tmp_path / "photos", {"ada": 1, "emmy": 2, "grace": 3, "otto": 2})
    suite, output = shorten("multiid-bench", tmp_path), tmp_path / "report"
    arguments = ("--photos", photos, "--preset", "mini", "--only", "two people", "--only", "four people")
    told = metrics(evaluate(suite, output, *arguments), output)
    assert [cell["case"] for cell in told["cells"]] == ["two people", "four people"]
    assert STAND_INS not in told["notes"]
    assert told["notes"][0].endswith("which overstates likeness: ada.")
    assert "--photos photos/" in told["command"]
    names = {match.split()[0] for match in told["cells"][1]["best"][0]["caption"].split(": ", 1)[1].split(", ")}
    assert {"ada", "emmy", "grace", "otto"} <= names


def test_what_does_not_fit_ends_in_one_line(tmp_path: Path) -> None:
    suite = shorten("multihuman", tmp_path)
    photos = draw_people(tmp_path / "photos", {"ada": 1})
    cases = {
        ("--photos", tmp_path / "absent"): "there is no",
        ("--photos", photos, "--preset", "mini"): "Expected photos of at least 2 people for the case two people",
        ("--preset", "sdxl"): "(--photos FOLDER), which the preset sdxl needs",
    }
    for arguments, said in cases.items():
        result = evaluate(suite, tmp_path / "report", *arguments)
        assert result.exit_code == 2, arguments
        assert said in result.stderr
        assert result.stderr.strip().count("\n") == 0
        assert not (tmp_path / "report").exists()
