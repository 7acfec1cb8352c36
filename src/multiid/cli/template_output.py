"""Where a command writes a template, and the preview beside it."""

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from multiid.errors import OutputError
from multiid.files import require_place, write_whole

if TYPE_CHECKING:
    from PIL.Image import Image

    from multiid import Template

__all__ = ["check_outputs", "name_of_file", "write_template"]


def check_outputs(output: Path, *, force: bool, source: Path | None = None, kind: str = "template") -> Path:
    """Finds what is wrong with the names before any work; returns where the preview goes.

    Args:
        output: of the template.
        force: whether files that are there may be replaced.
        source: what the template is made of; it is never replaced.
        kind: what that is, for the message.

    Raises:
        OutputError: when a name is none for a template, or something is there already.
    """
    if output.suffix.lower() != ".json":
        raise OutputError(f"Expected a file name ending in .json for the template, but got {output}.")
    shown = output.with_suffix(".png")
    for file in (output, shown):
        require_place(file)
        if source is not None and file.exists() and _same(file, source):
            raise OutputError(f"Expected another name for the template, or {file} would replace the {kind} itself.")
        if file.exists() and not force:
            raise OutputError(f"Expected the name of a new file, but {file} exists; name another or add --force.")
    return shown


def write_template(template: "Template", output: Path, *, backdrop: "Image | None" = None) -> Path:
    """Writes a template and, as a PNG of the same name, its preview: both or neither; returns the latter's place."""
    from multiid.poses.preview import draw_preview

    shown = output.with_suffix(".png")
    with write_whole(output) as written, write_whole(shown) as drawn:
        written.write_text(template.to_json(), encoding="utf-8")
        draw_preview(template.pose(), backdrop=backdrop).save(drawn, format="PNG", optimize=True)
    return shown


def name_of_file(output: Path) -> str:
    """A template's name out of a file's: small letters, digits and hyphens; empty where it has none of them."""
    plain = unicodedata.normalize("NFKD", output.stem).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def _same(file: Path, source: Path) -> bool:
    try:
        return file.samefile(source)
    except (OSError, ValueError):  # nothing there, or no name that one can have: whoever reads it says so
        return False
