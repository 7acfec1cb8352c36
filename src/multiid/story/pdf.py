"""Pages as a PDF file: at their true size, with cut and bleed marked, and without loss."""

import struct
from collections.abc import Sequence
from pathlib import Path

from pypdf import PageObject, PdfWriter
from pypdf.generic import (
    BooleanObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    RectangleObject,
    StreamObject,
    TextStringObject,
)

from multiid.files import write_whole
from multiid.geometry import Size
from multiid.marks import xmp_packet
from multiid.story.book import Imprint, PageFile

__all__ = ["write_pdf"]

_POINTS = 72 / 25.4  # per millimetre
_HEADER = "%PDF-1.4"  # the first with XMP; nothing here needs a later one
_PNG = b"\x89PNG\r\n\x1a\n"
_RGB_8 = (8, 2, 0, 0, 0)  # bits, colour type, compression, filter, interlacing: what PDF readers decode as well


def write_pdf(path: Path, pages: Sequence[PageFile], imprint: Imprint) -> None:
    """Writes pages as a PDF file, whole or not at all.

    The pixels go into the file as the PNG files hold them. It has no dates and no identifier, so that the same pages
    give the same bytes, and says that a generative model made it where that is so.

    Raises:
        OutputError: when the file cannot be written.
        ValueError: when a page's file is no PNG file with 8 bits of red, green and blue.
    """
    writer = PdfWriter()
    writer.pdf_header = _HEADER
    for page in pages:
        writer.add_page(_page(page))
    said = {"/Title": imprint.title, "/Author": imprint.author, "/Subject": imprint.summary, "/Producer": "multiid"}
    writer.metadata = {key: text for key, text in said.items() if text}
    told = xmp_packet(generated=imprint.generated, title=imprint.title, author=imprint.author)
    writer.xmp_metadata = told.encode()
    packet = writer.root_object["/Metadata"].get_object()
    if isinstance(packet, StreamObject):
        packet.update({NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")})
    writer.root_object[NameObject("/Lang")] = TextStringObject(imprint.language)
    preferences = writer.create_viewer_preferences()
    preferences[NameObject("/DisplayDocTitle")] = BooleanObject(True)
    if imprint.right_to_left:
        preferences[NameObject("/Direction")] = NameObject("/R2L")
    with write_whole(path) as temporary, temporary.open("wb") as stream:
        writer.write(stream)


def _page(page: PageFile) -> PageObject:
    """A page that shows its picture from edge to edge."""
    size, data = _read_png(page.file)
    trim, (width_mm, height_mm) = page.trim, page.millimetres
    across, down = width_mm * _POINTS / trim.width, height_mm * _POINTS / trim.height
    width, height = size.width * across, size.height * down
    made = PageObject.create_blank_page(width=width, height=height)
    # PDF counts from the bottom.
    made.bleedbox = RectangleObject((0, 0, width, height))
    made.trimbox = RectangleObject(
        (trim.left * across, height - trim.bottom * down, trim.right * across, height - trim.top * down)
    )
    shown = StreamObject()
    shown.set_data(f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /Page Do Q".encode())
    pictures = DictionaryObject({NameObject("/Page"): _picture(size, data)})
    made[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): pictures})
    made[NameObject("/Contents")] = shown
    return made


def _picture(size: Size, data: bytes) -> StreamObject:
    """A picture whose compressed rows are those of a PNG file."""
    decoding = {"/Predictor": 15, "/Colors": 3, "/BitsPerComponent": 8, "/Columns": size.width}
    picture = StreamObject()
    picture.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(size.width),
            NameObject("/Height"): NumberObject(size.height),
            NameObject("/ColorSpace"): NameObject("/DeviceRGB"),
            NameObject("/BitsPerComponent"): NumberObject(8),
            NameObject("/Filter"): NameObject("/FlateDecode"),
            NameObject("/DecodeParms"): DictionaryObject(
                {NameObject(key): NumberObject(value) for key, value in decoding.items()}
            ),
        }
    )
    picture.set_data(data)
    return picture


def _read_png(file: Path) -> tuple[Size, bytes]:
    """A PNG file's size, and its compressed rows as they are."""
    content = file.read_bytes()
    if content[:8] != _PNG or struct.unpack(">5B", content[24:29]) != _RGB_8:
        raise ValueError(f"Expected a PNG file with 8 bits of red, green and blue, not interlaced, but got {file}.")
    rows: list[bytes] = []
    position = 8
    while position < len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        if content[position + 4 : position + 8] == b"IDAT":
            rows.append(content[position + 8 : position + 8 + length])
        position += length + 12
    return Size(*struct.unpack(">2I", content[16:24])), b"".join(rows)
