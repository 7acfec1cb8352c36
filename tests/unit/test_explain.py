import numpy as np
import pytest
import torch
from PIL import Image

from multiid.explain import explain_picture

PANEL = 640
GAP = 12
TITLE = GAP + 24  # rows above a panel


def halves(width: int = 80, height: int = 40) -> torch.Tensor:
    regions = torch.zeros(2, height, width)
    regions[0, :, : width // 2] = 1
    regions[1, :, width // 2 :] = 1
    return regions


def plain(colour: str, width: int = 80, height: int = 40) -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def pixels(sheet: Image.Image, panel: int, *, width: int = PANEL, height: int = 320) -> np.ndarray:
    left = GAP + panel * (width + GAP)
    return np.asarray(sheet)[TITLE : TITLE + height, left : left + width]


def hue(panel: np.ndarray, x: float, y: float = 0.05) -> tuple[int, ...]:
    return tuple(panel[int(y * panel.shape[0]), int(x * panel.shape[1])].tolist())


def test_three_panels_in_a_row() -> None:
    sheet = explain_picture(
        control=plain("lime"), regions=halves(), names=["ada", "isaac"], picture=plain("red"), lines=["a garden"]
    )
    assert sheet.mode == "RGB"
    assert sheet.width == 3 * PANEL + 4 * GAP
    assert (pixels(sheet, 0) == (0, 255, 0)).all()
    assert (pixels(sheet, 2) == (255, 0, 0)).all()
    regions = pixels(sheet, 1)
    assert hue(regions, 0.2) != hue(regions, 0.8)


def test_regions_alone_lie_on_black() -> None:
    regions = halves()
    regions[1] = 0
    panel = pixels(explain_picture(control=None, regions=regions, names=["ada", "isaac"]), 0)
    assert hue(panel, 0.9) == (0, 0, 0)
    assert hue(panel, 0.1) != (0, 0, 0)
    rows = np.nonzero((panel[:, 5] > 0).any(axis=1))[0]
    assert (rows[0], rows[-1]) == (0, 319)


def test_control_image_shows_through_the_regions() -> None:
    control = plain("black")
    control.paste("white", (0, 0, 80, 10))
    panel = pixels(explain_picture(control=control, regions=halves(), names=["a", "b"]), 1)
    assert sum(hue(panel, 0.1, 0.05)) > sum(hue(panel, 0.1, 0.95))


def test_soft_edges_fade() -> None:
    regions = torch.linspace(1, 0, 80).expand(1, 40, 80).clone()
    panel = pixels(explain_picture(control=None, regions=regions, names=["x"]), 0)
    brightness = panel[5].astype(int).sum(axis=1)
    assert (np.diff(brightness) <= 0).all()
    assert len(np.unique(brightness)) > 40
    assert brightness[0] > 200
    assert brightness[-1] == 0


def test_sixteen_people_have_sixteen_colours() -> None:
    regions = torch.zeros(16, 32, 160)
    for index in range(16):
        regions[index, :, index * 10 : index * 10 + 10] = 1
    panel = pixels(explain_picture(control=None, regions=regions, names=["x"] * 16), 0, height=128)
    colours = np.array([hue(panel, (index + 0.5) / 16) for index in range(16)], float)
    apart = min(np.abs(colours[i] - colours[j]).sum() for i in range(16) for j in range(i))
    print(f"the two nearest of 16 colours differ by {apart:.0f} of 765")
    assert apart > 30


def test_names_are_written_on_their_regions() -> None:
    def panel(first: str, second: str) -> np.ndarray:
        return pixels(explain_picture(control=None, regions=halves(), names=[first, second]), 0)

    changed = (panel("ada", "isaac") != panel("ada", "marie")).any(axis=2)
    assert changed.any()
    assert not changed[:, : PANEL // 2].any()
    ys, xs = np.nonzero(changed)
    assert 0.6 < xs.mean() / PANEL < 0.9
    assert 0.4 < ys.mean() / 320 < 0.6


def test_name_lies_inside_a_ring() -> None:
    y, x = torch.meshgrid(torch.arange(200) - 99.5, torch.arange(200) - 99.5, indexing="ij")
    distance = (x.square() + y.square()).sqrt()
    ring = ((distance > 55) & (distance < 95)).float()[None]
    sheets = [explain_picture(control=None, regions=ring, names=[name]) for name in ("a", "b")]
    one, two = (pixels(sheet, 0, height=640) for sheet in sheets)
    ys, xs = np.nonzero((one != two).any(axis=2))
    assert ring[0, int(ys.mean() * 200 / 640), int(xs.mean() * 200 / 640)] == 1


def test_names_at_one_spot_do_not_cover_each_other() -> None:
    regions = torch.zeros(3, 64, 64)
    regions[:, 20:44, 20:44] = 1 / 3

    def panel(*names: str) -> np.ndarray:
        return pixels(explain_picture(control=None, regions=regions, names=names), 0, height=640)

    assert (panel("ada", "isaac", "the longest") != panel("bob", "isaac", "the longest")).any()
    assert (panel("ada", "isaac", "the longest") != panel("ada", "marie", "the longest")).any()


def test_a_name_in_another_script_is_numbered_and_accents_are_dropped() -> None:
    def panel(name: str) -> np.ndarray:
        return pixels(explain_picture(control=None, regions=halves(), names=["ada", name]), 0)

    assert (panel("\u738b\u6797") == panel("person 2")).all()
    assert (panel("\u00c9milie") == panel("Emilie")).all()


@pytest.mark.parametrize("name", ["", "x" * 500, "two\nlines", "a b " * 90])
def test_awkward_names_stay_near_their_region(name: str) -> None:
    sheet = explain_picture(control=None, regions=halves(), names=["ada", name])
    assert sheet.width == PANEL + 2 * GAP
    short = explain_picture(control=None, regions=halves(), names=["ada", "x"])
    far = PANEL // 4  # from the second region: no name is longer than a third of the panel
    assert (pixels(sheet, 0)[:, :far] == pixels(short, 0)[:, :far]).all()
    assert (pixels(sheet, 0)[:, -20:] == pixels(short, 0)[:, -20:]).all()


def test_long_lines_are_wrapped() -> None:
    def height(*lines: str) -> int:
        return explain_picture(control=None, regions=halves(), names=["a", "b"], lines=lines).height

    one = height("short")
    line = height("short", "short") - one
    assert line > 0
    assert height("word " * 60) >= one + 2 * line
    assert height("w" * 300) >= one + 2 * line  # no space to part at
    assert height("short\nshort") == one + line
    assert height("short", "", "short") == one + 2 * line


def test_lines_are_parted_between_words() -> None:
    def sheet(*lines: str) -> np.ndarray:
        return np.asarray(explain_picture(control=None, regions=halves(), names=["a", "b"], lines=lines))

    words = [f"word{number}" for number in range(14)]
    whole = sheet(" ".join(words))
    parted = [sheet(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, 14)]
    assert sum(np.array_equal(whole, other) for other in parted) == 1


def test_text_stays_on_the_sheet() -> None:
    sheet = np.asarray(
        explain_picture(control=None, regions=halves(), names=["a", "b"], lines=["lorem ipsum " * 40, "W" * 200])
    )
    assert (sheet[360:, -4:] == sheet[-1, -1]).all()
    assert (sheet[-4:] == sheet[-1, -1]).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 200), (1537, 511), (8, 1024)])
def test_any_size(width: int, height: int) -> None:
    sheet = explain_picture(
        control=plain("blue", width, height), regions=halves(width, height), names=["ada", "isaac"],
        picture=plain("red", width, height), lines=["words"],
    )  # fmt: skip
    assert sheet.height > 640 * min(1, height / width)


def test_nobody() -> None:
    sheet = explain_picture(control=plain("red"), regions=torch.zeros(0, 40, 80), names=[])
    assert sheet.width == 2 * PANEL + 3 * GAP


def test_half_precision_on_any_picture_mode() -> None:
    sheet = explain_picture(
        control=plain("red").convert("L"),
        regions=halves().half(),
        names=["a", "b"],
        picture=plain("red").convert("RGBA"),
    )
    assert sheet.mode == "RGB"


def test_names_must_match_regions() -> None:
    with pytest.raises(ValueError, match="one name for each of 2 regions, but got 1"):
        explain_picture(control=None, regions=halves(), names=["ada"])
