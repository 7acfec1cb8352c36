"""The selftest's parts: who sits, what is made, counted and judged; and the preset tiny, which does not work."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner, Result
from photos import write_blocks

from multiid import PRESETS, Box, Identity, IdentityError, SceneError, read_recipe
from multiid.cli import main
from multiid.mini.demo.show import Sighting
from multiid.pipeline.kept import KeptPicture, recall_picture
from multiid.selftest.run import Made
from multiid.selftest.sitters import invite
from multiid.selftest.tasks import WAYS, Task, Way, make_scene, plan_tasks
from multiid.selftest.verdict import judge_preset, tally

BLACK = KeptPicture(PIL.Image.new("RGB", (8, 8)), 1.0)


def selftest(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["selftest", *map(str, arguments)])


def seen(nearest: int, people: int = 4) -> Sighting:
    return Sighting(Box(0, 0, 4, 4), tuple(0.8 if index == nearest else 0.1 for index in range(people)))


def made(way: Way, people: int, *, right: int, found: int | None = None, kept: KeptPicture | None = BLACK) -> Made:
    """A picture with so many faces of the right people; the other faces found are their neighbours'."""
    found = people if found is None else found
    looks = [seen(index if index < right else (index + 1) % 4) for index in range(people)]
    sightings = [look if index < found else None for index, look in enumerate(looks)]
    return Made(Task(way, people, 0), kept, tuple(sightings), 0)


def of_all(rights: dict[str, int]) -> list[Made]:
    """Pictures of four people, with so many right by way."""
    return [made(way, 4, right=rights[str(way)]) for way in WAYS]


GOOD = {"stack, masks on": 4, "stack, masks off": 1, "inline, masks on": 4, "inline, masks off": 1}


def test_every_way_and_number_of_people_is_made() -> None:
    tasks = plan_tasks(4, seeds=2)
    assert len(tasks) == len(set(tasks)) == 28
    assert len({task.file for task in tasks}) == 28
    for way in WAYS:
        counts = [task.people for task in tasks if task.way == way and task.seed == 0]
        assert counts == ([1, 2, 3, 4] if way.masked else [2, 3, 4])


def test_scenes_name_everybody() -> None:
    import torch

    people = [
        Identity(name, noun, torch.zeros(1, 1, 1), encoder="none")
        for name, noun in (("ada", "woman"), ("isaac", "old man"), ("max", "boy"))
    ]
    scene = make_scene(Task(WAYS[2], 3, 5), people, defaults=PRESETS["sdxl"].defaults, photographic=True, steps=None)
    assert scene.prompt == "a photo of a {ada}, an {isaac} and a {max} in a garden"
    assert (scene.layout, scene.seed, len(scene.cast)) == ("inline", 5, 3)
    assert (scene.width, scene.height) == (1152, 896)
    alone = make_scene(Task(WAYS[0], 1, 5), people, defaults=PRESETS["tiny"].defaults, photographic=False, steps=3)
    assert (alone.prompt, alone.steps, len(alone.cast)) == ("a {ada} in a garden", 3, 1)
    assert (alone.width, alone.height) == (256, 320)


def test_what_is_counted() -> None:
    counted = tally([made(WAYS[0], 4, right=2, found=3), made(WAYS[0], 2, right=2)])
    assert (counted.pictures, counted.faces, counted.found, counted.right) == (2, 6, 5, 4)
    assert counted.found_rate == pytest.approx(5 / 6)
    assert counted.right_rate == pytest.approx(4 / 6)
    assert counted.likeness == pytest.approx((4 * 0.8 + 0.1) / 5)
    assert counted.margin == pytest.approx((4 * 0.7 - 0.7) / 5)
    nothing = tally([made(WAYS[2], 4, right=0, kept=None)])
    assert (nothing.pictures, nothing.faces, nothing.unmade, nothing.right_rate) == (0, 0, 1, 0.0)


def test_a_preset_that_works() -> None:
    verdict = judge_preset("sdxl", "stack", of_all(GOOD))
    assert verdict.works
    assert str(verdict) == (
        "sdxl works: faces found 100% (at least 90%), faces of the right person 100% (at least 75%), "
        "more of them right by masks 75% (at least 10%)"
    )
    assert verdict.advice == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stack, masks on": 2}, "sdxl does not work: faces of the right person 50% (at least 75%)"),
        ({"stack, masks off": 4}, "sdxl does not work: more of them right by masks 0% (at least 10%)"),
    ],
)
def test_reasons_for_not_working(changes: dict[str, int], said: str) -> None:
    verdict = judge_preset("sdxl", "stack", of_all(GOOD | changes))
    assert not verdict.works
    assert str(verdict) == said


def test_faces_that_are_not_found_count_against_it() -> None:
    pictures = [replace(picture, sightings=(None, *picture.sightings[1:])) for picture in of_all(GOOD)]
    verdict = judge_preset("sdxl", "stack", pictures)
    assert str(verdict) == "sdxl does not work: faces found 75% (at least 90%)"


def test_a_preset_is_judged_in_its_own_layout() -> None:
    pictures = of_all(GOOD | {"inline, masks on": 1, "inline, masks off": 0})
    assert judge_preset("sdxl", "stack", pictures).works
    for layout in ("inline", "auto"):
        verdict = judge_preset("sdxl", layout, pictures)
        assert not verdict.works
        assert verdict.advice == (
            "layout stack gets 100% of the faces right, inline 25%: stack suits this preset better",
        )


def test_auto_is_stack_where_people_do_not_fit_inline() -> None:
    pictures = [
        replace(picture, kept=None, unmade="too long") if picture.task.way.layout == "inline" else picture
        for picture in of_all(GOOD)
    ]
    verdict = judge_preset("sdxl", "auto", pictures)
    assert verdict.works
    assert verdict.advice[0].startswith("inline has no room for these people in 1 of the pictures")
    assert not judge_preset("sdxl", "inline", pictures).works


def test_cartoon_people_sit_for_presets_that_draw_them() -> None:
    for name in ("mini", "tiny"):
        sitters = invite(PRESETS[name], [])
        assert len(sitters) == 4
        assert len({sitter.name for sitter in sitters}) == 4
        given = [image.tobytes() for sitter in sitters for image in sitter.given]
        assert not set(given) & {image.tobytes() for sitter in sitters for image in sitter.kept}


def test_people_of_the_users_own(tmp_path: Path) -> None:
    for number in range(3):
        write_blocks(tmp_path / "ada" / f"{number}.png", number)
    write_blocks(tmp_path / "isaac.png", 5)
    ada, isaac = invite(
        PRESETS["sdxl"],
        [("ada", "woman", str(tmp_path / "ada")), ("isaac", "man", str(tmp_path / "isaac.png"))],
    )
    assert (len(ada.given), len(ada.kept)) == (2, 1)
    assert ada.kept[0].tobytes() not in {image.tobytes() for image in ada.given}
    assert (len(isaac.given), len(isaac.kept)) == (1, 1)


@pytest.mark.parametrize(
    ("people", "error", "said"),
    [
        ([], SceneError, "Expected two to 4 people for the selftest of sdxl, but got 0: give each with --person"),
        ([("ada", "woman", "a.jpg")], SceneError, "but got 1"),
        ([(f"p{i}", "woman", "a.jpg") for i in range(5)], SceneError, "but got 5"),
        ([("ada", "woman", "a.jpg")] * 2, SceneError, "Expected every name once, but ada came twice"),
        ([("a b", "woman", "a.jpg"), ("ada", "woman", "a.jpg")], IdentityError, "Expected a name of letters"),
    ],
)
def test_people_that_will_not_do(people: list[tuple[str, str, str]], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        invite(PRESETS["sdxl"], people)
    assert said in str(caught.value)


def test_what_is_wrong_with_people_shows_before_models_are_loaded(tmp_path: Path) -> None:
    result = selftest("--preset", "sdxl", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.startswith("multiid: error: Expected two to 4 people")
    (tmp_path / "file").write_text("")
    assert selftest("--preset", "tiny", "-o", tmp_path / "file" / "out").exit_code == 2


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The whole command on random weights."""
    folder = tmp_path_factory.mktemp("selftest") / "tiny"
    return folder, selftest("--preset", "tiny", "-o", folder, "--seeds", 1, "--steps", 2, "--device", "cpu")


def test_random_weights_do_not_work(tiny: tuple[Path, Result]) -> None:
    folder, result = tiny
    assert result.exit_code == 1, result.output
    assert result.stdout.splitlines()[:2] == [str(folder / "sheet.png"), str(folder / "metrics.json")]
    verdict = result.stdout.splitlines()[-1]
    print(verdict)
    assert verdict.startswith("verdict: tiny does not work: faces found ")
    assert "faces of the right person" in verdict
    figures = json.loads((folder / "metrics.json").read_text())
    assert figures["works"] is False
    assert f"verdict: {figures['verdict']}" == verdict
    assert [criterion["required"] for criterion in figures["criteria"]] == [0.9, 0.75, 0.1]
    assert len(figures["pictures"]) == 14
    assert set(figures["ways"]) == {str(way) for way in WAYS}
    assert figures["ways"]["stack, masks on"]["faces"] == 10
    assert figures["licences"] == {}
    with PIL.Image.open(folder / "sheet.png") as sheet:
        assert min(sheet.size) > 1000
    assert {path.name for path in folder.iterdir()} == {"metrics.json", "pictures", "sheet.png"}


def test_masks_make_other_pictures(tiny: tuple[Path, Result]) -> None:
    def pixels(file: str) -> np.ndarray:
        with PIL.Image.open(tiny[0] / "pictures" / file) as image:
            return np.asarray(image.convert("RGB"))

    for first, second in (("stack-masks-3", "stack-nomasks-3"), ("stack-masks-2", "inline-masks-2")):
        one, other = f"{first}-0.png", f"{second}-0.png"
        share = (pixels(one) != pixels(other)).mean()
        print(f"{one} and {other}: {share:.4%} of the values differ")  # few, since random weights hear little
        assert share > 0


def test_pictures_say_that_they_are_generated_and_how_to_make_them_again(tiny: tuple[Path, Result]) -> None:
    """Without masks a picture has no recipe: a composer makes none such."""
    pictures = tiny[0] / "pictures"
    for file in pictures.iterdir():
        with PIL.Image.open(file) as image:
            assert "trainedAlgorithmicMedia" in image.info["XML:com.adobe.xmp"]
    recipes = [read_recipe(pictures / f"stack-{masks}-4-0.png") for masks in ("masks", "nomasks")]
    assert [recipe.scene.mask_rule for recipe in recipes] == ["additive", "none"]
    assert {recipe.preset for recipe in recipes} == {"tiny"}


def test_a_stopped_run_goes_on(tiny: tuple[Path, Result]) -> None:
    """What is there is taken, what is missing or damaged is made; nothing comes out differently."""
    folder, _ = tiny
    pictures = sorted((folder / "pictures").iterdir())
    before = {file.name: file.stat().st_mtime_ns for file in pictures}
    contents = {file.name: PIL.Image.open(file).tobytes() for file in pictures}
    figures = (folder / "metrics.json").read_text()
    pictures[0].unlink()
    pictures[1].write_bytes(pictures[1].read_bytes()[:500])
    result = selftest("--preset", "tiny", "-o", folder, "--seeds", 1, "--steps", 2, "--device", "cpu")
    assert result.exit_code == 1
    after = {file.name: file.stat().st_mtime_ns for file in sorted((folder / "pictures").iterdir())}
    assert {name for name in before if before[name] != after[name]} == {pictures[0].name, pictures[1].name}
    assert {file.name: PIL.Image.open(file).tobytes() for file in pictures} == contents
    again, first = json.loads((folder / "metrics.json").read_text()), json.loads(figures)
    assert again["ways"] == first["ways"]
    other = json.loads(PIL.Image.open(pictures[0]).info["multiid-kept"])["stamp"]
    assert recall_picture(pictures[0], stamp=other) is not None
    assert recall_picture(pictures[0], stamp="another") is None
