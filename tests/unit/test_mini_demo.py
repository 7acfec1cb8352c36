"""The demonstration: who is invited, what is made of them, and that the sheet says so."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from click.testing import CliRunner
from minis import load_miniature, random_faces, random_parts
from PIL import ImageDraw

from multiid import PRESETS, Box, Composer, Identity, Picture, Scene, SceneError, TemplateError
from multiid.cli import main
from multiid.mini.demo.outcome import draw_outcome
from multiid.mini.demo.paper import CARD, INK, LINE, PAPER, RIGHT, WRONG, fill, mount, person_colour, write_lines
from multiid.mini.demo.plan import Plan, plan_demo
from multiid.mini.demo.sheet import draw_demo
from multiid.mini.demo.show import Shown, Sighting, show
from multiid.mini.demo.stage import draw_places
from multiid.mini.pack import pack
from multiid.mini.world.people import differences, is_held_out
from multiid.pipeline.staging import Stage, set_stage


def seen(own: int, people: int, box: Box | None = None) -> Sighting:
    """A face that resembles one person and nobody else."""
    similarities = tuple(0.9 if index == own else -0.1 for index in range(people))
    return Sighting(box or Box(10, 10, 50, 60), similarities)


def stage_of(plan: Plan) -> Stage:
    defaults = PRESETS["mini"].defaults
    people = [Identity(guest.name, guest.person.noun, torch.zeros(1, 1, 128), "x") for guest in plan.guests]
    scene = Scene(plan.prompt, people, template=plan.template)
    return set_stage(
        scene, default_size=defaults.size, multiple=8, limb_width=defaults.limb_width, area=defaults.area
    )  # fmt: skip


def shown(plan: Plan, sightings: Sequence[Sighting | None]) -> Shown:
    """What came of a plan, in one plain colour, and the same faces with and without masks."""
    stage, names = stage_of(plan), tuple(guest.name for guest in plan.guests)
    read = (("scene", plan.prompt), *((name, f"a person called {name}") for name in names))
    image = PIL.Image.new("RGB", stage.size, (10, 200, 30))
    picture = Picture((image,), latents=None, recipes=(), stage=stage, names=names, read=read, notes=())
    return Shown(plan, picture, picture, tuple(sightings), tuple(sightings))


def has(picture: PIL.Image.Image, colour: tuple[int, int, int]) -> bool:
    return bool((np.asarray(picture) == colour).all(axis=-1).any())


@pytest.mark.parametrize("people", [1, 2, 4, 8])
def test_guests_are_easily_told_apart(people: int) -> None:
    least = 9
    for seed in range(2):
        guests = plan_demo(seed=seed, people=people).guests
        assert len(guests) == people
        persons = [guest.person for guest in guests]
        assert all(is_held_out(person) for person in persons)
        assert {person.glasses for person in persons} <= {"none", "round"}
        assert sum(person.glasses != "none" for person in persons) <= 1
        for hair in ("hair_colour", "hair_style"):
            # Eight grown-ups have but eight colours, and not all of them are at hand each time.
            assert len({getattr(person, hair) for person in persons}) >= people - (people == 8)
        least = min([least, *(len(differences(a, b)) for a in persons for b in persons if a is not b)])
    print(f"{people} people: any two differ in {least} attributes, at least 3")
    assert least >= 3


def test_the_same_seed_plans_the_same() -> None:
    plan, again, other = plan_demo(seed=3), plan_demo(seed=3), plan_demo(seed=4)
    assert (plan.prompt, plan.template) == (again.prompt, "family-four")
    for one, two in zip(plan.guests, again.guests, strict=True):
        assert (one.name, one.person, one.clothes) == (two.name, two.person, two.clothes)
        assert [picture.tobytes() for picture in one.portraits] == [picture.tobytes() for picture in two.portraits]
    assert [guest.person for guest in plan.guests] != [guest.person for guest in other.guests]


def test_a_plan_fits_its_template() -> None:
    plan = plan_demo(seed=5, template="family-five")
    assert [guest.person.age for guest in plan.guests] == ["elder", "child", "adult", "child", "adult"]
    named = [plan.prompt.index(f"{{{guest.name}}}") for guest in plan.guests]
    assert named == sorted(named)
    for guest in plan.guests:
        pictures = [picture.tobytes() for picture in (*guest.portraits, *guest.kept)]
        assert (len(guest.portraits), len(set(pictures))) == (2, 6)


def test_impossible_wishes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"Expected 1 to 8 people, .* but got 9 people\.$"):
        plan_demo(seed=1, people=9)
    with pytest.raises(SceneError, match="family-four is for, 4, but got 3"):
        plan_demo(seed=1, people=3, template="family-four")
    with pytest.raises(TemplateError, match="family-four"):
        plan_demo(seed=1, template="family-for")
    places = [{"body": {"face": [0.05 + 0.1 * index, 0.4], "height": 0.5}} for index in range(9)]
    document = {"name": "nine", "title": "Nine", "size": [1600, 640], "places": places}
    (tmp_path / "nine.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(SceneError, match="for at most 8 people"):
        plan_demo(seed=1, template=str(tmp_path / "nine.json"))
    with pytest.raises(SceneError, match="every face is seen, but in over-the-shoulder that of place 0 is not"):
        plan_demo(seed=1, template="over-the-shoulder")


@pytest.mark.parametrize(
    "options",
    [
        ("--people", "9"),
        ("--people", "0"),
        ("--template", "nobody"),
        ("--seed", "-1"),
        ("-o", "nowhere/demo.png"),
        ("-o", "demo.jpg"),
    ],
    ids=" ".join,
)
def test_bad_input_ends_with_2_before_anything_is_loaded(
    options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["demo", *options])
    assert result.exit_code == 2
    assert result.stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def composer(tmp_path_factory: pytest.TempPathFactory) -> Composer:
    """The miniature with random weights, in two steps."""
    folder = tmp_path_factory.mktemp("random") / "weights"
    pack(random_parts(), folder)
    loaded = load_miniature(folder)
    return Composer(
        loaded.pipeline, loaded.adapter, loaded.faces, defaults=replace(PRESETS["mini"].defaults, steps=2)
    )  # fmt: skip


@pytest.mark.parametrize("template", ["couple-standing", "crowd-two"])
def test_both_pictures_differ_in_regions_alone(template: str, composer: Composer, tmp_path: Path) -> None:
    """With random weights: what is made, not how it looks. Nobody is invited to the places of extras."""
    plan = plan_demo(seed=2, template=template)
    made = show(plan, composer, faces=random_faces(tmp_path))
    assert made.masked.names == tuple(guest.name for guest in plan.guests)
    assert made.masked.recipe.scene.seed == made.unmasked.recipe.scene.seed == plan.seed
    assert made.masked.stage.regions.sum(dim=0).max() == 1
    assert [made.masked.recipe.scene.mask_rule, made.unmasked.recipe.scene.mask_rule] == ["additive", "none"]
    assert not np.array_equal(np.asarray(made.masked.image), np.asarray(made.unmasked.image))
    assert len(made.seen) == len(made.mixed) == 2
    assert dict(made.masked.read)[plan.guests[0].name].endswith(str(plan.guests[0].clothes))


@pytest.mark.parametrize("people", [1, 2, 8])
def test_a_sheet_holds_both_pictures(people: int) -> None:
    plan = plan_demo(seed=1, people=people)
    sheet = draw_demo(shown(plan, [seen(index, people) for index in range(people)]))
    assert sheet.width <= 2000
    assert sheet.size == draw_demo(shown(plan, [None] * people)).size
    width, height = stage_of(plan).size
    plain = (np.asarray(sheet) == (10, 200, 30)).all(axis=-1).sum()
    zoom = (plain / (2 * width * height)) ** 0.5
    print(f"{people} people: {sheet.size}, pictures shown {zoom:.2f} times as large, at least 2.9")
    assert zoom >= 2.9  # a little is lost to the round corners
    assert all(has(sheet, person_colour(index)) for index in range(people))


def test_an_outcome_says_who_is_right() -> None:
    picture = PIL.Image.new("RGB", (300, 200), (10, 200, 30))
    names = ("ada", "isaac")
    right = draw_outcome("With", picture, [seen(0, 2), seen(1, 2)], names, 300)
    wrong = draw_outcome("With", picture, [seen(0, 2), seen(0, 2)], names, 300)
    missing = draw_outcome("With", picture, [seen(0, 2), None], names, 300)
    assert right.size == wrong.size == missing.size
    verdicts = [column.crop((0, 244, 300, 278)) for column in (right, wrong, missing)]
    assert [has(verdict, RIGHT) for verdict in verdicts] == [True, False, False]
    assert [has(verdict, WRONG) for verdict in verdicts] == [False, True, True]
    assert not has(right, WRONG)
    assert has(wrong, RIGHT)  # Ada's tick


def test_bars_are_as_long_as_faces_are_alike() -> None:
    picture = PIL.Image.new("RGB", (300, 200))
    column = draw_outcome("With", picture, [Sighting(Box(10, 10, 50, 60), (0.8, 0.4, -0.2))], ["a", "b", "c"], 900)
    bars = np.asarray(column)[-3 * 19 - 8 :]
    longest = [(bars == person_colour(index)).all(axis=-1).sum(axis=1).max() for index in range(3)]
    print(f"bars of {longest} pixels for 0.8, 0.4 and -0.2")
    assert longest[0] == pytest.approx(2 * longest[1], rel=0.1)
    assert longest[2] < longest[1] / 2


def test_places_are_coloured_and_named() -> None:
    regions = torch.zeros(2, 20, 40)
    regions[0, :, :10] = 1
    regions[1, :, 30:] = 1
    panel = np.asarray(draw_places(regions, None, ["Ada", "Isaac"], (400, 200)))
    assert tuple(panel[10, 10]) == person_colour(0)
    assert tuple(panel[10, 390]) == person_colour(1)
    assert tuple(panel[10, 200]) == CARD
    lettered = (panel == INK).all(axis=-1)
    assert lettered[:, :100].any()
    assert lettered[:, 300:].any()
    empty = draw_places(torch.zeros(1, 20, 40), PIL.Image.new("RGB", (40, 20)), ["Ada"], (400, 200))
    assert has(empty, CARD)


def test_lines_stay_within_their_width() -> None:
    sheet = PIL.Image.new("RGB", (300, 200), PAPER)
    text = "a woman in a red coat and a man in a blue shirt in a garden"
    end = write_lines(ImageDraw.Draw(sheet), (10, 10), text, width=120, size=16, colour=INK)
    inked = (np.asarray(sheet) != PAPER).any(axis=-1)
    assert not inked[:, 131:].any()
    assert 10 + 3 * 20 < end < 200
    assert not inked[int(end) + 2 :].any()


def test_shapes_have_round_corners() -> None:
    sheet = PIL.Image.new("RGB", (60, 60), PAPER)
    fill(sheet, (10, 10, 50, 50), INK, radius=12)
    assert sheet.getpixel((30, 30)) == INK
    assert sheet.getpixel((10, 10)) == sheet.getpixel((9, 30)) == PAPER
    mount(sheet, PIL.Image.new("RGB", (20, 20), CARD), (20, 20))
    assert sheet.getpixel((30, 30)) == CARD
    assert sheet.getpixel((30, 18)) == LINE
    fill(sheet, (0, 0, 0, 9), WRONG, radius=4)
    assert not has(sheet, WRONG)
