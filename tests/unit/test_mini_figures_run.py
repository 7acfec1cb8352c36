"""Measuring on a whole miniature with random weights: what is made, what is read, and that a stopped run goes on."""

import json
import math
import shutil
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from click.testing import CliRunner
from minis import random_parts
from readers import write_readers

from multiid.cli import main
from multiid.errors import OutputError
from multiid.mini.faces import MiniFaces
from multiid.mini.figures import run, speed
from multiid.mini.figures.judges import PlaceJudge, read_clothes, train_place_judge
from multiid.mini.figures.lab import MANY_STEPS, Lab, trial_scene
from multiid.mini.figures.measured import Measured, keep_measured, read_measured
from multiid.mini.figures.readers import measure_reader
from multiid.mini.figures.run import Plan, make_composer, make_faces, measure_all, plan_tasks
from multiid.mini.figures.sheets import draw_sheet, write_sheets
from multiid.mini.figures.trials import make_trial
from multiid.mini.pack import pack
from multiid.mini.world.groups import make_group
from multiid.mini.world.people import ATTRIBUTES
from multiid.mini.world.scene import cast_pose, draw_scene
from multiid.mini.world.words import PLACES, Clothes


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    pack(replace(random_parts(), faces=write_readers(folder / "faces")), folder / "weights")
    return folder / "weights"


@pytest.fixture(scope="module")
def plan(weights: Path) -> Plan:
    return Plan(weights=weights, scenes=2, unmasked=1, counts=(1, 2), steps=2, shown=1)


@pytest.fixture(scope="module")
def faces(plan: Plan) -> MiniFaces:
    return make_faces(plan)


@pytest.fixture(scope="module")
def judge() -> PlaceJudge:
    return train_place_judge(scenes=150)


@pytest.fixture(scope="module")
def lab(plan: Plan, faces: MiniFaces, judge: PlaceJudge) -> Lab:
    return Lab(make_composer(plan, faces), steps=2, judge=judge, faces=faces)


@pytest.fixture(scope="module")
def measured(lab: Lab) -> Measured:
    return lab.measure(make_trial("random", 2, 1), ("masks on", "masks off", "many steps", "exchanged"), keep=True)


@pytest.fixture(scope="module", autouse=True)
def quickly(judge: PlaceJudge) -> Generator[None]:
    """One judge for all, and each timed picture made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "train_place_judge", lambda: judge)
        patch.setattr(speed, "_REPEATS", 1)
        yield


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def whole(plan: Plan, kept: Path) -> list[Measured]:
    return measure_all(plan, kept, jobs=1)


def same(one: Measured, other: Measured) -> bool:
    return (
        one.trial == other.trial
        and one.readings.keys() == other.readings.keys()
        and np.array_equal(one.references, other.references)
        and np.array_equal(one.newcomer, other.newcomer)
        and np.array_equal(one.errors, other.errors)
        and {way: picture.tobytes() for way, picture in one.pictures.items()}
        == {way: picture.tobytes() for way, picture in other.pictures.items()}
        and all(
            np.array_equal(reading.embeddings, other.readings[way].embeddings, equal_nan=True)
            and (reading.attributes, reading.place, reading.clothes, reading.strangers)
            == (
                other.readings[way].attributes,
                other.readings[way].place,
                other.readings[way].clothes,
                other.readings[way].strangers,
            )
            for way, reading in one.readings.items()
        )
    )


def test_every_way_makes_another_picture(measured: Measured) -> None:
    truth = measured.trial.truth()
    assert list(measured.pictures) == list(measured.readings) == [
        "true", "round trip", "masks on", "masks off", "many steps", "exchanged",
    ]  # fmt: skip
    pixels = {way: np.asarray(picture).astype(float) for way, picture in measured.pictures.items()}
    assert {picture.size for picture in measured.pictures.values()} == {truth.picture.size}
    assert np.array_equal(pixels["true"], np.asarray(truth.picture))
    for way in ("masks off", "many steps", "exchanged"):
        change = float(np.abs(pixels[way] - pixels["masks on"]).mean())
        print(f"{way}: {change:.2f} grey levels from masks on")
        assert change > (0 if way == "exchanged" else 0.05)


def test_without_masks_everybody_is_everywhere(lab: Lab) -> None:
    trial = make_trial("random", 2, 1)
    scene = replace(trial_scene(lab.composer, trial, steps=2), mask_rule="none")
    assert lab.make(trial, "masks off").tobytes() == lab.composer.compose(scene).image.tobytes()


def test_a_scene_is_as_a_user_would_write_it(lab: Lab) -> None:
    trial = make_trial("random", 3, 1)
    scene = trial_scene(lab.composer, trial, steps=7)
    assert (scene.prompt, scene.steps, scene.seed) == (trial.prompt, 7, trial.seed)
    assert (scene.width, scene.height) == trial.pose.size
    assert [member.identity.noun for member in scene.cast] == [person.noun for person in trial.cast.people]
    assert [member.phrase for member in scene.cast] == [str(clothes) for clothes in trial.cast.clothes]
    assert all(len(member.identity.embeddings) == 2 for member in scene.cast)  # portraits
    for steps, variant in ((2, "masks on"), (MANY_STEPS, "many steps")):
        made = lab.composer.compose(trial_scene(lab.composer, trial, steps=steps)).image
        assert made.tobytes() == lab.make(trial, variant).tobytes()  # type: ignore[arg-type]


def test_errors_are_those_of_the_round_trip_on_faces(measured: Measured) -> None:
    one, other = (np.asarray(measured.pictures[way]).astype(float) for way in ("true", "round trip"))
    expected = []
    for person in measured.trial.truth().people:
        assert person.face is not None
        left, top, right, bottom = map(round, person.face.corners)
        expected.append(((one - other)[max(0, top) : bottom, max(0, left) : right] ** 2).mean())
    assert measured.errors == pytest.approx(expected)


def test_the_round_trip_is_the_autoencoders(lab: Lab) -> None:
    picture = make_trial("random", 1, 1).truth().picture
    vae = lab.composer.pipeline.vae
    unit = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        back = vae.decode(vae.encode(unit).latent_dist.mean).sample[0].clamp(-1, 1)
    expected = (back.permute(1, 2, 0).numpy() + 1) * 127.5
    assert np.abs(np.asarray(lab.round_trip(picture)) - expected).max() <= 0.51


def test_pictures_are_kept_where_a_face_is_missed(lab: Lab) -> None:
    """Random weights make nobody's face; but of one alone, every face is the nearest."""
    several, alone = make_trial("random", 4, 1), make_trial("random", 1, 1)
    assert lab.measure(several, ("masks on",)).pictures
    assert not lab.measure(alone, ("masks on",)).pictures
    assert lab.measure(alone, ("masks on",), keep=True).pictures


def test_what_is_kept_is_read_back(measured: Measured, tmp_path: Path) -> None:
    file = tmp_path / "one.safetensors"
    holey = replace(measured, readings={**measured.readings})
    reading = measured.readings["masks on"]
    embeddings = reading.embeddings.copy()
    embeddings[0] = math.nan
    holey.readings["masks on"] = replace(  # type: ignore[index]
        reading, embeddings=embeddings, attributes=(None, reading.attributes[1]), clothes=(None, "red")
    )
    keep_measured(holey, file, stamp="a")

    def back(**changes: object) -> Measured | None:
        wanted = {"stamp": "a", "ways": tuple(measured.readings), "pictures": True} | changes
        return read_measured(file, measured.trial, **wanted)  # type: ignore[arg-type]

    found = back()
    assert found is not None
    assert same(found, holey)
    fewer = back(ways=("true", "masks on"), pictures=False)
    assert fewer is not None
    assert list(fewer.readings) == list(fewer.pictures) == ["true", "masks on"]
    assert back(stamp="b") is None
    assert back(ways=("true", "something else")) is None
    keep_measured(replace(holey, pictures={}), file, stamp="a")
    assert back() is None
    assert back(pictures=False) is not None
    file.write_bytes(file.read_bytes()[:-10])
    assert back(pictures=False) is None
    file.unlink()
    assert back(pictures=False) is None


class KilledError(Exception):
    pass


def kill_after(number: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        del total
        if done == number:
            raise KilledError

    return progress


def test_a_stopped_run_goes_on(plan: Plan, whole: list[Measured], tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        measure_all(plan, tmp_path, jobs=1, progress=kill_after(2))
    kept = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")}
    assert len(kept) == 2
    told: list[tuple[int, int]] = []
    again = measure_all(plan, tmp_path, jobs=1, progress=lambda *numbers: told.append(numbers))
    assert told == [(2, 4), (3, 4), (4, 4)]
    assert len(again) == len(whole) == 4
    assert all(map(same, again, whole))
    assert all(file.stat().st_mtime_ns == before for file, before in kept.items())
    assert len(list(tmp_path.rglob("*.safetensors"))) == 4


def test_a_damaged_scene_is_measured_again(plan: Plan, whole: list[Measured], kept: Path, tmp_path: Path) -> None:
    shutil.copytree(kept, tmp_path / "copy")
    (tmp_path / "copy" / plan_tasks(plan)[1].file).write_bytes(b"half")
    told: list[int] = []
    again = measure_all(plan, tmp_path / "copy", jobs=1, progress=lambda done, _: told.append(done))
    assert told == [3, 4]
    assert all(map(same, again, whole))


def test_more_scenes_go_on_and_other_weights_or_steps_begin_anew(
    plan: Plan, whole: list[Measured], kept: Path, weights: Path, tmp_path: Path
) -> None:
    del whole
    shutil.copytree(kept, tmp_path / "copy")
    told: list[int] = []

    def done_with(changed: Plan) -> list[int]:
        told.clear()
        measure_all(changed, tmp_path / "copy", jobs=1, progress=lambda done, _: told.append(done))
        return list(told)

    small = replace(plan, counts=(1,))
    assert done_with(small) == [2]
    assert done_with(replace(small, scenes=3)) == [2, 3]
    assert done_with(replace(small, steps=1)) == [0, 1, 2]
    readers = [weights / "faces" / f"{name}.safetensors" for name in ("recogniser", "finder")]
    other = replace(random_parts(), faces=readers)
    assert other.vae.decoder.conv_out.bias is not None
    other.vae.decoder.conv_out.bias.data += 0.25
    pack(other, tmp_path / "other")
    assert done_with(replace(small, steps=1, weights=tmp_path / "other")) == [0, 1, 2]


def test_two_processes_find_what_one_finds(plan: Plan, whole: list[Measured], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    two = measure_all(replace(plan, counts=(1,)), tmp_path, jobs=2, progress=lambda *numbers: told.append(numbers))
    assert told == [(done, 2) for done in range(3)]
    assert all(map(same, two, whole[:2]))


def test_a_folder_that_cannot_be_made_is_refused(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"^Cannot write .*file"):
        measure_all(plan, tmp_path / "file" / "scenes", jobs=1)


def test_places_are_told_by_their_background(judge: PlaceJudge) -> None:
    right = 0
    for index in range(60):
        pose = make_group(1 + index % 4, 7_000_000 + index)
        cast = cast_pose(pose, seed=index)
        scene = draw_scene(pose, cast, seed=index)
        pixels = np.asarray(scene.picture).copy()
        pixels[scene.labels > 0] = 255  # whoever stands there does not matter
        right += judge.read(pixels, scene) == cast.place
        assert judge.read(np.asarray(scene.picture), scene) in PLACES
    print(f"{right} of 60 places, at least 57")
    assert right >= 57


@pytest.mark.parametrize("place", PLACES)
def test_clothes_are_told_in_any_light(place: str) -> None:
    """Also where somebody wears another colour than in the scene that shows where clothes are."""
    right = seen = 0
    for index in range(4):
        pose = make_group(3, 8_000_000 + index)
        cast = replace(cast_pose(pose, seed=index), place=place)
        truth = draw_scene(pose, cast, seed=index)
        colours = [("red", "blue", "green")[(index + person) % 3] for person in range(3)]
        worn = tuple(Clothes(colour, own.garment) for colour, own in zip(colours, cast.clothes, strict=True))
        for clothes in (cast.clothes, worn):
            picture = np.asarray(draw_scene(pose, replace(cast, clothes=clothes), seed=index).picture)
            read = read_clothes(picture, truth, place)
            right += sum(colour == own.colour for colour, own in zip(read, clothes, strict=True) if colour)
            seen += sum(colour is not None for colour in read)
    print(f"{place}: {right} of {seen}, at least 0.95 of them, and of 24 people at least 20")
    assert seen >= 20
    assert right >= 0.95 * seen


def test_the_reader_is_measured_on_portraits(faces: MiniFaces) -> None:
    """Random weights find faces in many places, and read them by chance."""
    made = measure_reader(faces, people=6, groups=2)
    assert made.people == 6
    assert made.attributes.keys() == set(ATTRIBUTES)
    assert all(rate.of == 12 and rate.right < 12 for rate in made.attributes.values())
    assert (made.top_one.of, made.look_alikes.of) == (6, 8)
    assert (made.found.right, made.found.of, made.precision.right) == (12, 12, 12)
    assert made.precision.of > 20
    assert measure_reader(faces, people=6, groups=2) == made


def test_sheets_show_scenes_and_what_was_missed(measured: Measured, tmp_path: Path) -> None:
    width, height = measured.pictures["true"].size
    sheet = draw_sheet([measured, measured])
    assert sheet.size == (5 * (width + 4) + 4, 2 * (height + 4) + 4)
    assert np.array_equal(
        np.asarray(sheet)[4 : 4 + height, 8 + width : 8 + 2 * width], np.asarray(measured.pictures["masks on"])
    )
    large = draw_sheet([measured], columns=("masks on",), zoom=3)
    assert large.size == (3 * width + 8, 3 * height + 8)
    assert np.array_equal(np.asarray(large)[4:-4:3, 4:-4:3], np.asarray(measured.pictures["masks on"]))
    right = replace(
        measured, readings={"masks on": replace(measured.readings["masks on"], embeddings=measured.references)}
    )
    wrong = replace(
        measured, readings={"masks on": replace(measured.readings["masks on"], embeddings=measured.references[::-1])}
    )
    later = replace(right, trial=replace(right.trial, index=9))
    files = write_sheets([right, replace(right, pictures={}), later], tmp_path, shown=8)
    assert [file.name for file in files] == ["random-2-1x.png", "random-2-3x.png"]
    with PIL.Image.open(files[0]) as one:
        assert one.height == height + 8
    files = write_sheets([right, replace(wrong, trial=later.trial)], tmp_path, shown=8)
    assert [file.name for file in files[2:]] == ["missed-1x.png", "missed-3x.png"]


def test_the_command_writes_all(weights: Path, tmp_path: Path) -> None:
    command = ["mini", "figures", "--weights", str(weights), "-o", str(tmp_path / "out")]
    command += ["--scenes", "1", "--counts", "2,1", "--steps", "1", "--jobs", "1"]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[-1] == str(tmp_path / "out" / "figures.md")
    assert all(line.startswith(("met", "missed")) for line in lines[:-1])
    document = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert [(one["kind"], one["people"]) for one in document["groups"]] == [("random", 1), ("random", 2)]
    assert document["reader"]["people"] == 10
    assert {"1", "20"} == document["speed"]["seconds"].keys()
    assert (tmp_path / "out" / "figures.md").read_text().startswith("Scenes for each row: 1, in 1 steps;")
    assert (tmp_path / "out" / "sheets" / "random-2-1x.png").is_file()


def test_the_command_says_what_is_wrong(weights: Path, tmp_path: Path) -> None:
    def refused(*options: str) -> str:
        result = CliRunner().invoke(main, ["mini", "figures", "-o", str(tmp_path / "out"), *options])
        assert result.exit_code == 2
        return " ".join(result.stderr.split())

    assert "expected numbers from 1 to 8 with commas between, such as 1,2,4, but got 9" in refused("--counts", "9")
    assert "does not exist" in refused("--weights", str(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    assert "multiid: error:" in refused("--weights", str(tmp_path / "empty"))
    (tmp_path / "out" / "figures.json").mkdir(parents=True)
    assert "Expected the name of a file to write" in refused("--weights", str(weights))


def test_all_tasks_of_a_plan_are_trials() -> None:
    for task in plan_tasks(Plan(scenes=1, counts=(1, 4))):
        trial = task.trial
        assert (trial.kind, trial.count, trial.index) == (task.kind, task.count, task.index)
        assert task.ways[:2] == ("true", "round trip")
