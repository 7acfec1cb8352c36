"""Where a story's pictures and pages go, for all commands alike."""

from pathlib import Path

from multiid.errors import OutputError

__all__ = ["story_folder"]


def story_folder(story: Path, output: Path | None) -> Path:
    """The folder that the user names, or else one beside the story's file, of its name.

    Raises:
        OutputError: when it cannot be a folder.
    """
    folder = story.with_suffix("") if output is None else output
    if folder == story or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"Expected a folder to write into, but {folder} is a file: name another after --output.")
    return folder
