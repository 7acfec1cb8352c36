"""From drawn pages to files: PNG files, panels by themselves, PDF and CBZ."""

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from multiid.files import write_whole
from multiid.marks import generated_info
from multiid.pipeline.kept import make_folder
from multiid.pipeline.recipe import RECIPE_KEY
from multiid.story.book import Imprint, PageFile
from multiid.story.cbz import write_cbz
from multiid.story.page import DrawnPage
from multiid.story.pdf import write_pdf

__all__ = ["Form", "bind_pages", "write_page", "write_panels"]

Form = Literal["pdf", "cbz", "panels"]
"""What is written beside the pages' PNG files."""

_PAGE = re.compile(r"\d{3}\.png")
_PANEL = re.compile(r"\d+\.\d+\.png")


def bind_pages(
    pages: Iterable[DrawnPage],
    folder: Path,
    imprint: Imprint,
    *,
    name: str = "story",
    forms: Collection[Form] = ("pdf", "cbz", "panels"),
) -> list[Path]:
    """Writes a story's pages into a folder, which is made if need be.

    pages/001.png and so on, panels/1.1.png and so on, NAME.pdf and NAME.cbz. Every file is written whole or not at all
    and holds no time stamp; the same pages give the same bytes. Pages and panels that an earlier run left there, and
    the story no longer has, are removed.

    Args:
        pages: drawn one after the other as they are written, so that one is in memory at a time.
        imprint: what the files say of the story.
        name: of the PDF and CBZ files.
        forms: what is written beside the pages.

    Returns:
        The files written.

    Raises:
        OutputError: when the folder or a file cannot be written.
    """
    make_folder(folder / "pages")
    written: list[PageFile] = []
    panels: list[Path] = []
    for number, page in enumerate(pages, 1):
        written.append(write_page(folder / "pages" / f"{number:03d}.png", page))
        if "panels" in forms:
            panels += write_panels(folder / "panels", page)
    files = [page.file for page in written]
    _remove_others(folder / "pages", _PAGE, files)
    if "panels" in forms:
        _remove_others(folder / "panels", _PANEL, panels)
    for form, write in (("pdf", write_pdf), ("cbz", write_cbz)):
        if form in forms:
            write(folder / f"{name}.{form}", written, imprint)
            files.append(folder / f"{name}.{form}")
    return files + panels


def write_page(file: Path, page: DrawnPage) -> PageFile:
    """Writes a page as PNG, marked as made by a generative model, with its resolution.

    Raises:
        OutputError: when the file cannot be written.
    """
    dpi = (page.sheet.dpi, page.sheet.dpi)
    with write_whole(file) as temporary:
        page.image.save(temporary, format="PNG", dpi=dpi, pnginfo=generated_info({}))
    return PageFile(file, page.sheet.trim, page.sheet.millimetres)


def write_panels(folder: Path, page: DrawnPage) -> list[Path]:
    """Writes a page's panels by themselves, as 3.2.png, with their pictures' recipes; the folder is made if need be.

    Returns:
        The files written; panels without a picture have none.

    Raises:
        OutputError: when the folder or a file cannot be written.
    """
    make_folder(folder)
    files: list[Path] = []
    for number, panel in page.panels.items():
        texts = {} if panel.recipe is None else {RECIPE_KEY: panel.recipe}
        files.append(folder / f"{number}.png")
        with write_whole(files[-1]) as temporary:
            panel.image.save(temporary, format="PNG", pnginfo=generated_info(texts))
    return files


def _remove_others(folder: Path, named: re.Pattern[str], kept: Collection[Path]) -> None:
    """Removes files that bear such names and are not kept."""
    if not folder.is_dir():
        return
    for file in folder.iterdir():
        if named.fullmatch(file.name) and file not in kept:
            with suppress(OSError):
                file.unlink()
