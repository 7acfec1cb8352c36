"""Pages as pictures: faces stay whole, gutters, borders and gaps are where they belong, words where they are safe."""

import numpy as np
import pytest
from comics import drawn_panel, drawn_panels
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from multiid.errors import StoryError
from multiid.geometry import Box, Size
from multiid.story.cutting import cut_around
from multiid.story.layout import lay_out
from multiid.story.page import DrawnPage, PanelPicture, draw_page
from multiid.story.placeholder import draw_placeholder
from multiid.story.script import Caption, Inset, Layout, Line, Page, Panel, Paper, Row, Sound
from multiid.story.seen import Seen, SeenFace

WITH_INSET = Layout(
    rows=[Row(height=2, panels=[1.0]), Row(panels=[2.0, 1.0])], insets=[Inset(box=[0.55, 0.1, 0.95, 0.45])]
)
PLAIN = Panel(prompt="a garden")
RED, BLUE = (255, 0, 0), (0, 0, 255)

spans = st.tuples(st.floats(0, 280), st.floats(0, 80), st.floats(10, 60), st.floats(10, 60)).map(
    lambda told: Box(told[0], told[1], told[0] + told[2], told[1] + told[3])
)


def plain_picture(size: Size, colour: tuple[int, int, int]) -> PanelPicture:
    return PanelPicture(Image.new("RGB", size, colour), Seen(size))


def pixels(page: DrawnPage) -> np.ndarray:
    return np.asarray(page.image)


def part(array: np.ndarray, box: Box) -> np.ndarray:
    left, top, right, bottom = map(round, box.corners)
    return array[top:bottom, left:right]


def lost(box: Box, kept: Box, size: Size) -> float:
    """The share of a face, as far as it is in the picture, that is cut off."""
    shown = Box(max(box.left, 0), max(box.top, 0), min(box.right, size.width), min(box.bottom, size.height))
    if not shown.overlaps(kept):
        return 1.0
    left = Box(
        max(shown.left, kept.left),
        max(shown.top, kept.top),
        min(shown.right, kept.right),
        min(shown.bottom, kept.bottom),
    )
    return 1 - left.area / shown.area


@given(st.lists(spans, min_size=1, max_size=4), st.floats(0.3, 3.0))
def test_no_face_is_cut_where_it_can_be_helped(boxes: list[Box], aspect: float) -> None:
    size = Size(300, 120)
    seen = Seen(size, {f"p{index}": SeenFace.of(box) for index, box in enumerate(boxes)})
    kept = cut_around(seen, aspect)
    assert kept.width / kept.height == pytest.approx(aspect)
    assert kept.inside(size) or max(kept.right - size.width, kept.bottom - size.height) < 1e-6
    assert kept.width == pytest.approx(size.width) or kept.height == pytest.approx(size.height)
    shown = [(max(box.left, 0), max(box.top, 0), min(box.right, 300), min(box.bottom, 120)) for box in boxes]
    needed = max(right for *_, right, _ in shown) - min(left for left, *_ in shown)
    tall = max(bottom for *_, bottom in shown) - min(top for _, top, *_ in shown)
    if needed <= kept.width - 1 and tall <= kept.height - 1:
        assert max(lost(box, kept, size) for box in boxes) < 1e-3


def test_the_cast_comes_before_others_and_one_cut_face_before_two() -> None:
    size = Size(300, 100)
    left, right = Box(10, 30, 50, 70), Box(240, 30, 280, 70)
    kept = cut_around(Seen(size, {"ada": SeenFace.of(left)}, (right,)), 1.0)  # the right one is nearer to the middle
    assert lost(left, kept, size) == 0
    apart = {"ada": SeenFace.of(Box(85, 30, 125, 70)), "ben": SeenFace.of(Box(175, 30, 215, 70))}
    kept = cut_around(Seen(size, apart), 1.0)
    assert sorted(lost(face.box, kept, size) for face in apart.values()) == pytest.approx([0, 0.75])


def test_without_faces_the_middle_is_kept_and_faces_get_room() -> None:
    assert cut_around(Seen(Size(300, 100)), 1.0) == Box(100, 0, 200, 100)
    assert cut_around(Seen(Size(100, 300)), 1.0) == Box(0, 100, 100, 200)
    assert cut_around(Seen(Size(90, 60)), 1.5) == Box(0, 0, 90, 60)
    kept = cut_around(Seen(Size(300, 100), {"ada": SeenFace.of(Box(200, 30, 240, 70))}), 1.0)
    assert kept == Box(152, 0, 252, 100)  # 12 pixels beside the face, and no further from the middle than that


def test_faces_of_drawn_scenes_stay_whole_in_panels_of_any_shape() -> None:
    worst = 0.0
    for seed in range(12):
        picture = drawn_panel(1 + seed % 2, seed, Size(160, 160))
        for aspect in (0.8, 1.0, 1.7):
            kept = cut_around(picture.seen, aspect)
            worst = max(worst, *(lost(box, kept, picture.seen.size) for box in picture.seen.boxes))
    print(f"largest share of a face cut off: {worst:.3f} (expected 0)")
    assert worst == 0


def test_panels_are_where_the_sheet_says_with_borders_and_gutters() -> None:
    page, paper = Page(layout="1/2", panels=[PLAIN] * 3), Paper(dpi=80, border=1.0, background="#fffbe6")
    drawn = draw_page(page, paper, [plain_picture(Size(64, 48), RED)] * 3, number=1)
    array, sheet = pixels(drawn).copy(), lay_out(page, paper)
    assert drawn.sheet == sheet
    assert drawn.image.size == sheet.size
    assert sheet.border == 3
    for index, box in enumerate(sheet.panels):
        assert (part(array, sheet.inside(index)) == RED).all()
        part(array, sheet.inside(index))[:] = 0
        assert (part(array, box) == 0).all()  # the border
        part(array, box)[:] = (0xFF, 0xFB, 0xE6)
    assert (array == (0xFF, 0xFB, 0xE6)).all()


def test_insets_lie_on_top_with_a_gap() -> None:
    paper = Paper(dpi=100)
    pictures = [plain_picture(Size(64, 64), colour) for colour in (RED, RED, RED, BLUE)]
    drawn = draw_page(Page(layout=WITH_INSET, panels=[PLAIN] * 4), paper, pictures, number=1)
    array, sheet = pixels(drawn).copy(), drawn.sheet
    assert sheet.gap == 4
    assert (part(array, sheet.inside(3)) == BLUE).all()
    part(array, sheet.inside(3))[:] = 0
    assert (part(array, sheet.panels[3]) == 0).all()
    part(array, sheet.panels[3])[:] = 255
    assert (part(array, sheet.with_gap(3)) == 255).all()
    part(array, sheet.with_gap(3))[:] = RED
    assert (part(array, sheet.inside(0)) == RED).all()
    assert (np.asarray(drawn.panels["1.1"].image) == RED).all()  # by itself it is whole


def test_a_full_page_reaches_through_the_bleed_without_a_border() -> None:
    drawn = draw_page(
        Page(layout="splash", panels=[PLAIN]), Paper(dpi=60, bleed=3.0), [plain_picture(Size(48, 64), RED)], number=1
    )
    assert (pixels(drawn) == RED).all()


def test_pictures_are_cut_around_faces_and_drawn_smoothly() -> None:
    """The page shows the part of the picture that `cut_around` keeps, by Lanczos."""
    page, paper = Page(layout="1", panels=[PLAIN]), Paper(dpi=50)
    picture = drawn_panel(2, 7, Size(200, 120))
    drawn = draw_page(page, paper, [picture], number=1)
    size = drawn.sheet.picture(0)
    kept = cut_around(picture.seen, size.aspect)
    expected = picture.image.resize(size, Image.Resampling.LANCZOS, box=kept.corners)
    assert np.array_equal(part(pixels(drawn), drawn.sheet.inside(0)), np.asarray(expected))
    assert kept.width < 200


def test_panels_without_a_picture_are_hatched_and_numbered() -> None:
    page, paper = Page(layout="1/1", panels=[PLAIN] * 2), Paper(dpi=60)
    drawn = draw_page(page, paper, [None, plain_picture(Size(64, 64), RED)], number=3)
    field = part(pixels(drawn), drawn.sheet.inside(0))
    assert np.array_equal(field, np.asarray(draw_placeholder(drawn.sheet.picture(0), "3.1", dpi=60)))
    assert not np.array_equal(field, np.asarray(draw_placeholder(drawn.sheet.picture(0), "3.2", dpi=60)))
    assert len(np.unique(field.reshape(-1, 3), axis=0)) > 2  # ground, hatching, letters
    assert list(drawn.panels) == ["3.2"]


def test_words_stay_clear_of_the_cut_and_of_insets() -> None:
    words = Panel(
        prompt="a garden",
        captions=[Caption(text="That night."), Caption(text="Nobody slept.", where="bottom")],
        dialogue=[Line(who="ada", text="Did you hear that?"), Line(who="ben", text="Go back to sleep.", how="whisper")],
        sounds=[Sound(text="KNOCK")],
    )
    layout = WITH_INSET.model_copy(update={"full_bleed": True})
    paper = Paper(dpi=110, bleed=3.0)
    silent = Page(layout=layout, panels=[PLAIN] * 4)
    pictures = drawn_panels(silent, paper)
    pictures[0] = drawn_panel(2, 7, pictures[0].seen.size)
    spoken = Page(layout=layout, panels=[words, PLAIN, PLAIN, PLAIN])
    plain, lettered = (draw_page(page, paper, pictures, number=1) for page in (silent, spoken))
    changed = (np.asarray(plain.panels["1.1"].image) != np.asarray(lettered.panels["1.1"].image)).any(axis=2)
    assert changed.mean() > 0.02
    sheet = lettered.sheet
    (hidden,) = sheet.hidden(0)
    assert not part(changed, hidden).any()
    safe = part(changed, sheet.for_words(0))
    assert safe.sum() == changed.sum()
    assert safe.shape != changed.shape
    edge = round(3 / 25.4 * 110) + round(5 / 25.4 * 110)  # the bleed, and 5 mm within the cut
    assert not changed[:edge].any()
    assert not changed[:, :edge].any()
    assert not changed[:, -edge:].any()
    for number in ("1.2", "1.3", "1.4"):
        assert plain.panels[number].image.tobytes() == lettered.panels[number].image.tobytes()


def test_words_that_do_not_fit_name_their_panel() -> None:
    words = Panel(prompt="a garden", captions=[Caption(text="word " * 380)])
    page = Page(layout="grid 4x4", panels=[*[PLAIN] * 5, words, *[PLAIN] * 10])
    with pytest.raises(StoryError, match="page 2, panel 6"):
        draw_page(page, Paper(), [None] * 16, number=2)


def test_the_same_page_gives_the_same_pixels_with_and_without_colour_modes() -> None:
    page, paper = Page(layout="1/2", panels=[PLAIN] * 3), Paper(dpi=60, reading="right-to-left")
    pictures = drawn_panels(page, paper)
    one, other = (draw_page(page, paper, pictures, number=1).image.tobytes() for _ in range(2))
    assert one == other
    grey = [PanelPicture(picture.image.convert("L"), picture.seen) for picture in pictures]
    assert draw_page(page, paper, grey, number=1).image.mode == "RGB"


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected faces seen in \(8, 9\) pixels, but got \(9, 8\)"):
        PanelPicture(Image.new("RGB", (8, 9)), Seen(Size(9, 8)))
    with pytest.raises(ValueError, match="a picture or None for each of 2 panels, but got 1"):
        draw_page(Page(panels=[PLAIN] * 2), Paper(), [None], number=1)
    with pytest.raises(StoryError, match=r"^page 7: layout: expected as many panels"):
        draw_page(Page(layout="3", panels=[PLAIN]), Paper(), [None], number=7)
