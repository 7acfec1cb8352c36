"""Books: PNG, PDF, CBZ and panels that open elsewhere, say what they should, and are the same bytes each time."""

import hashlib
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from comics import drawn_panels
from conftest import ROOT
from pypdf import PdfReader
from pypdf.generic import RectangleObject

from multiid.errors import OutputError, StoryError
from multiid.geometry import Box
from multiid.story.binding import bind_pages, write_page
from multiid.story.book import Imprint, PageFile
from multiid.story.cbz import write_cbz
from multiid.story.page import DrawnPage, draw_page
from multiid.story.pdf import write_pdf
from multiid.story.script import Caption, Character, Page, Panel, Paper, Story

MILLIMETRES = 72 / 25.4  # points
MARK = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
NAMESPACE = b"http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
DATES = re.compile(rb"D:(19|20)\d{6}|(19|20)\d\d-[01]\d-[0-3]\d|CreationDate|ModDate|CreateDate|tIME")

# ComicRack's schema 2.0: the elements in the order that it fixes.
COMIC_INFO = (
    "Title", "Series", "Number", "Count", "Volume", "AlternateSeries", "AlternateNumber", "AlternateCount", "Summary",
    "Notes", "Year", "Month", "Day", "Writer", "Penciller", "Inker", "Colorist", "Letterer", "CoverArtist", "Editor",
    "Publisher", "Imprint", "Genre", "Web", "PageCount", "LanguageISO", "Format", "BlackAndWhite", "Manga",
    "Characters", "Teams", "Locations", "ScanInformation", "StoryArc", "SeriesGroup", "AgeRating", "Pages",
    "CommunityRating",
)  # fmt: skip

IMPRINT = Imprint(
    title="Tea & <Töne> 日本",
    author="A. Ünal",
    summary="Two friends.\nOne pot.",
    language="de",
    right_to_left=True,
    characters=("ada", "ben"),
)
PAPER = Paper(size="us-comic", dpi=50, bleed=3.0, reading="right-to-left")


def drawn_pages() -> Iterator[DrawnPage]:
    """Two pages; the second's last panel has no picture."""
    for number, (layout, count) in enumerate((("1/2", 3), ("splash", 1), ("2", 2)), 1):
        page = Page(layout=layout, panels=[Panel(prompt="tea", captions=[Caption(text="Tea.")])] * count)
        pictures = [*drawn_panels(page, PAPER, area=96 * 96)]
        yield draw_page(page, PAPER, [*pictures[:-1], None] if number == 3 else pictures, number=number)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books") / "tea"
    bind_pages(drawn_pages(), folder, IMPRINT, name="tea")
    return folder


def chunks(file: Path) -> list[str]:
    content, position, kinds = file.read_bytes(), 8, list[str]()
    while position < len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        kinds.append(content[position + 4 : position + 8].decode())
        position += length + 12
    return [kind for index, kind in enumerate(kinds) if kind != "IDAT" or kinds[index - 1] != "IDAT"]


def digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_everything_is_there_and_nothing_else(book: Path) -> None:
    assert list(digests(book)) == [
        "pages/001.png", "pages/002.png", "pages/003.png", "panels/1.1.png", "panels/1.2.png", "panels/1.3.png",
        "panels/2.1.png", "panels/3.1.png", "tea.cbz", "tea.pdf",
    ]  # fmt: skip


def test_another_process_at_another_time_writes_the_same_bytes(book: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from test_story_binding import *; "
        "bind_pages(drawn_pages(), Path(sys.argv[1]), IMPRINT, name='tea')"
    )
    path = os.pathsep.join(map(str, (ROOT / "src", ROOT / "tests", ROOT / "tests" / "unit")))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "77", "TZ": "Asia/Kolkata"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "b")], check=True, env=environment, cwd=tmp_path)
    assert digests(tmp_path / "b") == digests(book)


def test_no_file_tells_a_time(book: Path) -> None:
    for file in sorted(book.rglob("*.*")):
        content = file.read_bytes().replace(NAMESPACE, b"")
        assert not DATES.search(content), file
        if file.suffix == ".png":
            texts = ["iTXt", "iTXt"] if file.parent.name == "panels" else ["iTXt", "pHYs"]
            assert sorted(chunks(file)) == sorted(["IHDR", *texts, "IDAT", "IEND"])
    with zipfile.ZipFile(book / "tea.cbz") as archive:
        assert {(entry.date_time, entry.extra) for entry in archive.infolist()} == {((1980, 1, 1, 0, 0, 0), b"")}


def test_pages_are_marked_and_know_their_resolution(book: Path) -> None:
    for drawn, file in zip(drawn_pages(), sorted((book / "pages").iterdir()), strict=True):
        with PIL.Image.open(file) as image:
            assert MARK in image.info["XML:com.adobe.xmp"]
            assert image.info["dpi"] == pytest.approx((50, 50), abs=0.02)  # PNG counts pixels per metre
            assert np.array_equal(np.asarray(image), np.asarray(drawn.image))


def test_panels_by_themselves_keep_their_recipes(book: Path) -> None:
    pages = list(drawn_pages())
    for page in pages:
        for number, panel in page.panels.items():
            with PIL.Image.open(book / "panels" / f"{number}.png") as image:
                assert image.info["multiid"] == panel.recipe
                assert MARK in image.info["XML:com.adobe.xmp"]
                assert np.array_equal(np.asarray(image), np.asarray(panel.image))
    assert pages[0].panels["1.2"].recipe == '{"seed": 41}'


def in_millimetres(box: RectangleObject) -> tuple[float, float]:
    return float(box.width) / MILLIMETRES, float(box.height) / MILLIMETRES


def test_the_pdf_has_pages_of_true_size_with_cut_and_bleed(book: Path) -> None:
    reader = PdfReader(book / "tea.pdf", strict=True)
    assert len(reader.pages) == 3
    for page, file in zip(reader.pages, sorted((book / "pages").iterdir()), strict=True):
        assert in_millimetres(page.trimbox) == pytest.approx((6.625 * 25.4, 10.25 * 25.4), abs=1e-3)
        assert page.bleedbox == page.mediabox
        # 3 mm are 6 whole pixels of 50 per inch.
        assert in_millimetres(page.mediabox) == pytest.approx((168.275 + 6.1, 260.35 + 6.1), abs=0.05)
        for near, far in (
            (page.trimbox.left, page.mediabox.right - page.trimbox.right),
            (page.trimbox.bottom, page.mediabox.top - page.trimbox.top),
        ):
            assert float(near) == pytest.approx(float(far), abs=1e-3)
            assert float(near) / MILLIMETRES == pytest.approx(3.05, abs=0.02)
        (picture,) = page.images
        with PIL.Image.open(file) as image:
            assert np.array_equal(np.asarray(picture.image), np.asarray(image))
        contents = page.get_contents()
        assert contents is not None
        width, height = map(float, (page.mediabox.width, page.mediabox.height))
        assert contents.get_data() == f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /Page Do Q".encode()


def test_the_cut_lies_where_it_does_in_the_picture(tmp_path: Path) -> None:
    """PDF counts from the bottom."""
    PIL.Image.new("RGB", (100, 200)).save(tmp_path / "page.png")
    write_pdf(tmp_path / "a.pdf", [PageFile(tmp_path / "page.png", Box(10, 20, 90, 150), (80.0, 130.0))], IMPRINT)
    (page,) = PdfReader(tmp_path / "a.pdf").pages
    assert [float(edge) / MILLIMETRES for edge in page.trimbox] == pytest.approx([10, 50, 90, 180], abs=1e-3)
    assert in_millimetres(page.mediabox) == pytest.approx((100, 200), abs=1e-3)


def test_the_pdf_says_what_it_is(book: Path) -> None:
    reader = PdfReader(book / "tea.pdf", strict=True)
    told = reader.metadata
    assert told is not None
    assert (told.title, told.author, told.subject) == (IMPRINT.title, IMPRINT.author, IMPRINT.summary)
    assert set(told) == {"/Title", "/Author", "/Subject", "/Producer"}
    assert "/ID" not in reader.trailer
    catalog = reader.root_object
    assert catalog["/Lang"] == "de"
    assert catalog["/ViewerPreferences"]["/Direction"] == "/R2L"  # pyright: ignore[reportIndexIssue]
    packet = reader.xmp_metadata
    assert packet is not None
    assert packet.dc_title == {"x-default": IMPRINT.title}
    assert packet.dc_creator == [IMPRINT.author]
    assert MARK in packet.stream.get_data().decode()


def test_a_book_without_generated_pictures_has_no_mark(book: Path, tmp_path: Path) -> None:
    pages = [PageFile(book / "pages" / "001.png", Box(0, 0, 10, 10), (10.0, 10.0))]
    write_pdf(tmp_path / "a.pdf", pages, replace(IMPRINT, generated=False, right_to_left=False))
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"trainedAlgorithmicMedia" not in content
    assert b"/R2L" not in content


def test_the_cbz_opens_and_follows_the_schema(book: Path) -> None:
    with zipfile.ZipFile(book / "tea.cbz") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["ComicInfo.xml", "001.png", "002.png", "003.png"]
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}
        root = ET.fromstring(archive.read("ComicInfo.xml"))
        files = {name: archive.read(name) for name in archive.namelist()[1:]}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == {
        Path(name).name: digest for name, digest in digests(book).items() if name.startswith("pages/")
    }
    assert root.tag == "ComicInfo"
    places = [COMIC_INFO.index(element.tag) for element in root]
    assert places == sorted(set(places))
    assert {element.tag: element.text for element in root if element.tag != "Pages"} == {
        "Title": IMPRINT.title,
        "Summary": IMPRINT.summary,
        "Writer": IMPRINT.author,
        "PageCount": "3",
        "LanguageISO": "de",
        "Manga": "YesAndRightToLeft",
        "Characters": "ada, ben",
    }
    for index, (page, content) in enumerate(zip(root.iterfind("Pages/Page"), files.values(), strict=True)):
        assert page.attrib == {
            "Image": str(index),
            "ImageSize": str(len(content)),
            "ImageWidth": "343",
            "ImageHeight": "524",
        }


def test_what_is_not_said_is_left_out(book: Path, tmp_path: Path) -> None:
    pages = [PageFile(book / "pages" / "001.png", Box(0, 0, 10, 10), (10.0, 10.0))]
    write_cbz(tmp_path / "a.cbz", pages, Imprint(title="Tea"))
    root = ET.fromstring(zipfile.ZipFile(tmp_path / "a.cbz").read("ComicInfo.xml"))
    assert [element.tag for element in root] == ["Title", "PageCount", "LanguageISO", "Manga", "Pages"]
    assert root.findtext("Manga") == "No"


def test_a_story_gives_its_imprint() -> None:
    story = Story(
        title="Tea",
        author="Ada",
        summary="Tea.",
        language="ja",
        cast={"ada": Character(noun="woman", photos="ada"), "ben": Character(identity="ben.safetensors")},
        paper=Paper(reading="right-to-left"),
        pages=[Page(panels=[Panel(prompt="tea")])],
    )
    assert Imprint.of(story) == Imprint(
        title="Tea", author="Ada", summary="Tea.", language="ja", right_to_left=True, characters=("ada", "ben")
    )


@pytest.mark.parametrize("key", ["title", "author", "summary"])
def test_control_characters_are_refused(key: str) -> None:
    with pytest.raises(StoryError, match=rf"^{key}: expected text without control characters, but got 'Te\\x01a'"):
        Imprint(**{"title": "Tea", key: "Te\x01a"})


def test_what_a_shorter_story_no_longer_has_goes_and_all_else_stays(tmp_path: Path) -> None:
    bind_pages(drawn_pages(), tmp_path, IMPRINT)
    for name in ("pages/notes.txt", "pages/cover.png", "panels/1.1-mine.png", "mine.pdf"):
        (tmp_path / name).write_text("mine")
    pages = drawn_pages()
    files = bind_pages([next(pages)], tmp_path, IMPRINT, forms=("cbz", "panels"))
    assert [file.relative_to(tmp_path).as_posix() for file in files] == [
        "pages/001.png", "story.cbz", "panels/1.1.png", "panels/1.2.png", "panels/1.3.png",
    ]  # fmt: skip
    assert sorted(file.name for file in tmp_path.rglob("*.*")) == [
        "001.png", "1.1-mine.png", "1.1.png", "1.2.png", "1.3.png", "cover.png", "mine.pdf", "notes.txt", "story.cbz",
        "story.pdf",
    ]  # fmt: skip


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "tea.pdf").write_text("mine")
    PIL.Image.new("L", (9, 9)).save(tmp_path / "grey.png")
    grey, absent = (PageFile(tmp_path / name, Box(0, 0, 9, 9), (9.0, 9.0)) for name in ("grey.png", "absent.png"))
    with pytest.raises(ValueError, match=r"Expected a PNG file with 8 bits of red, green and blue"):
        write_pdf(tmp_path / "tea.pdf", [grey], IMPRINT)
    with pytest.raises(OutputError):
        write_cbz(tmp_path / "tea.cbz", [grey, absent], IMPRINT)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["grey.png", "tea.pdf"]
    assert (tmp_path / "tea.pdf").read_text() == "mine"
    with pytest.raises(OutputError, match=r"Expected an existing folder to write 001\.png into"):
        write_page(tmp_path / "nowhere" / "001.png", next(drawn_pages()))
