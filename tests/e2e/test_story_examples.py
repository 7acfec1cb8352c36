"""The example comic, as its command makes it: everybody is themselves in every panel, and its book is whole."""

import zipfile
from pathlib import Path

import pytest
from pypdf import PdfReader

from multiid import KeptPanel, StoryRun
from multiid.pipeline.quiet import quiet_composer

COMIC = Path(__file__).resolve().parents[2] / "examples" / "comic" / "story.yaml"
PANELS = 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("comic")


@pytest.fixture(scope="module")
def kept(folder: Path) -> dict[str, KeptPanel]:
    run = StoryRun(COMIC, folder)
    panels = run.make(lambda: quiet_composer("mini", device="cpu"))
    run.write()
    return panels


def test_everybody_is_themselves_in_every_panel(kept: dict[str, KeptPanel]) -> None:
    told = {number: dict(panel.outcome.people) for number, panel in kept.items()}
    print(told)
    assert len(told) == PANELS
    assert all(status == "found" for people in told.values() for status in people.values())


def test_the_book_is_whole(kept: dict[str, KeptPanel], folder: Path) -> None:
    assert len(list((folder / "panels").iterdir())) == len(kept)
    assert len(PdfReader(folder / "story.pdf").pages) == 1
    with zipfile.ZipFile(folder / "story.cbz") as book:
        assert book.testzip() is None
        assert "ComicInfo.xml" in book.namelist()
