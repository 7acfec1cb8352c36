"""A story's folder on disk: pictures by the key of all they depend on, and which of them the story shows now.

pictures/KEY.png, KEY.json   every picture made, and what was found in it; written whole, never changed
seeds.json                   the seeds that panels were made again with
manifest.json                which picture is which panel, and who was found in it
panels/, pages/, ...         what is written from them, anew in each run
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL.Image

from multiid.errors import OutputError
from multiid.files import write_whole
from multiid.pipeline.kept import make_folder
from multiid.pipeline.result import Picture
from multiid.story.seen import Seen

__all__ = ["KeptPanel", "PanelOutcome", "Store"]

_FORMAT = 1  # of manifest.json
_WELL = ("found", "unseen", "unchecked")


@dataclass(frozen=True)
class PanelOutcome:
    """Who was found in a panel's picture.

    Attributes:
        people: what became of everybody, by name: found, missing, doubled, mixed, or unseen from behind; "unchecked"
            where nobody looked.
        similarities: with themselves, of those who were compared.
        tried: how many pictures were made.
    """

    people: Mapping[str, str]
    similarities: Mapping[str, float]
    tried: int = 1

    @property
    def lacking(self) -> tuple[str, ...]:
        """Names of those who are not there, or not themselves."""
        return tuple(name for name, status in self.people.items() if status not in _WELL)


@dataclass(frozen=True)
class KeptPanel:
    """A panel's picture that is there.

    Attributes:
        key: tells what it was made from.
        seed: that its picture was made with, after all attempts.
        seen: the faces in it.
        outcome: who was found.
        notes: what the user should know.
    """

    key: str
    seed: int
    seen: Seen
    outcome: PanelOutcome
    notes: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return {
            "seed": self.seed,
            "seen": self.seen.to_data(),
            "people": dict(self.outcome.people),
            "similarities": {name: round(value, 4) for name, value in self.outcome.similarities.items()},
            "tried": self.outcome.tried,
            "notes": list(self.notes),
        }

    @classmethod
    def from_data(cls, key: str, data: Mapping[str, Any]) -> "KeptPanel":
        """What `to_data` gave.

        Raises:
            KeyError, TypeError, ValueError: when the data are damaged.
        """
        outcome = PanelOutcome(dict(data["people"]), dict(data["similarities"]), int(data["tried"]))
        return cls(key, int(data["seed"]), Seen.from_data(data["seen"]), outcome, tuple(data["notes"]))


class Store:
    """The folder of one story.

    Args:
        folder: made where it is absent, as soon as something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._whole: set[tuple[Path, int, int]] = set()  # pictures that were read to their end; it takes its time

    def picture_file(self, key: str) -> Path:
        """Where the picture of that key is, once it is made."""
        return self.folder / "pictures" / f"{key}.png"

    def recall(self, key: str) -> KeptPanel | None:
        """What was kept under a key; None where there is nothing, or it is damaged and must be made again."""
        file = self.picture_file(key)
        try:
            state = file.stat()
            version = (file, state.st_mtime_ns, state.st_size)
            if version not in self._whole:
                with PIL.Image.open(file, formats=["PNG"]) as picture:
                    picture.load()
                self._whole.add(version)
            return KeptPanel.from_data(key, json.loads(file.with_suffix(".json").read_text(encoding="utf-8")))
        except (OSError, SyntaxError, ValueError, KeyError, TypeError):
            return None

    def keep(self, picture: Picture, kept: KeptPanel) -> None:
        """Writes a picture and what was found in it; the picture last, so that one that is there is whole.

        Raises:
            OutputError: when they cannot be written.
        """
        file = self.picture_file(kept.key)
        make_folder(file.parent)
        self._write(file.with_suffix(".json"), kept.to_data())
        picture.save(file)

    def seeds(self) -> dict[str, int]:
        """The seeds that panels were made again with, by what the panels show."""
        found = self._read("seeds.json")
        return {str(shown): int(seed) for shown, seed in found.items()} if isinstance(found, dict) else {}

    def keep_seed(self, shown: str, seed: int) -> None:
        """Has a panel made with another seed from now on.

        Raises:
            OutputError: when it cannot be written.
        """
        make_folder(self.folder)
        self._write(self.folder / "seeds.json", {**self.seeds(), shown: seed})

    def manifest(self) -> Mapping[str, Any]:
        """What the last run wrote; empty before the first."""
        found = self._read("manifest.json")
        return found if isinstance(found, dict) and found.get("format") == _FORMAT else {}

    def keep_manifest(self, content: Mapping[str, Any]) -> None:
        """Writes the manifest.

        Raises:
            OutputError: when it cannot be written.
        """
        make_folder(self.folder)
        self._write(self.folder / "manifest.json", {"format": _FORMAT, **content})

    def unused(self, keys: set[str]) -> list[Path]:
        """Files of pictures that are of none of these keys."""
        return sorted(file for file in self.folder.glob("pictures/*") if file.stem not in keys)

    def _read(self, name: str) -> Any:
        file = self.folder / name
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise OutputError(f"{file}: expected what an earlier run wrote, but it is damaged: delete it.") from error

    @staticmethod
    def _write(file: Path, content: Any) -> None:
        with write_whole(file) as temporary:
            temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
