"""A suite's run on random weights and true renders: what is made, what is seen, and that a stopped run goes on."""

import json
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
import yaml

from multiid import Box, Face, read_recipe
from multiid.errors import OutputError, SuiteError
from multiid.suites.gather import gather_people
from multiid.suites.miniature import MiniaturePeople
from multiid.suites.plan import Plan
from multiid.suites.reading import Reading, keep_reading, recall_reading
from multiid.suites.run import run_suite
from multiid.suites.statistics import bootstrap
from multiid.suites.suite import Suite, load_suite
from multiid.suites.summary import summarise
from multiid.suites.tables import to_json
from multiid.suites.tasks import Task

STEPS = {"steps": 1}
SUITE: dict[str, Any] = {
    "title": "Two by two",
    "about": "For tests.",
    "preset": "tiny",
    "kept": 2,
    "groups": {"small": 1, "full": 2},
    "cases": [{"name": "two", "people": 2}],
    "settings": [{"name": "made", "scene": STEPS}, {"name": "true", "truth": True}],
    "metrics": ["nearest", "complete", "found", "count", "single_sim", "multi_sim", "unlikeness", "minimum",
                "hungarian", "off_match", "confidence"],
}  # fmt: skip


def suite_of(**changes: Any) -> Suite:
    return Suite.model_validate({**SUITE, **changes})


def plan_of(suite: Suite, **changes: Any) -> Plan:
    people, preset = gather_people(suite, preset=None, photos=None)
    given: dict[str, Any] = {"name": "mine", "size": "full", "people": people, "preset_name": preset}
    return Plan(suite=suite, options={"device": "cpu"}, **{**given, **changes})


def figures(plan: Plan, results: list[tuple[Task, Reading]], folder: Path) -> dict[str, Any]:
    """What a report says, but for how long it took."""
    document = json.loads(to_json(summarise(plan, results, folder, command="multiid evaluate mine")))
    for cell in document["cells"]:
        del cell["seconds"]
    return document


def times(folder: Path) -> dict[str, int]:
    return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in sorted(folder.rglob("*.*"))}


@pytest.fixture(scope="module")
def plan() -> Plan:
    torch.set_num_threads(1)
    return plan_of(suite_of())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def told() -> list[tuple[int, int]]:
    return []


@pytest.fixture(scope="module")
def results(plan: Plan, folder: Path, told: list[tuple[int, int]]) -> list[tuple[Task, Reading]]:
    return run_suite(plan, folder, jobs=1, progress=lambda *numbers: told.append(numbers))


@pytest.fixture
def copied(results: list[tuple[Task, Reading]], folder: Path, tmp_path: Path) -> Path:
    """The pictures of a whole run, to do damage to."""
    assert results
    for file in folder.rglob("*.*"):
        other = tmp_path / file.relative_to(folder)
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(file.read_bytes())
        os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    return tmp_path


def made_anew(plan: Plan, folder: Path) -> set[str]:
    """Which pictures a further run makes; the others' files must stay as they are."""
    before = times(folder)
    told: list[int] = []
    run_suite(plan, folder, jobs=1, progress=lambda done, _: told.append(done))
    after = times(folder)
    changed = {name for name in after if before.get(name) != after[name]}
    pictures = {name for name in changed if name.endswith(".png")}
    assert len(told) == 1 + len({name.rpartition(".")[0] for name in changed})
    return pictures


def test_every_group_is_the_same_in_all_settings(plan: Plan, results: list[tuple[Task, Reading]], folder: Path) -> None:
    assert [(task.setting.name, task.index) for task, _ in results] == [
        ("made", 0), ("true", 0), ("made", 1), ("true", 1),
    ]  # fmt: skip
    for index in range(2):
        (_, made), (_, true) = (one for one in results if one[0].index == index)
        assert (made.names, made.places, made.seed) == (true.names, true.places, true.seed)
        assert np.array_equal(made.references, true.references)
        recipe = read_recipe(folder / f"two/made/{index:05}.png")
        group = plan.people.group(plan.suite.cases[0], index)
        assert (recipe.seed, recipe.scene.prompt, recipe.scene.steps) == (group.seed, group.prompt, 1)
        with PIL.Image.open(folder / f"two/true/{index:05}.png") as drawn:
            assert group.truth is not None
            assert drawn.convert("RGB").tobytes() == group.truth().picture.tobytes()


def test_true_renders_show_everybody(plan: Plan, results: list[tuple[Task, Reading]], folder: Path) -> None:
    outcome = summarise(plan, results, folder, command="")
    made, true = outcome.cells
    assert (made.case, made.setting, made.people, made.pictures) == ("two", "made", 2, 2)
    assert list(true.figures) == SUITE["metrics"]
    for metric in ("nearest", "complete", "found", "count"):
        print(metric, true.figures[metric], made.figures[metric])
        assert true.figures[metric].value == 1
        assert made.figures[metric].value < 1
        assert true.changes[metric].value == pytest.approx(1 - made.figures[metric].value)
    assert not made.changes
    assert true.mixing.diagonal().min() > true.mixing[~np.eye(2, dtype=bool)].max()
    assert [example.file.name for example in (*true.best, *true.median, *true.worst)].count("00000.png") == 1
    assert true.best[0].score >= true.worst[0].score
    assert true.best[0].caption.startswith("seed 2100")
    assert outcome.made_with["preset"] == "tiny"
    assert outcome.made_with["recogniser"] == outcome.made_with["finder"] == "mini"
    assert any("random weights" in note for note in outcome.notes)


def test_a_whole_run_is_told_and_not_repeated(
    plan: Plan, results: list[tuple[Task, Reading]], folder: Path, told: list[tuple[int, int]]
) -> None:
    assert told == [(done, 4) for done in range(5)]
    assert len(results) == 4
    again: list[tuple[int, int]] = []
    repeated = run_suite(plan, folder, jobs=1, progress=lambda *numbers: again.append(numbers))
    assert again == [(4, 4)]
    assert figures(plan, repeated, folder) == figures(plan, results, folder)


def test_what_is_damaged_or_missing_is_made_anew(plan: Plan, results: list[tuple[Task, Reading]], copied: Path) -> None:
    first, second = (copied / f"two/made/{index:05}.png" for index in range(2))
    first.write_bytes(first.read_bytes()[:-100])  # half-written
    second.unlink()
    pixels = {file.name: np.asarray(PIL.Image.open(file)) for file in (copied / "two/true").glob("*.png")}
    assert made_anew(plan, copied) == {"two/made/00000.png", "two/made/00001.png"}
    assert {file.name: np.asarray(PIL.Image.open(file)).tolist() for file in (copied / "two/true").glob("*.png")} == {
        name: values.tolist() for name, values in pixels.items()
    }
    assert figures(plan, run_suite(plan, copied, jobs=1), copied) == figures(plan, results, copied)


def test_a_picture_whose_reading_is_gone_is_only_read(plan: Plan, copied: Path) -> None:
    (copied / "two/made/00000.safetensors").unlink()
    (copied / "two/true/00001.safetensors").write_bytes(b"half")
    assert made_anew(plan, copied) == set()


def test_what_pictures_depend_on_makes_them_anew(copied: Path) -> None:
    """Another setting's pictures are kept, and so are all where only words for the report change."""
    slower = {"settings": [{"name": "made", "scene": {"steps": 2}}, SUITE["settings"][1]]}
    assert made_anew(plan_of(suite_of(title="Another", metrics=["nearest"])), copied) == set()
    assert made_anew(plan_of(suite_of(kept=1)), copied) == set()  # read anew
    assert made_anew(plan_of(suite_of(**slower)), copied) == {"two/made/00000.png", "two/made/00001.png"}
    stronger = {"settings": [{"name": "made", "scene": {"steps": 2}, "strength": 0.5}]}
    assert len(made_anew(plan_of(suite_of(**stronger)), copied)) == 2


def test_other_weights_have_another_stamp(monkeypatch: pytest.MonkeyPatch) -> None:
    def stamps() -> tuple[str, str]:
        plan = plan_of(suite_of(preset="mini"))
        return plan.picture_stamp(plan.batches[0][0]), plan.weights

    before = stamps()
    assert stamps() == before
    with monkeypatch.context() as patch:
        patch.setattr("multiid.pipeline.kept.weights_digest", lambda _: "other weights")
        assert all(one != other for one, other in zip(stamps(), before, strict=True))


def in_child(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


@pytest.mark.parametrize("moment", range(3))
def test_a_killed_run_goes_on_and_comes_to_the_same(
    plan: Plan, results: list[tuple[Task, Reading]], tmp_path: Path, moment: int
) -> None:
    dice = random.Random(moment)
    child = in_child(lambda: run_suite(plan, tmp_path, jobs=1))
    wanted = dice.randrange(8)  # files of 8
    while len(list(tmp_path.rglob("*/*/*.*"))) < wanted:
        time.sleep(0.002)
    time.sleep(dice.random() * 0.2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    there = [file for file in tmp_path.rglob("*.*") if not file.name.startswith(".")]
    print(f"killed with {len(there)} of 8 files")
    again = run_suite(plan, tmp_path, jobs=1)
    assert figures(plan, again, tmp_path) == figures(plan, results, tmp_path)


def test_pictures_that_cannot_be_made_do_not_count(tmp_path: Path) -> None:
    settings = [
        {"name": "stack", "scene": STEPS},
        {"name": "inline", "scene": {**STEPS, "layout": "inline"}, "photos": 16},
    ]
    plan = plan_of(suite_of(cases=[{"name": "eight", "people": 8}], settings=settings), size="small")
    results = run_suite(plan, tmp_path, jobs=1)
    outcome = summarise(plan, results, tmp_path, command="")
    stack, inline = outcome.cells
    assert (stack.pictures, inline.pictures) == (1, 0)
    assert inline.figures == {}
    assert np.isnan(inline.mixing).all()
    assert any(note.startswith("eight, inline: 1 of 1 pictures cannot be made") for note in outcome.notes)
    assert not list((tmp_path / "eight/inline").glob("*.png"))
    told: list[int] = []
    run_suite(plan, tmp_path, jobs=1, progress=lambda done, _: told.append(done))
    assert told == [2]


def test_verified_pictures_say_how_many_were_tried(tmp_path: Path) -> None:
    settings = [{"name": "verified", "scene": STEPS, "attempts": 2}]
    plan = plan_of(suite_of(settings=settings), size="small")
    results = run_suite(plan, tmp_path, jobs=1)
    assert [reading.tries for _, reading in results] >= [2]
    (tmp_path / "two/verified/00000.safetensors").unlink()
    assert [reading.tries for _, reading in run_suite(plan, tmp_path, jobs=1)] == [r.tries for _, r in results]
    notes = summarise(plan, results, tmp_path, command="").notes
    assert any("by the photos which the generator got" in note and "two, verified: " in note for note in notes)


def test_readings_come_back_as_they_were(results: list[tuple[Task, Reading]], tmp_path: Path) -> None:
    reading = replace(results[1][1], values={"clip_t": 0.25, "dino": float("nan")}, tries=3)
    assert reading.faces
    picture = tmp_path / "one.png"
    picture.write_bytes(b"pixels")
    keep_reading(reading, picture, stamp="a")
    back = recall_reading(picture, stamp="a")
    assert back is not None
    assert (back.names, back.places, back.wanted, back.seed, back.tries) == (
        reading.names, reading.places, reading.wanted, reading.seed, 3,
    )  # fmt: skip
    assert back.faces == reading.faces
    assert np.array_equal(back.embeddings, reading.embeddings)
    assert np.array_equal(back.references, reading.references)
    assert back.values == {"clip_t": 0.25}
    assert recall_reading(picture, stamp="b") is None
    picture.write_bytes(b"others")
    assert recall_reading(picture, stamp="a") is None
    nobody = replace(reading, faces=(), places=(None, None))
    keep_reading(nobody, picture, stamp="a")
    empty = recall_reading(picture, stamp="a")
    assert empty is not None
    assert (empty.faces, empty.places, empty.embeddings.shape[0]) == ((), (None, None), 0)


def test_fewer_photos_are_the_first_of_more() -> None:
    few, many = (MiniaturePeople(suite_of(settings=[{"name": "a", "photos": count}])) for count in (1, 4))
    case = suite_of().cases[0]
    for one, other in zip(few.group(case, 3).people, many.group(case, 3).people, strict=True):
        assert (one.name, one.noun, one.phrase) == (other.name, other.noun, other.phrase)
        assert (len(one.given), len(other.given), len(one.kept)) == (1, 4, 2)
        assert one.given[0].tobytes() == other.given[0].tobytes()
        assert other.given[0].tobytes() not in [photo.tobytes() for photo in (*other.given[1:], *other.kept)]


def test_prompts_and_templates_of_a_case_hold() -> None:
    case = {
        "name": "three",
        "people": 3,
        "prompts": ["{people} at sea", "{people} on a hill"],
        "template": "family-three",
    }
    suite = suite_of(cases=[case])
    people = MiniaturePeople(suite)
    groups = [people.group(suite.cases[0], index) for index in range(3)]
    assert [group.prompt.rpartition("}")[2] for group in groups] == [" at sea", " on a hill", " at sea"]
    assert all(f"{{{sitter.name}}}" in group.prompt for group in groups for sitter in group.people)
    assert groups[0].pose == groups[1].pose
    assert groups[0].people[0].given[0].tobytes() != groups[1].people[0].given[0].tobytes()


def test_people_photos_and_preset_must_fit(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="leave out --photos"):
        gather_people(suite_of(), preset=None, photos=tmp_path)
    with pytest.raises(SuiteError, match=r"Expected the preset mini or one like it, .* but got sdxl"):
        gather_people(suite_of(), preset="sdxl", photos=None)
    assert gather_people(suite_of(), preset="mini", photos=None)[1] == "mini"
    with pytest.raises(SuiteError, match="Expected the name of a case or a setting, but got 'tow'"):
        plan_of(suite_of(), only=("tow",))


def test_a_folder_that_cannot_be_made_is_refused(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"^Cannot write .*file"):
        run_suite(plan, tmp_path / "file" / "pictures", jobs=1)


def test_suites_of_the_package_can_be_written_out(tmp_path: Path) -> None:
    """So that somebody's own begins as a copy."""
    suite = load_suite("groups")
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(suite.model_dump()), encoding="utf-8")
    assert load_suite(str(file)) == suite


def test_figures_are_those_of_the_pictures(plan: Plan, results: list[tuple[Task, Reading]], folder: Path) -> None:
    cell = summarise(plan, results, folder, command="").cells[1]
    from multiid.suites.measures import Measured, measure

    values = [[measure(Measured(r, "mini"), "single_sim")] for t, r in results if t.setting.name == "true"]
    assert cell.figures["single_sim"] == bootstrap(values)


def seen_alone(likeness: float) -> Reading:
    """A picture of one person, whose face is as like them as that."""
    face = Face(Box(0, 0, 10, 10), ((5.0, 5.0),) * 5, 1.0, np.array([likeness, (1 - likeness**2) ** 0.5], np.float32))
    return Reading(("p1",), np.array([[1.0, 0.0]]), (face.box,), 1, (face,), seed=0, seconds=1.0)


@pytest.mark.parametrize(
    ("likenesses", "best", "median", "worst"),
    [
        ([0.7, 0.9, 0.6, 1.0, 0.5, 0.8, 0.65, 0.75, 0.55, 0.95], [3, 9, 1], [5, 7, 0], [2, 8, 4]),
        ([0.6, 0.9, 0.8], [1], [2], [0]),
        ([0.6, 0.9], [1], [], [0]),
    ],
)
def test_the_best_the_middle_and_the_worst_are_shown(
    likenesses: list[float], best: list[int], median: list[int], worst: list[int], plan: Plan, tmp_path: Path
) -> None:
    case, setting = plan.suite.cases[0], plan.suite.settings[0]
    results = [(Task(case, setting, index), seen_alone(likeness)) for index, likeness in enumerate(likenesses)]
    (cell,) = summarise(plan, results, tmp_path, command="").cells
    shown = [[int(one.file.stem) for one in rank] for rank in (cell.best, cell.median, cell.worst)]
    assert shown == [best, median, worst]
    assert cell.best[0].score == pytest.approx(max(likenesses))
