"""Pages as a CBZ file, which comic readers open: a zip archive of pictures with a ComicInfo.xml."""

import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from multiid.files import write_whole
from multiid.story.book import Imprint, PageFile

__all__ = ["write_cbz"]

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # of a zip archive; every entry has it, so that no time is told
_UNIX = 3
_READABLE = 0o644 << 16


def write_cbz(path: Path, pages: Sequence[PageFile], imprint: Imprint) -> None:
    """Writes pages as a CBZ file, whole or not at all; the same pages give the same bytes.

    The pages' files go into it as they are, as 001.png and so on, after ComicInfo.xml.

    Raises:
        OutputError: when the file cannot be written.
    """
    with write_whole(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(_entry("ComicInfo.xml"), _comic_info(pages, imprint))
        for number, page in enumerate(pages, 1):
            archive.writestr(_entry(f"{number:03d}.png"), page.file.read_bytes())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EARLIEST)
    entry.create_system = _UNIX  # wherever it is written
    entry.external_attr = _READABLE
    return entry


def _comic_info(pages: Sequence[PageFile], imprint: Imprint) -> bytes:
    """ComicInfo.xml by ComicRack's schema (version 2.0), which fixes the order of the elements."""
    root = ET.Element("ComicInfo")
    said = {
        "Title": imprint.title,
        "Summary": imprint.summary,
        "Writer": imprint.author,
        "PageCount": str(len(pages)),
        "LanguageISO": imprint.language,
        "Manga": "YesAndRightToLeft" if imprint.right_to_left else "No",
        "Characters": ", ".join(imprint.characters),
    }
    for name, text in said.items():
        if text:
            ET.SubElement(root, name).text = text
    listed = ET.SubElement(root, "Pages")
    for index, page in enumerate(pages):
        with Image.open(page.file) as image:
            width, height = image.size
        told = {"Image": index, "ImageSize": page.file.stat().st_size, "ImageWidth": width, "ImageHeight": height}
        ET.SubElement(listed, "Page", {key: str(value) for key, value in told.items()})
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)
