"""The report of an outcome: one page that needs nothing else, and its figures as files."""

import base64
import csv
import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from outcomes import GROUPS, made_up_outcome
from PIL.PngImagePlugin import PngInfo

from multiid.errors import OutputError
from multiid.suites import gallery
from multiid.suites.gallery import frame
from multiid.suites.legend import LEGEND, main_metrics
from multiid.suites.outcome import Example, Figure, SuiteOutcome
from multiid.suites.page import render_page
from multiid.suites.plots import plot_by_people, plot_by_setting, plot_mixing
from multiid.suites.report import write_report
from multiid.suites.suite import METRICS
from multiid.suites.tables import best_settings, main_table, to_csv, to_json, to_markdown

VOID = {"meta", "img", "br", "link", "input", "hr"}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> SuiteOutcome:
    return made_up_outcome(tmp_path_factory.mktemp("pictures"), people=(1, 2, 4), settings=("regions", "no regions"))


@pytest.fixture(scope="module")
def files(outcome: SuiteOutcome, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {path.name: path for path in write_report(outcome, tmp_path_factory.mktemp("report") / "new")}


class Page(HTMLParser):
    """Reads a page strictly: every element closed, in order; what it names; its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.named: list[str] = []
        self.linked: list[str] = []
        self.pictures: list[dict[str, str]] = []
        self.labels: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.named += [found["id"]] if "id" in found else []
        self.linked += [found["href"]] if tag == "a" else []
        self.labels += [found["aria-label"]] if "aria-label" in found else []
        self.pictures += [found] if tag == "img" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Elements of SVG without content."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words += data


@pytest.fixture(scope="module")
def page(files: dict[str, Path]) -> Page:
    return Page(files["report.html"].read_text(encoding="utf-8"))


def test_all_files_are_written_and_nothing_else(files: dict[str, Path]) -> None:
    assert list(files) == ["report.html", "report.md", "metrics.csv", "metrics.json"]
    assert sorted(path.name for path in files["report.html"].parent.iterdir()) == sorted(files)


def test_the_same_outcome_gives_the_same_bytes(outcome: SuiteOutcome, files: dict[str, Path], tmp_path: Path) -> None:
    for path in write_report(outcome, tmp_path):
        assert path.read_bytes() == files[path.name].read_bytes(), path.name


def test_the_page_is_well_formed(page: Page) -> None:
    assert not page.open
    assert len(page.named) == len(set(page.named))
    assert {link.removeprefix("#") for link in page.linked} <= set(page.named)


def test_the_page_needs_nothing_else(files: dict[str, Path]) -> None:
    text = files["report.html"].read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert all(source.startswith(("data:image/", "#")) for source in sources)
    assert set(re.findall(r"url\(([^)]*)", text)) <= {f"#{name}" for name in re.findall(r'id="([^"]*)"', text)}
    assert "<script" not in text
    assert "@import" not in text
    assert str(files["report.html"].parent) not in text


def test_text_stays_text(page: Page, outcome: SuiteOutcome) -> None:
    assert "<text>" in outcome.about
    assert outcome.about in page.words
    assert all(note in page.words for note in outcome.notes)
    assert outcome.command in page.words


def test_the_table_has_every_figure_with_its_interval(page: Page, outcome: SuiteOutcome) -> None:
    words = re.sub(r"\s+", " ", page.words)
    for cell in outcome.cells:
        for figure in cell.figures.values():
            assert re.search(rf"{figure.value:.3f}[^0-9]* {figure.low:.3f} to {figure.high:.3f}", words)


def test_every_metric_is_explained_and_says_who_judged(page: Page, outcome: SuiteOutcome) -> None:
    measured = {name for cell in outcome.cells for name in cell.figures}
    assert {name for name in page.named if name.startswith("metric-")} == {f"metric-{name}" for name in measured}
    assert all(LEGEND[name].about in page.words for name in measured)
    assert "Judged by dice." in page.words
    assert "Judged by more dice." in page.words


def test_the_legend_knows_every_metric() -> None:
    assert tuple(LEGEND) == METRICS


def test_a_picture_has_words_for_those_who_cannot_see_it(page: Page, outcome: SuiteOutcome) -> None:
    examples = [one for cell in outcome.cells for one in (*cell.best, *cell.median, *cell.worst)]
    assert len(page.pictures) == len(examples)
    for picture, example in zip(page.pictures, examples, strict=True):
        assert example.caption in picture["alt"]
    plots = [label for label in page.labels if "SingleSim" in label]
    four = next(cell for cell in outcome.cells if (cell.people, cell.setting) == (4, "no regions"))
    assert any(f"{four.figures['single_sim'].value:.3f} with 4" in label for label in plots)


def test_the_gallery_shows_the_very_pixels(page: Page, outcome: SuiteOutcome) -> None:
    example = outcome.cells[0].best[0]
    data = base64.b64decode(page.pictures[0]["src"].partition(",")[2])
    with PIL.Image.open(io.BytesIO(data)) as shown, PIL.Image.open(example.file) as drawn:
        assert np.array_equal(np.asarray(shown), np.asarray(drawn.convert("RGB")))
    assert page.pictures[0]["class"] == "tiny"


def test_verdicts_and_the_best_are_marked(outcome: SuiteOutcome) -> None:
    text = render_page(outcome)
    row = text[text.rindex('<th scope="row">no regions') :]
    assert re.search(r"0\.\d+</span><span class=\"worse\">", row[: row.index("</tr>")])
    assert best_settings(outcome, "4 people", "nearest") == {"regions"}
    assert best_settings(outcome, "4 people", "off_match") == {"regions"}  # where less is better
    assert best_settings(outcome, "alone", "nearest") == frozenset()  # equals


def test_true_renders_do_not_compete(outcome: SuiteOutcome) -> None:
    """They show what the judges allow."""
    cells = [replace(cell, truth=cell.setting == "regions") for cell in outcome.cells if cell.people == 4]
    assert best_settings(replace(outcome, cells=tuple(cells)), "4 people", "nearest") == frozenset()
    third = replace(cells[1], setting="third", figures={"nearest": Figure(0.2, 0.1, 0.3, GROUPS)})
    shown = replace(outcome, cells=(*cells, third))
    assert best_settings(shown, "4 people", "nearest") == {"third"}
    page = Page(render_page(shown))
    assert [picture["alt"].partition(",")[0] for picture in page.pictures] == ["True render"] * 6 + [
        "Generated picture"
    ] * 12
    assert "true renders, which no model made" in page.words
    assert json.loads(to_json(shown))["cells"][0]["truth"]


def test_json_has_all_of_it(outcome: SuiteOutcome, files: dict[str, Path]) -> None:
    document = json.loads(files["metrics.json"].read_text(encoding="utf-8"))
    assert document["format"] == "multiid-metrics-1"
    assert [(cell["case"], cell["setting"]) for cell in document["cells"]] == [
        (cell.case, cell.setting) for cell in outcome.cells
    ]
    written, cell = document["cells"][-1], outcome.cells[-1]
    assert written["figures"]["single_sim"]["value"] == pytest.approx(cell.figures["single_sim"].value, abs=1e-6)
    assert written["changes"]["nearest"]["verdict"] == "worse"
    assert written["mixing"] == pytest.approx(cell.mixing)
    assert written["best"][0] == {"file": cell.best[0].file.name, "caption": cell.best[0].caption, "score": 0.8}
    assert document["made_with"] == outcome.made_with
    assert document["metrics"]["off_match"]["better"] == "less"


def test_csv_has_a_row_for_each_figure(outcome: SuiteOutcome, files: dict[str, Path]) -> None:
    rows = list(csv.DictReader(files["metrics.csv"].open(encoding="utf-8", newline="")))
    assert len(rows) == sum(len(cell.figures) for cell in outcome.cells)
    row = next(row for row in rows if (row["case"], row["setting"], row["metric"]) == ("4 people", "regions", "clip_t"))
    figure = next(cell for cell in outcome.cells if cell.case == "4 people").figures["clip_t"]
    assert [float(row[key]) for key in ("value", "low", "high")] == pytest.approx(
        [figure.value, figure.low, figure.high], abs=1e-6
    )
    assert (row["people"], row["pictures"], row["count"]) == ("4", str(GROUPS), str(GROUPS))


def test_what_is_not_known_is_said_so(outcome: SuiteOutcome) -> None:
    unknown = Figure(0.5, math.nan, math.nan, 1, 39)
    lost = Figure(math.nan, math.nan, math.nan, 0, 40)
    cell = outcome.cells[-1]
    mixing = np.full((4, 4), np.nan)
    cell = replace(cell, figures={"nearest": unknown, "clip_t": lost}, mixing=mixing, changes={"nearest": lost})
    poor = replace(outcome, cells=(cell,))
    page = Page(render_page(poor))
    assert "0.500" in page.words
    assert "nan" not in page.words.lower()
    written = json.loads(to_json(poor))["cells"][0]
    assert written["figures"]["nearest"] == {"value": 0.5, "low": None, "high": None, "count": 1, "missing": 39}
    assert written["figures"]["clip_t"]["value"] is None
    assert written["mixing"][0] == [None] * 4
    assert "nearest,0.5,,,1\n" in to_csv(poor)
    assert "0.500 |" in to_markdown(poor)


def test_the_terminal_gets_the_main_figures(outcome: SuiteOutcome) -> None:
    lines = main_table(outcome).splitlines()
    print("\n".join(lines))
    assert max(map(len, lines)) <= 120
    assert len(lines) == len(outcome.cells) + 2
    figure = outcome.cells[-1].figures["nearest"]
    assert f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f}) -" in lines[-2]
    assert main_metrics(["clip_t", "off_match", "nearest"]) == ("nearest", "clip_t", "off_match")


def test_markdown_keeps_its_columns(outcome: SuiteOutcome) -> None:
    cell = replace(outcome.cells[0], setting="a | b\nc")
    text = to_markdown(replace(outcome, cells=(cell,)))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 3
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    assert f"`{outcome.command}`" in text


def test_names_are_written_as_they_are(outcome: SuiteOutcome) -> None:
    """Such as matplotlib would take for formulas or for nothing at all."""
    odd = ("_low", "$x^2$ & <b>", "100 %")
    cells = [
        replace(cell, setting=odd[index % 3], people=1 + index // 3)
        for index, cell in enumerate([outcome.cells[0]] * 6)
    ]
    for svg in (plot_by_people(cells, "nearest"), plot_by_setting(cells[:3], "nearest")):
        page = Page(svg)
        assert all(name in page.words for name in odd)
        assert not page.open


def test_plots_take_the_colours_of_the_page(outcome: SuiteOutcome) -> None:
    pair = [cell for cell in outcome.cells if cell.people == 2]
    for svg in (plot_by_people(outcome.cells, "nearest"), plot_by_setting(pair, "nearest"), plot_mixing(pair[0])):
        assert "var(--ink)" in svg
        assert "var(--font)" in svg
        assert "DejaVu" not in svg
        assert not set(re.findall(r"#0[1-4][0-9a-f]{4}\b", svg))


def test_a_plot_by_people_only_where_there_are_several_numbers(outcome: SuiteOutcome) -> None:
    several = [label for label in Page(render_page(outcome)).labels if "by number of people" in label]
    assert len(several) == 2
    one = replace(outcome, cells=tuple(cell for cell in outcome.cells if cell.people == 4))
    labels = Page(render_page(one)).labels
    assert not [label for label in labels if "by number of people" in label]
    assert [label for label in labels if label.startswith("Nearest own: ")]


def noise(folder: Path, side: int) -> Example:
    """A picture that hardly can be compressed, with a recipe inside."""
    file = folder / f"noise-{side}.png"
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
    info = PngInfo()
    info.add_text("multiid", "the recipe")
    PIL.Image.fromarray(pixels).save(file, pnginfo=info)
    return Example(file, "noise", 0.5)


def decoded(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])


@pytest.mark.parametrize("side", [64, 300, 1024])
@pytest.mark.parametrize("pictures", [1, 100, 3000])
def test_pictures_keep_to_their_budget(side: int, pictures: int, tmp_path: Path) -> None:
    framed = frame(noise(tmp_path, side), pictures=pictures)
    data = decoded(framed.uri)
    print(f"{side} px, one of {pictures}: {len(data)} bytes, {framed.uri[5:15]}")
    assert 0 < len(data) <= gallery.MOST_BYTES // pictures
    assert b"recipe" not in data
    assert max(framed.width, framed.height) <= 640
    assert framed.tiny == (side <= 320)


def test_too_many_pictures_are_left_out(tmp_path: Path) -> None:
    assert frame(noise(tmp_path, 300), pictures=gallery.MOST_BYTES).uri == ""


def gone(outcome: SuiteOutcome, file: Path) -> SuiteOutcome:
    cell = outcome.cells[0]
    return replace(outcome, cells=(replace(cell, best=(Example(file, "gone", 1.0),)), *outcome.cells[1:]))


def spoilt(folder: Path) -> Iterator[Path]:
    yield folder / "absent.png"
    file = folder / "broken.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    yield file


def test_a_picture_that_is_gone_leaves_the_old_report(outcome: SuiteOutcome, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("old")
    for file in spoilt(tmp_path):
        with pytest.raises(OutputError, match=rf"Expected the picture .*{file.name}.*run the suite again"):
            write_report(gone(outcome, file), tmp_path)
    assert report.read_text() == "old"
    assert not (tmp_path / "metrics.json").exists()


def test_a_folder_that_cannot_be_is_refused_before_anything_is_drawn(outcome: SuiteOutcome, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="Cannot write"):
        write_report(outcome, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
