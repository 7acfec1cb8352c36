"""Layouts to the pixel: inside the page, gutters exact, weights kept, in reading order; and what is refused."""

import itertools
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from multiid.errors import StoryError
from multiid.geometry import Box, Size
from multiid.story.layout import lay_out, parse_layout, picture_size, rows_for
from multiid.story.paper import measure
from multiid.story.script import Inset, Layout, Page, Panel, Paper, Row
from multiid.story.sheet import Sheet

WEIGHTS = st.sampled_from([0.7, 1.0, 1.3, 2.0, 3.0])
ROWS = st.lists(
    st.builds(Row, height=WEIGHTS, panels=st.lists(WEIGHTS, min_size=1, max_size=4)), min_size=1, max_size=4
)
PAPERS = st.builds(
    Paper,
    size=st.sampled_from(["a4", "us-comic", "square", [200.0, 120.0]]),
    dpi=st.integers(50, 300),
    margin=st.sampled_from([0.0, 3.3, 10.0, 15.0]),
    gutter=st.sampled_from([0.0, 2.0, 4.0, 5.5]),
    border=st.sampled_from([0.0, 0.1, 0.6, 2.0]),
    bleed=st.sampled_from([0.0, 3.0]),
    reading=st.sampled_from(["left-to-right", "right-to-left"]),
)


def panels(count: int) -> list[Panel]:
    return [Panel(prompt="a garden")] * count


def page(layout: str | Layout | None, count: int) -> Page:
    return Page(layout=layout, panels=panels(count))


def laid(layout: Layout, paper: Paper) -> Sheet:
    """The sheet, of layouts that fit the paper."""
    try:
        return lay_out(page(layout, sum(len(row.panels) for row in layout.rows) + len(layout.insets)), paper)
    except StoryError as error:
        if "expected panels of at least" not in str(error):
            raise
        reject()


def counts(layout: Layout) -> str:
    return "/".join(str(len(row.panels)) for row in layout.rows)


def in_rows(boxes: Sequence[Box], rows: Sequence[Row]) -> list[list[Box]]:
    """The boxes row by row, each from the left."""
    given = iter(boxes)
    return [sorted(itertools.islice(given, len(row.panels)), key=lambda box: box.left) for row in rows]


def within_cut(box: Box, trim: Box) -> Box:
    return Box(
        max(box.left, trim.left), max(box.top, trim.top), min(box.right, trim.right), min(box.bottom, trim.bottom)
    )


@given(ROWS, PAPERS, st.booleans())
def test_rows_fill_their_room_with_exact_gutters_and_kept_weights(rows: list[Row], paper: Paper, full: bool) -> None:
    sheet = laid(Layout(rows=rows, full_bleed=full), paper)
    form = measure(paper)
    margin = 0 if full else form.margin
    assert sheet.size == Size(round(sheet.trim.width) + 2 * form.bleed, round(sheet.trim.height) + 2 * form.bleed)
    assert all(box.inside(sheet.size) for box in sheet.panels)
    assert all(float(corner).is_integer() for box in sheet.panels for corner in box.corners)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(sheet.panels, 2))
    found = in_rows([within_cut(box, sheet.trim) for box in sheet.panels], rows)
    across, down = sheet.trim.width - 2 * margin, sheet.trim.height - 2 * margin
    tops = [row[0].top for row in found]
    bottoms = [row[0].bottom for row in found]
    assert tops[0] - sheet.trim.top == sheet.trim.bottom - bottoms[-1] == margin
    assert all(top - bottom == form.gutter for bottom, top in zip(bottoms, tops[1:], strict=False))
    for row, boxes in zip(rows, found, strict=True):
        assert {(box.top, box.bottom) for box in boxes} == {(boxes[0].top, boxes[0].bottom)}
        assert boxes[0].left - sheet.trim.left == sheet.trim.right - boxes[-1].right == margin
        assert all(right.left - left.right == form.gutter for left, right in itertools.pairwise(boxes))
        widths = row.panels if paper.reading == "left-to-right" else row.panels[::-1]
        for weight, box in zip(widths, boxes, strict=True):
            share = (across - form.gutter * (len(boxes) - 1)) * weight / sum(row.panels)
            assert abs(box.width - share) <= 1
        share = (down - form.gutter * (len(rows) - 1)) * row.height / sum(each.height for each in rows)
        assert abs(boxes[0].height - share) <= 1


@given(ROWS, PAPERS, st.booleans())
def test_panels_reach_through_the_bleed_where_they_touch_the_cut(rows: list[Row], paper: Paper, full: bool) -> None:
    sheet = laid(Layout(rows=rows, full_bleed=full), paper)
    touching = full or paper.margin == 0
    for box in sheet.panels:
        inner = within_cut(box, sheet.trim)
        for edge, cut, end in zip(
            inner.corners, sheet.trim.corners, (0, 0, sheet.size.width, sheet.size.height), strict=True
        ):
            if edge == cut:
                assert touching
                assert end in box.corners
    assert any(box.left == 0 for box in sheet.panels) == touching
    for index, box in enumerate(sheet.panels):
        inside = sheet.inside(index)
        assert inside.left - box.left == (0 if box.left == 0 else sheet.border)
        assert box.bottom - inside.bottom == (0 if box.bottom == sheet.size.height else sheet.border)


@given(ROWS, PAPERS)
def test_manga_mirror_the_page_and_keep_the_order(rows: list[Row], paper: Paper) -> None:
    layout = Layout(rows=rows, insets=[Inset(box=[0.5, 0.1, 0.9, 0.4])])
    one = laid(layout, paper.model_copy(update={"reading": "left-to-right"}))
    other = laid(layout, paper.model_copy(update={"reading": "right-to-left"}))
    for box, mirrored in zip(one.panels, other.panels, strict=True):
        assert mirrored == Box(one.size.width - box.right, box.top, one.size.width - box.left, box.bottom)
    first, *others = in_rows(one.panels, rows)[0]
    assert first == one.panels[0]
    assert all(box.left > first.left for box in others)


def test_papers_have_their_true_size() -> None:
    for size, millimetres, pixels in (
        ("a4", (210.0, 297.0), (2480, 3508)),
        ("us-comic", (168.275, 260.35), (1987, 3075)),
        ("square", (210.0, 210.0), (2480, 2480)),
        ([100.0, 150.0], (100.0, 150.0), (1181, 1772)),
    ):
        sheet = lay_out(page("splash", 1), Paper(size=size, dpi=300, bleed=3.0))
        assert sheet.millimetres == pytest.approx(millimetres)
        assert (sheet.trim.width, sheet.trim.height) == pixels
        assert sheet.size == (pixels[0] + 70, pixels[1] + 70)  # 3 mm are 35 pixels
        assert sheet.panels == (Box(0, 0, *sheet.size),)


def test_a_thin_border_is_still_a_line() -> None:
    assert measure(Paper(border=0.1, dpi=50)).border == 1
    assert measure(Paper(border=0.0)).border == 0


def test_a_strip_is_as_tall_as_its_panels_need() -> None:
    paper = Paper(size="webtoon", margin=10.0, gutter=4.0, dpi=150)
    sheet = lay_out(page(None, 3), paper)
    assert sheet.size.width == 800
    assert [(box.width, box.height) for box in sheet.panels] == [(682, 682)] * 3
    assert sheet.size.height == 59 + 3 * 682 + 2 * 24 + 59
    assert sheet.millimetres == pytest.approx((800 / 150 * 25.4, sheet.size.height / 150 * 25.4))
    layout = Layout(rows=[Row(height=0.5, panels=[1.0]), Row(height=1.0, panels=[1.0, 1.0])])
    sheet = lay_out(page(layout, 3), paper)
    assert [(box.width, box.height) for box in sheet.panels] == [(682, 341), (329, 329), (329, 329)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [("2/1/3", "2/1/3"), ("4", "4"), (" 2 / 1 ", "2/1"), ("grid 2x3", "2/2/2"), ("Grid 3 x 1", "3"), ("splash", "1")],
)
def test_short_forms(text: str, rows: str) -> None:
    layout = parse_layout(text)
    assert counts(layout) == rows
    assert layout.full_bleed == (text == "splash")
    assert {row.height for row in layout.rows} == {1.0}


@pytest.mark.parametrize("text", ["", "2//1", "2-1", "grid 2", "grid 2*3", "two rows", "2/1/", "splash 2", "-1/2"])
def test_other_words_are_no_layout(text: str) -> None:
    expected = 'expected rows such as "2/1/3", "grid 2x3" for columns and rows, or "splash", but got ' + repr(text)
    with pytest.raises(ValueError, match=re.escape(expected)):
        parse_layout(text)


@pytest.mark.parametrize("text", ["0", "2/0", "13", "grid 13x1", "grid 1x21", "grid 0x2", "/".join(["1"] * 21)])
def test_rows_have_a_number_of_panels_that_can_be_drawn(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected 1 to 20 rows of 1 to 12 panels, but got"):
        parse_layout(text)


def test_rows_by_default() -> None:
    found = [counts(rows_for(count)) for count in range(1, 13)]
    assert found == [
        "1", "1/1", "1/2", "2/2", "2/1/2", "2/2/2", "2/3/2", "2/2/2/2", "3/3/3", "2/3/2/3", "3/2/3/3", "3/3/3/3",
    ]  # fmt: skip
    assert counts(rows_for(2, aspect=1.5)) == "2"


@given(st.integers(1, 60), st.floats(0.3, 3.0))
def test_any_number_of_panels_has_even_rows(count: int, aspect: float) -> None:
    rows = [len(row.panels) for row in rows_for(count, aspect=aspect).rows]
    assert sum(rows) == count
    assert max(rows) - min(rows) <= 1
    shape = aspect * len(rows) ** 2 / count
    assert 1 / 5 < shape < 5


@pytest.mark.parametrize("size", ["a4", "us-comic", "square"])
def test_every_number_of_panels_fits_usual_paper(size: str) -> None:
    for count in range(1, 61):
        sheet = lay_out(page(None, count), Paper(size=size))
        assert len(sheet.panels) == count


@pytest.mark.parametrize("count", [0, 241])
def test_no_rows_for_nothing(count: int) -> None:
    with pytest.raises(ValueError, match=f"Expected 1 to 240 panels, but got {count}"):
        rows_for(count)


@pytest.mark.parametrize(
    ("layout", "count", "paper", "message"),
    [
        ("2/2", 3, {}, "layout: expected as many panels as the layout holds, 4 in 2/2, but got 3."),
        ("splash", 2, {}, "layout: expected as many panels as the layout holds, 1 in 1, but got 2."),
        ("foo", 2, {}, 'layout: expected rows such as "2/1/3"'),
        ("12/1", 13, {"margin": 60.0}, "layout: expected panels of at least 11.2 mm a side, but panel 1 has 3.7 by "),
        ("12", 12, {"gutter": 50.0}, "but panel 1 has 0.0 by 277.1 mm: share the panels among several pages"),
        ("2", 2, {"size": [80.0, 90.0], "margin": 40.0}, "margin: expected less than half of the paper's shorter side"),
        ("1", 1, {"size": [2000.0, 2000.0], "dpi": 600}, "dpi: expected pages of at most 80 megapixels, but 2000 by"),
        (None, 21, {"size": "webtoon"}, "panels: expected at most 20 on a webtoon's page, one in a row, but got 21"),
        (None, 20, {"size": "webtoon", "dpi": 60}, "expected a strip of at most 12000 pixels at 60 dpi, but its rows"),
        ("1", 1, {"size": "webtoon", "bleed": 3.0}, "bleed: expected 0 for a webtoon, which nobody cuts, but got 3 mm"),
    ],
)  # fmt: skip
def test_errors_name_the_page_and_what_to_do(
    layout: str | None, count: int, paper: dict[str, object], message: str
) -> None:
    with pytest.raises(StoryError, match=f"^page 4: .*{re.escape(message)}"):
        lay_out(page(layout, count), Paper(**paper), where="page 4")  # pyright: ignore[reportArgumentType]


def test_insets_count_and_must_not_be_tiny() -> None:
    layout = Layout(rows=[Row(panels=[1.0])], insets=[Inset(box=[0.5, 0.5, 0.51, 0.9])])
    with pytest.raises(StoryError, match=r"2 in 1 and 1 as insets, but got 1"):
        lay_out(page(layout, 1), Paper())
    with pytest.raises(StoryError, match=r"at least 11\.2 mm a side, but panel 2 has 1\.9 by 110\.8 mm"):
        lay_out(page(layout, 2), Paper())


def test_insets_lie_inside_the_margins_whatever_the_rows_do() -> None:
    layout = Layout(rows=[Row(panels=[1.0])], insets=[Inset(box=[0.0, 0.5, 0.5, 1.0])], full_bleed=True)
    sheet = lay_out(page(layout, 2), Paper(dpi=254, margin=10.0, gutter=4.0, bleed=3.0))
    assert sheet.panels == (Box(0, 0, 2160, 3030), Box(130, 1515, 1080, 2900))
    assert [sheet.is_inset(index) for index in (0, 1)] == [False, True]
    assert sheet.with_gap(1) == Box(120, 1505, 1090, 2910)  # a quarter of the gutter
    assert sheet.hidden(0) == (Box(120, 1505, 1090, 2910),)
    assert sheet.hidden(1) == ()
    assert sheet.for_words(0) == Box(80, 80, 2080, 2950)  # 5 mm within the cut
    border = 6
    assert sheet.for_words(1) == Box(0, 0, 950 - 2 * border, 1385 - 2 * border)


@given(st.floats(50, 2000), st.floats(50, 2000), st.sampled_from([(1024**2, 8), (1024**2, 64), (150**2, 8)]))
def test_pictures_are_composed_in_their_panels_shape(width: float, height: float, wanted: tuple[int, int]) -> None:
    area, multiple = wanted
    size = picture_size(Box(0, 0, width, height), area=area, multiple=multiple)
    assert size.width % multiple == size.height % multiple == 0
    assert 0.8 < size.width * size.height / area < 1.25
    aspect = min(max(width / height, 0.4), 2.5)
    cut = 1 - min(size.aspect / aspect, aspect / size.aspect)
    assert cut < {8: 0.02, 64: 0.04}[multiple] if area > 150**2 else cut < 0.05
