"""Getting a preset's models before they are needed: what is missing, how much that is, and fetching it.

huggingface_hub does the work, into its own cache. Files that are whole are kept when a download stops, and the next
one goes on with the rest.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multiid.errors import ModelFileError, OutputError
from multiid.modelfiles import find_model_file, split_hub_file
from multiid.pipeline.inventory import FACE_FILES, Part, borrowed, kind_of, take_stock
from multiid.pipeline.model_folders import INDEX_FILE, needed_files
from multiid.pipeline.preset_record import Preset

__all__ = ["Download", "RemoteFile", "Shipment", "plan_download"]


@dataclass(frozen=True)
class RemoteFile:
    """A file of a hub repository.

    Attributes:
        name: within the repository.
        size: in bytes, as the hub reports it.
        cached: whether it is in the Hugging Face cache already.
    """

    name: str
    size: int
    cached: bool


@dataclass(frozen=True)
class Shipment:
    """What is needed of one repository for one part of a preset.

    Attributes:
        part: name of the part.
        repository: "owner/name".
        revision: a commit, or None for the newest.
        licence: of the weights.
        files: those that loading will take.
    """

    part: str
    repository: str
    revision: str | None
    licence: str
    files: tuple[RemoteFile, ...]

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return sum(file.size for file in self.files if not file.cached)


@dataclass(frozen=True)
class Download:
    """What has to be fetched for a preset.

    Attributes:
        preset: whose models these are.
        shipments: by repository; none where there is nothing to do.
        by_hand: what the user has to do, since it may not be fetched: "what: how".
        folder: the Hugging Face cache, which all goes into.
    """

    preset: Preset
    shipments: tuple[Shipment, ...]
    by_hand: tuple[str, ...]
    folder: Path

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return sum(shipment.missing for shipment in self.shipments)

    @property
    def free(self) -> int:
        """Free bytes on the disk of the cache."""
        existing = next(place for place in (self.folder, *self.folder.parents) if place.exists())
        return shutil.disk_usage(existing).free

    def require_space(self) -> None:
        """Makes sure, before anything is fetched, that all of it has room.

        Raises:
            OutputError: when it has not.
        """
        if self.missing > self.free:
            raise OutputError(
                f"Expected {self.missing / 1e9:.1f} GB free for the preset {self.preset.name}, but the disk of "
                f"{self.folder} has {self.free / 1e9:.1f} GB: make room, or name another place in HF_HUB_CACHE."
            )

    def fetch(self) -> None:
        """Fetches what is missing, with huggingface_hub's progress bars, and looks whether all of it is there.

        Raises:
            OutputError: when the disk has no room for it.
            ModelFileError: when the hub cannot be reached, or does not give what is needed.
        """
        from huggingface_hub import snapshot_download

        self.require_space()
        for shipment in self.shipments:
            if shipment.part == "faces":
                continue
            names = [file.name for file in shipment.files]
            try:
                snapshot_download(shipment.repository, revision=shipment.revision, allow_patterns=names)
            except Exception as error:  # of the hub's client, of what it downloads with, or of the system
                raise _unreachable(shipment.repository, error) from error
        if any(shipment.part == "faces" for shipment in self.shipments):
            for file in FACE_FILES[self.preset.faces or ""]:
                find_model_file(file)  # which compares the checksum
        for part in take_stock(self.preset):
            if part.fetchable and not part.ready:
                raise ModelFileError(
                    f"Expected all of {part.source} after downloading it, but it lacks {', '.join(part.lacking)}: the "
                    "repository does not hold what is needed."
                )


def plan_download(preset: Preset) -> Download:
    """Finds out what of a preset is missing, and asks the hub how large that is; nothing but indices is fetched.

    The hub is not asked where nothing is missing.

    Raises:
        ModelFileError: when the hub cannot be reached, or a repository is not what it should be.
    """
    from huggingface_hub import constants

    shipments: list[Shipment] = []
    by_hand: list[str] = []
    for part in take_stock(preset):
        if part.ready:
            continue
        if not part.fetchable:
            by_hand.append(f"{part.name}: {_by_hand(part)}")
        elif part.name == "faces":
            shipments += [
                _shipment(part, file.repository, None, [file.name]) for file in FACE_FILES[preset.faces or ""]
            ]
        else:
            shipments.append(_shipment_of(preset, part))
    return Download(preset, tuple(shipments), tuple(by_hand), Path(constants.HF_HUB_CACHE))


def _by_hand(part: Part) -> str:
    if part.name == "faces":
        return part.lacking[0]
    return f"{part.source} lacks {', '.join(part.lacking)}, and is no repository of the hub: put it there."


def _shipment_of(preset: Preset, part: Part) -> Shipment:
    weights = preset.parts[part.name]
    if kind_of(part.name) == "file":
        on_hub = split_hub_file(weights.source, weights.file)
        if on_hub is None:  # which is not fetchable
            raise ModelFileError(f"Expected a file on the hub as owner/name/file, but got {weights.source}.")
        repository, file = on_hub
        return _shipment(part, repository, weights.revision, [file])
    without = borrowed(preset) if part.name == "base" else ()
    return _shipment(part, weights.source, weights.revision, None, without=without)


def _shipment(
    part: Part, repository: str, revision: str | None, files: list[str] | None, *, without: tuple[str, ...] = ()
) -> Shipment:
    """Asks the hub for the named files of a repository, or for those that loading takes."""
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache

    try:
        info = HfApi().model_info(repository, revision=revision, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        if files is None:
            index: dict[str, Any] | None = None
            if kind_of(part.name) == "pipeline":
                index = json.loads(Path(hf_hub_download(repository, INDEX_FILE, revision=revision)).read_bytes())
            files = needed_files(sizes, index, without=without)
    except Exception as error:  # of the hub's client, of what it downloads with, or of the system
        raise _unreachable(repository, error) from error
    absent = [name for name in files if name not in sizes]
    if absent or not any(name.endswith((".safetensors", ".bin", ".onnx")) for name in files):
        raise ModelFileError(
            f"Expected {', '.join(absent) or 'weights as safetensors'} in the hub repository {repository}, but it "
            "holds none: check the preset's names."
        )
    remote = [
        RemoteFile(name, sizes[name], isinstance(try_to_load_from_cache(repository, name, revision=info.sha), str))
        for name in files
    ]
    return Shipment(part.name, repository, revision, part.licence, tuple(remote))


def _unreachable(repository: str, error: Exception) -> ModelFileError:
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if constants.HF_HUB_OFFLINE:
        reason, advice = "HF_HUB_OFFLINE is set", "unset it while downloading"
    elif isinstance(error, GatedRepoError):
        reason, advice = "its makers ask for consent first", "give it on the repository's page, then run: hf auth login"
    elif isinstance(error, RepositoryNotFoundError):
        reason, advice = "there is no such repository, or it is private", "check its name, or run: hf auth login"
    else:
        first = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        reason, advice = first.rstrip(". "), "check the connection; what came so far is kept, so run this again"
    return ModelFileError(f"Expected the hub to give {repository}, but it does not ({reason}): {advice}.")
