import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from shelf import shelf_template

from multiid.cli import main
from multiid.cli.templates import command
from multiid.errors import OutputError, TemplateError
from multiid.poses.contact import draw_template_sheet, template_groups
from multiid.poses.preview import draw_preview
from multiid.poses.templates import Template, load_template, template_names

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "templates.png"
PAPER = (250, 248, 244)


def made_up(
    name: str, *tags: str, size: tuple[int, int] = (512, 512), people: int = 1, extras: int = 0, height: float = 0.5
) -> Template:
    count = people + extras
    places = [
        {"extra": index >= people, "body": {"face": [(index + 0.5) / count, 0.3], "height": height}}
        for index in range(count)
    ]
    document = {"name": name, "title": name, "size": size, "tags": tags, "places": places}
    return Template.model_validate_json(json.dumps(document))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["sheet", *arguments], catch_exceptions=False, **main.context_settings)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def find(sheet: np.ndarray, template: Template, *, long_side: int) -> tuple[int, int, int, int]:
    """Where the template's preview is on the sheet: left, top, right, bottom; its colours may differ by a little."""
    preview = pixels(draw_preview(template.pose(), long_side=long_side))
    _, _, (left, top), _ = cv2.minMaxLoc(cv2.matchTemplate(sheet, preview, cv2.TM_SQDIFF))
    height, width = preview.shape[:2]
    difference = np.abs(sheet[top : top + height, left : left + width].astype(float) - preview).mean()
    print(f"{template.name}: at {left}, {top}, differs by {difference:.2f} of 255, allowed 1")
    assert difference < 1
    return left, top, left + width, top + height


def test_groups_go_by_the_first_tag_and_by_the_number_of_people():
    templates = [
        made_up("none-a"),
        made_up("four", "many", "rows", people=4),
        made_up("one-b", "few"),
        made_up("two", "many", people=2),
        made_up("three-a", "some", people=3),
        made_up("three-b", "always", people=3),
        made_up("three-c", "always", people=1),
        made_up("one-a", "few", "rows", extras=5),
        made_up("alone", "also-few"),
    ]
    groups = template_groups(templates)
    assert [(kind, [template.name for template in group]) for kind, group in groups.items()] == [
        ("also-few", ["alone"]),
        ("few", ["one-a", "one-b"]),
        ("always", ["three-c", "three-b"]),
        ("some", ["three-a"]),
        ("many", ["two", "four"]),
        ("other", ["none-a"]),
    ]
    assert list(template_groups(templates[::-1])) == list(groups)


def test_every_preview_is_there_with_its_name_below():
    names = ("single-portrait", "couple-standing", "couple-selfie", "team-eight", "family-five", "friends-six")
    templates = [load_template(name) for name in names]
    sheet = draw_template_sheet(templates)
    assert (sheet.mode, sheet.width) == ("P", 1280)
    drawn = pixels(sheet)
    boxes = [find(drawn, template, long_side=round(160 * max(1.0, template.size.aspect))) for template in templates]
    labels = []
    for left, _, right, bottom in boxes:
        assert 0 < left < right < 1280
        label = (drawn[bottom : bottom + 20, left:right] != PAPER).any(axis=2)
        assert label.sum() > 100
        labels.append(label[:, :100].tobytes())
    assert len(set(labels)) == len(labels)
    for one in range(len(boxes)):
        for other in range(one):
            a, b = boxes[one], boxes[other]
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3], "previews do not overlap"


def test_a_kind_begins_a_row_unless_it_fits_into_the_last():
    def tops(*kinds: tuple[str, int]) -> list[int]:
        templates = [
            made_up(f"{kind}-{index}", kind, people=index + 1, height=0.2 if kind == "a" else 0.3)
            for kind, count in kinds
            for index in range(count)
        ]
        drawn = pixels(draw_template_sheet(templates))
        return [find(drawn, template, long_side=160)[1] for template in templates]

    together = tops(("a", 2), ("b", 3))
    assert len(set(together)) == 1
    apart = tops(("a", 5), ("b", 6))
    assert len(set(apart[:5])) == len(set(apart[5:])) == 1
    assert apart[5] > apart[0] + 160


def test_strange_shapes_stay_on_the_sheet():
    wide, tall = made_up("wide", "a", size=(8192, 256), height=0.8), made_up("tall", "a", size=(256, 4096), height=0.05)
    drawn = pixels(draw_template_sheet([wide, tall]))
    left, _, right, _ = find(drawn, wide, long_side=1240)
    assert (left, right) == (20, 1260)
    assert (drawn[:, -18:] == PAPER).all()
    assert (drawn[:, :18] == PAPER).all()


def test_extras_are_counted_apart():
    lines = [
        # Ink or none: the palette's shades of grey depend on the previews.
        (pixels(draw_template_sheet([made_up("a", "a", people=2, extras=extras, height=0.3)]))[-50:] < 180).all(axis=2)
        for extras in (0, 1, 2)
    ]
    assert 0 < lines[0].sum() < lines[1].sum() < lines[2].sum()


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="templates: expected at least one, but got none"):
        draw_template_sheet([])


def test_the_committed_sheet_shows_the_library_as_it_is():
    assert COMMITTED.stat().st_size < 600_000
    with Image.open(COMMITTED) as image:
        assert image.mode == "P"
        committed = pixels(image).astype(float)
    drawn = pixels(draw_template_sheet([shelf_template(name) for name in template_names()]))
    assert committed.shape == drawn.shape, "make it with: multiid templates sheet -o docs/pictures/templates.png"
    difference = np.abs(committed - drawn).mean()
    print(f"the sheet differs by {difference:.3f} of 255 on average, allowed 0.5")
    assert difference < 0.5


def test_the_command_draws_the_named_ones_the_same_each_time(tmp_path: Path):
    own = tmp_path / "mine.json"
    own.write_text(made_up("mine", "mine").to_json(), encoding="utf-8")
    for name in ("one.png", "other.png"):
        result = run("family-four", "couple-selfie", str(own), "-o", str(tmp_path / name))
        assert result.output == f"{tmp_path / name}\n"
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    templates = [load_template(name) for name in ("family-four", "couple-selfie", own)]
    with Image.open(tmp_path / "one.png") as image:
        assert np.array_equal(pixels(image), pixels(draw_template_sheet(templates)))


def test_the_command_writes_nothing_where_something_is_wrong(tmp_path: Path):
    with pytest.raises(TemplateError, match="no template 'nobody'"):
        run("nobody", "-o", str(tmp_path / "sheet.png"))
    with pytest.raises(OutputError, match="Expected an existing folder"):
        run("-o", str(tmp_path / "nowhere" / "sheet.png"))
    own = tmp_path / "mine.json"
    own.write_text(made_up("mine", "mine").to_json(), encoding="utf-8")
    with pytest.raises(OutputError, match=r"ending in \.png, but got .*mine\.json"):
        run(str(own), "-o", str(own))
    assert load_template(own).name == "mine"
    own.unlink()
    assert list(tmp_path.iterdir()) == []
