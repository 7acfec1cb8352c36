"""XMP inside files: the mark that says that a generative model made the picture, and who wrote it."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from PIL.PngImagePlugin import PngInfo

__all__ = ["generated_info", "xmp_packet"]

# IPTC's digital source type.
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def xmp_packet(*, generated: bool = True, title: str = "", author: str = "") -> str:
    """An XMP packet, without dates.

    Args:
        generated: whether it has the mark.
        title, author: left out where they are empty; they must be free of control characters, which XML cannot hold.
    """
    said = ""
    if title:
        said += f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>'
    if author:
        said += f"<dc:creator><rdf:Seq><rdf:li>{escape(author)}</rdf:li></rdf:Seq></dc:creator>"
    about = ' rdf:about=""' if said else ""
    about += ' xmlns:dc="http://purl.org/dc/elements/1.1/"' if said else ""
    if generated:
        about += f' xmlns:Iptc4xmpExt="{_IPTC}" Iptc4xmpExt:DigitalSourceType="{_SOURCE}"'
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        + (f"<rdf:Description{about}>{said}</rdf:Description>" if said else f"<rdf:Description{about}/>")
        + "</rdf:RDF></x:xmpmeta>"
    )


def generated_info(texts: Mapping[str, str]) -> PngInfo:
    """What a PNG file carries beside its pixels: texts by keyword, then the mark."""
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_itxt(keyword, text)
    info.add_itxt("XML:com.adobe.xmp", xmp_packet())
    return info
