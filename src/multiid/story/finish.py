"""What comes of a run: its pictures as lettered pages, and boards, as files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import PIL.Image

from multiid.files import write_whole
from multiid.geometry import Box
from multiid.pipeline.kept import make_folder
from multiid.pipeline.recipe import read_recipe
from multiid.story.binding import bind_pages
from multiid.story.board import BOARD_DPI
from multiid.story.book import Imprint, PageFile
from multiid.story.page import DrawnPage, PanelPicture, draw_page
from multiid.story.pdf import write_pdf
from multiid.story.plan import StoryPlan
from multiid.story.script import Story
from multiid.story.store import KeptPanel, Store

__all__ = ["draw_pages", "require_room", "write_board", "write_story"]

_MILLIMETRES = 25.4  # in an inch


def draw_pages(plan: StoryPlan, store: Store, kept: Mapping[str, KeptPanel]) -> Iterator[DrawnPage]:
    """The story's pages, one after the other; panels that are not made yet are hatched fields.

    Raises:
        StoryError: when the words of a panel do not fit it.
    """
    story = plan.document.story
    for number, page in enumerate(story.pages, 1):
        names = [f"{number}.{index}" for index in range(1, len(page.panels) + 1)]
        pictures = [_picture(store, kept[name]) if name in kept else None for name in names]
        yield draw_page(
            page, story.paper, pictures, number=number, folder=plan.document.folder, language=story.language
        )


def require_room(story: Story, folder: Path) -> None:
    """Makes sure, before any picture is made, that each panel has room for its words, wherever faces will be.

    Raises:
        StoryError: when the words of a panel do not fit even without faces.
    """
    for number, page in enumerate(story.pages, 1):
        draw_page(page, story.paper, [None] * len(page.panels), number=number, folder=folder, language=story.language)


def write_story(plan: StoryPlan, store: Store, kept: Mapping[str, KeptPanel]) -> list[Path]:
    """Writes pages/, panels/, the PDF and the CBZ into the story's folder, named like the script.

    Returns:
        The files written.

    Raises:
        StoryError: when the words of a panel do not fit it.
        OutputError: when the folder or a file cannot be written.
    """
    document = plan.document
    return bind_pages(draw_pages(plan, store, kept), store.folder, Imprint.of(document.story), name=document.file.stem)


def write_board(sheets: Sequence[PIL.Image.Image], folder: Path, *, story: Story) -> list[Path]:
    """Writes a board's sheets as board/001.png and so on, and all of them as board.pdf.

    Returns:
        The files written.

    Raises:
        OutputError: when the folder or a file cannot be written.
    """
    make_folder(folder / "board")
    files: list[PageFile] = []
    for number, sheet in enumerate(sheets, 1):
        file = folder / "board" / f"{number:03d}.png"
        with write_whole(file) as temporary:
            sheet.save(temporary, format="PNG", dpi=(BOARD_DPI, BOARD_DPI))
        millimetres = (sheet.width * _MILLIMETRES / BOARD_DPI, sheet.height * _MILLIMETRES / BOARD_DPI)
        files.append(PageFile(file, Box(0, 0, *sheet.size), millimetres))
    write_pdf(folder / "board.pdf", files, replace(Imprint.of(story), generated=False))
    return [*(page.file for page in files), folder / "board.pdf"]


def _picture(store: Store, kept: KeptPanel) -> PanelPicture:
    file = store.picture_file(kept.key)
    with PIL.Image.open(file) as picture:
        return PanelPicture(picture.convert("RGB"), kept.seen, read_recipe(file).to_json())
