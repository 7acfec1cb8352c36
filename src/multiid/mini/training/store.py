"""The denoiser's examples on disk: drawn once for a run, then read by every step."""

import dataclasses
import json
import logging
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import PIL.Image
import torch
from diffusers import AutoencoderKL
from jaxtyping import Float16, UInt8

from multiid.files import write_whole
from multiid.geometry import Size
from multiid.mini.training.latents import encode
from multiid.mini.training.pictures import to_unit
from multiid.mini.training.scenes import Pool, SceneStore, draw_pool, draw_store, scene_counts
from multiid.mini.training.sources import Sources
from multiid.mini.world.people import Person
from multiid.people.encoders import IDEncoder

__all__ = ["LIMB_WIDTH", "Prepared", "Shelf", "StoreSettings", "draw_scenes"]

LIMB_WIDTH = 8.0
"""Of control images, as `pipeline.presets.Defaults.limb_width`; the preset's own."""

_HELD_OUT_SEED = 7_000_001
_HELD_OUT = ((2, Size(144, 112)), (4, Size(192, 96)), (4, Size(232, 160)))
_HELD_OUT_SCENES = 8
_AT_ONCE = 32  # pictures through a network

_log = logging.getLogger(__name__)


@runtime_checkable
class StoreSettings(Protocol):
    """What the store needs to know."""

    @property
    def people(self) -> int:
        """In the pool."""
        ...

    @property
    def scenes(self) -> int:
        """In the store, about."""
        ...

    @property
    def seed(self) -> int:
        """Of everything drawn."""
        ...

    @property
    def cores(self) -> int:
        """Processes that draw."""
        ...


@dataclass(frozen=True, eq=False)
class Shelf:
    """Scenes of one size and number of people, with their latents."""

    scenes: SceneStore
    latents: Float16[np.ndarray, "scenes channels rows columns"]

    @property
    def cells(self) -> int:
        """Latent cells of one scene."""
        return self.latents.shape[2] * self.latents.shape[3]


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that the denoiser's steps read.

    Attributes:
        people: the pool.
        embeddings: ID embeddings of the pool's portraits.
        shelves: the scenes to learn from.
        held_out: scenes of the same people that are never learnt from, for the samples.
        autoencoder: for the samples.
    """

    people: tuple[Person, ...]
    embeddings: Float16[np.ndarray, "people portraits width"]
    shelves: tuple[Shelf, ...]
    held_out: tuple[Shelf, ...]
    autoencoder: AutoencoderKL

    @classmethod
    def make(cls, settings: StoreSettings, sources: Sources) -> "Prepared":
        """Reads the run's store; what is not there yet is drawn and encoded.

        Raises:
            TrainingError: when the run has no autoencoder or ID encoder, or they are damaged.
        """
        # What earlier stages made comes first: drawing takes long, and would be in vain without.
        autoencoder, encoder = sources.autoencoder(), sources.id_encoder()
        folder = sources.run / "denoiser" / "store"
        draw_scenes(folder, settings)
        pool = _read_pool(folder)
        embeddings = _kept(folder / "embeddings.npy", lambda: _embed(pool, encoder))
        shelves: dict[bool, list[Shelf]] = {True: [], False: []}
        for name, held_out in [(_name(*shelf), False) for shelf in _counts(settings)] + [
            (_name(*shelf, held_out=True), True) for shelf in _HELD_OUT
        ]:
            latents = _kept(
                folder / f"{name}.latents.npy",
                lambda name=name: _encode(np.load(folder / f"{name}.pictures.npy", mmap_mode="r"), autoencoder),
            )
            shelves[held_out].append(Shelf(SceneStore.load(folder / f"{name}.npz"), latents))
        return cls(pool.people, embeddings, tuple(shelves[False]), tuple(shelves[True]), autoencoder)


def draw_scenes(folder: Path, settings: StoreSettings) -> None:
    """Draws the pool and the scenes that `folder` lacks, several sizes at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "people.json").is_file():
        pool = draw_pool(settings.people, seed=settings.seed)
        np.save(folder / "portraits.npy", pool.portraits)
        with write_whole(folder / "people.json") as temporary:
            temporary.write_text(json.dumps([dataclasses.asdict(person) for person in pool.people]), encoding="utf-8")
    tasks = [(count, size, scenes, settings.seed, False) for count, size, scenes in scene_counts(settings.scenes)]
    tasks += [(count, size, _HELD_OUT_SCENES, _HELD_OUT_SEED, True) for count, size in _HELD_OUT]
    missing = [task for task in tasks if not (folder / f"{_name(*task[:2], held_out=task[4])}.npz").is_file()]
    if not missing:
        return
    with ProcessPoolExecutor(settings.cores, mp_context=get_context("spawn")) as workers:
        futures = [workers.submit(_draw_shelf, folder, *task) for task in missing]
        for number, future in enumerate(futures, start=1):
            future.result()
            _log.info("drawn %d of %d sizes of scenes", number, len(futures))


def _counts(settings: StoreSettings) -> list[tuple[int, Size]]:
    return [(count, size) for count, size, _ in scene_counts(settings.scenes)]


def _name(count: int, size: Size, *, held_out: bool = False) -> str:
    return f"{'held-out-' if held_out else ''}{count}-{size}"


def _draw_shelf(folder: Path, count: int, size: Size, scenes: int, seed: int, held_out: bool) -> None:
    name = _name(count, size, held_out=held_out)
    store, pictures = draw_store(_read_pool(folder), count, size, scenes, seed=seed, limb_width=LIMB_WIDTH)
    np.save(folder / f"{name}.pictures.npy", pictures)
    partial = folder / f"{name}.partial.npz"
    store.save(partial)
    partial.rename(folder / f"{name}.npz")


def _read_pool(folder: Path) -> Pool:
    people = tuple(Person(**values) for values in json.loads((folder / "people.json").read_text()))
    return Pool(people, np.load(folder / "portraits.npy", mmap_mode="r"))


def _kept(file: Path, make: "Maker") -> np.ndarray:
    """An array from its file, or made and kept."""
    if not file.is_file():
        partial = file.with_suffix(".partial.npy")
        np.save(partial, make())
        partial.rename(file)
    return np.load(file)


@runtime_checkable
class Maker(Protocol):
    """Makes an array."""

    def __call__(self) -> np.ndarray:
        """The array."""
        ...


@torch.no_grad()
def _embed(pool: Pool, encoder: IDEncoder) -> Float16[np.ndarray, "people portraits width"]:
    flat = pool.portraits.reshape(-1, *pool.portraits.shape[2:])
    parts: list[np.ndarray] = []
    for start in range(0, len(flat), _AT_ONCE):
        images = [PIL.Image.fromarray(portrait) for portrait in flat[start : start + _AT_ONCE]]
        parts.append(encoder.embed(encoder.preprocess(images))[:, 0].numpy().astype(np.float16))
    return np.concatenate(parts).reshape(*pool.portraits.shape[:2], -1)


@torch.no_grad()
def _encode(
    pictures: UInt8[np.ndarray, "scenes height width 3"], autoencoder: AutoencoderKL
) -> Float16[np.ndarray, "scenes channels rows columns"]:
    parts: list[np.ndarray] = []
    for start in range(0, len(pictures), _AT_ONCE):
        batch = to_unit(torch.from_numpy(np.array(pictures[start : start + _AT_ONCE])))
        latents = encode(autoencoder, batch).mode() * autoencoder.config["scaling_factor"]
        parts.append(latents.numpy().astype(np.float16))
    return np.concatenate(parts)
