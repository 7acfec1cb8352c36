"""Stage "id_encoder": portraits to ID embeddings that hold who it is and nothing of how they look that day.

Two things teach it: heads that must read every attribute of the world from an ID embedding (they are not kept), and a
contrast (supervised contrastive learning, arXiv 2004.11362) between portraits of the same person and portraits of
others, look-alikes among them.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from pydantic import Field, model_validator
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from multiid.errors import TrainingError
from multiid.mini.models import WIDTH, id_encoder
from multiid.mini.training.examples import known_person
from multiid.mini.training.loop import Batch
from multiid.mini.training.pictures import grid
from multiid.mini.training.settings import StageSettings
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import ATTRIBUTES, VALUES, Person, is_held_out, look_alike, make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.people.encoders import IDEncoder
from multiid.people.tensorfile import read_tensors

__all__ = [
    "IDEncoderSettings",
    "IDEncoderStage",
    "build_id_encoder",
    "contrast",
    "embed_pictures",
    "fit_portrait",
    "load_id_encoder",
    "portrait_batch",
]

_FAMILY = 3  # a person and two look-alikes
_VIEWS = 2  # portraits of each in a batch
_SIDE = 64
_SHIFT = 2  # pixels a portrait is moved at most
_KNOWN = 1_000_000  # people of training have seeds below this
_HELD_OUT = 2_000_000  # first seed of the people for figures
_GALLERY = 300
_SPREAD = 3.0  # weight of what keeps the embeddings' numbers near mean 0 and deviation 1
_FILE = "id_encoder.safetensors"
_FUSE = "fuse_module."


class IDEncoderSettings(StageSettings):
    """The settings of this stage; a batch is whole families: three people who look alike, two portraits of each."""

    families: int = Field(default=4000, gt=0)
    """Families it learns from; they come again, each time other portraits of theirs."""
    portraits: int = Field(default=4, ge=_VIEWS)
    """Portraits there are of each person. Those once drawn stay in memory, 12 KiB each."""
    contrast: float = Field(default=0.8, ge=0)
    """Weight of the contrast, against 1 for the sum of the heads."""
    temperature: float = Field(default=0.1, gt=0)
    """What similarities are divided by in the contrast."""

    @model_validator(mode="after")
    def _whole_families(self) -> "IDEncoderSettings":
        if self.batch % (_FAMILY * _VIEWS):
            raise ValueError(f"batch: expected a multiple of {_FAMILY * _VIEWS}, but got {self.batch}")
        if self.families < self.batch // (_FAMILY * _VIEWS):
            raise ValueError(f"families: expected as many as a batch has, but got {self.families}")
        return self


class IDEncoderStage:
    """Trains the vision transformer and the two projections; the fuse module learns with the denoiser.

    Attributes:
        networks: the encoder, and the heads that read attributes.
    """

    def __init__(self, settings: IDEncoderSettings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        encoder = id_encoder()
        _prepare(encoder)
        self.networks = nn.ModuleDict({"encoder": encoder, "heads": nn.Linear(WIDTH, sum(_COUNTS))})
        self._drawn: dict[tuple[int, int, int], np.ndarray] = {}

    def batch(self, step: int) -> Batch:
        """Bytes "pictures" (batch, 64, 64, 3) and "attributes" (batch, 9), the place of each value in `VALUES`."""
        settings = self.settings
        dice = Dice("id encoder", settings.seed * 1_000_003 + step)
        families = settings.batch // (_FAMILY * _VIEWS)
        pictures: list[np.ndarray] = []
        attributes: list[list[int]] = []
        for family in dice.some(range(settings.families), families):
            for member, person in enumerate(_family(family)):
                for view in dice.some(range(settings.portraits), _VIEWS):
                    pictures.append(_jittered(self._portrait(person, family, member, view), dice))
                    attributes.append(_places(person))
        return {"pictures": torch.from_numpy(np.stack(pictures)), "attributes": torch.tensor(attributes)}

    def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """The heads' cross-entropies, the contrast, and what keeps each number near mean 0 and deviation 1."""
        encoder, heads = _parts(networks)
        attributes = batch["attributes"]
        embeddings = embed_pictures(encoder, batch["pictures"])
        read = heads(embeddings).float().split(_COUNTS, dim=1)
        wrong = torch.stack(
            [nn.functional.cross_entropy(scores, attributes[:, index]) for index, scores in enumerate(read)]
        )
        embeddings = embeddings.float()
        same = (attributes[:, None] == attributes[None]).all(dim=2)
        apart = contrast(embeddings, same, temperature=self.settings.temperature)
        # The fuse module's first layers like inputs of one size.
        spread = embeddings.mean(0).square().mean() + embeddings.std(0).clamp_min(1e-3).log().square().mean()
        loss = wrong.sum() + self.settings.contrast * apart + _SPREAD * spread
        return {"loss": loss, "heads": wrong.mean(), "contrast": apart, "spread": spread}

    def sample(self, networks: nn.ModuleDict) -> PIL.Image.Image:
        """Portraits of people it never saw in the upper rows; below each, whom of 300 it takes for the same."""
        encoder, _ = _parts(networks)
        pictures, _ = portrait_batch(_strangers(_GALLERY), portraits=2)
        nearest = _similarities(embed_pictures(encoder, torch.from_numpy(pictures))).argmax(1).tolist()
        asked, gallery = pictures[0::2], pictures[1::2]
        rows = [picture for first in (0, 12) for picture in
                [*asked[first : first + 12], *(gallery[index] for index in nearest[first : first + 12])]]  # fmt: skip
        return grid(rows, columns=12)

    def figures(self, networks: nn.ModuleDict) -> dict[str, float]:
        """On 300 people it never saw: each attribute read right, people found again, and the numbers' spread.

        "within" is how much of the embeddings' variance is between portraits of the same person.
        """
        encoder, heads = _parts(networks)
        people = _strangers(_GALLERY)
        pictures, attributes = portrait_batch(people, portraits=2)
        embeddings = embed_pictures(encoder, torch.from_numpy(pictures))
        read = heads(embeddings).split(_COUNTS, dim=1)
        places = torch.from_numpy(attributes).to(embeddings.device)
        figures = {
            name: (read[index].argmax(1) == places[:, index]).float().mean().item()
            for index, name in enumerate(ATTRIBUTES)
        }
        found = _similarities(embeddings).argmax(1).cpu() == torch.arange(len(people))
        embeddings = embeddings.float()
        within = (embeddings[0::2] - embeddings[1::2]).square().mean() / 2
        figures["top1"] = found.float().mean().item()
        figures["within"] = (within / embeddings.var(0).mean()).item()
        figures["mean"] = embeddings.mean(0).abs().mean().item()
        figures["deviation"] = embeddings.std(0).mean().item()
        return {name: round(value, 4) for name, value in figures.items()}

    def save(self, networks: nn.ModuleDict, folder: Path) -> None:
        """The vision transformer and the projections, under the encoder's own names; no fuse module, no heads."""
        encoder, _ = _parts(networks)
        tensors = {
            name: tensor.half().contiguous()
            for name, tensor in encoder.state_dict().items()
            if not name.startswith(_FUSE)
        }
        save_file(tensors, folder / _FILE)

    def _portrait(self, person: Person, family: int, member: int, view: int) -> UInt8[np.ndarray, "64 64 3"]:
        key = family, member, view
        if key not in self._drawn:
            dice = Dice("id encoder portrait", (family * _FAMILY + member) * self.settings.portraits + view)
            size = 48 + int(dice.between(0, 49))
            self._drawn[key] = fit_portrait(draw_portrait(person, seed=dice.seed(), size=size).picture)
        return self._drawn[key]


def build_id_encoder(settings: IDEncoderSettings) -> IDEncoderStage:
    """The stage; it needs no other."""
    return IDEncoderStage(settings)


def load_id_encoder(folder: Path) -> IDEncoder:
    """The encoder with the weights this stage has saved, in 32 bits; its fuse module has learnt nothing yet.

    Raises:
        TrainingError: when the folder holds no such weights, or they are damaged.
    """
    path = folder / _FILE
    if not path.is_file():
        raise TrainingError(f"Expected the ID encoder's weights in {path}, but there are none: train id_encoder first.")
    encoder = id_encoder()
    tensors, _ = read_tensors(path, error=TrainingError)
    missing, unexpected = encoder.load_state_dict(tensors, strict=False)
    strange = [*unexpected, *(name for name in missing if not name.startswith(_FUSE))]
    if strange:
        raise TrainingError(f"Expected the ID encoder's weights in {path}, but {strange[0]} does not fit: train again.")
    return encoder


def contrast(
    embeddings: Float[Tensor, "portraits width"], same: Bool[Tensor, "portraits portraits"], *, temperature: float
) -> Float[Tensor, ""]:
    """How poorly portraits of the same person are told from others by cosine similarity (arXiv 2004.11362, eq. 2).

    Args:
        embeddings: one for each portrait.
        same: (portraits, portraits), whether two portraits show the same person; each has another of the same.
        temperature: what similarities are divided by.
    """
    units = nn.functional.normalize(embeddings, dim=1)
    itself = torch.eye(len(units), dtype=torch.bool, device=units.device)
    chances = (units @ units.T / temperature).masked_fill(itself, -math.inf).log_softmax(dim=1)
    others = same & ~itself
    return -(chances.masked_fill(~others, 0).sum(1) / others.sum(1)).mean()


def embed_pictures(encoder: IDEncoder, pictures: UInt8[Tensor, "batch 64 64 3"]) -> Float[Tensor, "batch width"]:
    """ID embeddings of bytes, brought to CLIP's mean and spread as `IDEncoder.preprocess` does."""
    mean = torch.tensor(OPENAI_CLIP_MEAN, device=encoder.device) * 255
    deviation = torch.tensor(OPENAI_CLIP_STD, device=encoder.device) * 255
    pixels = (pictures.to(encoder.device).float() - mean) / deviation
    return encoder.embed(pixels.permute(0, 3, 1, 2))[:, 0]


def fit_portrait(picture: PIL.Image.Image) -> UInt8[np.ndarray, "64 64 3"]:
    """A square picture at the encoder's size, as `IDEncoder.preprocess` brings it there, in bytes."""
    return np.asarray(picture.resize((_SIDE, _SIDE), PIL.Image.Resampling.BICUBIC))


def portrait_batch(
    people: Sequence[Person], *, portraits: int
) -> tuple[UInt8[np.ndarray, "pictures 64 64 3"], Int64[np.ndarray, "pictures 9"]]:
    """Portraits for figures, person after person, and the place of each attribute in `VALUES`.

    Args:
        people: whom to draw.
        portraits: how many of each.
    """
    pictures = [
        np.asarray(draw_portrait(person, seed=_HELD_OUT + index * portraits + view, size=_SIDE).picture)
        for index, person in enumerate(people)
        for view in range(portraits)
    ]
    attributes = np.array([_places(person) for person in people], np.int64).repeat(portraits, axis=0)
    return np.stack(pictures), attributes


_COUNTS = [len(VALUES[name]) for name in ATTRIBUTES]


def _prepare(encoder: IDEncoder) -> None:
    """First weights from which so small a transformer learns sooner than from CLIP's own.

    CLIP's first places are faint beside the patches, and its attention is level: all patches look alike, and it takes
    long until one is picked out. Here places begin as waves (arXiv 2205.01580) as strong as the patches.
    """
    config = encoder.config
    side = config.image_size // config.patch_size
    frequencies = math.pi / side * torch.linspace(0, math.log(side), config.vision_width // 4).exp()
    rows, columns = torch.meshgrid(torch.arange(side) + 0.5, torch.arange(side) + 0.5, indexing="ij")
    waves = torch.cat(
        [wave(axis.reshape(-1, 1) * frequencies) for axis in (columns, rows) for wave in (torch.sin, torch.cos)], dim=1
    )
    weights = dict(encoder.vision_model.named_parameters())
    with torch.no_grad():
        for name, weight in weights.items():
            if name.endswith("position_embedding.weight"):
                weight[1:] = 0.28 * waves
            elif name.endswith(("q_proj.weight", "k_proj.weight")):
                weight *= 2.5
    # Fused attention's backward pass is slow on processors, and at 65 tokens the plain one costs little anywhere.
    encoder.vision_model.set_attn_implementation("eager")  # pyright: ignore[reportCallIssue]


def _family(number: int) -> list[Person]:
    """Three people who look alike: the first, and two who differ from them in one or two attributes."""
    dice = Dice("id encoder family", number)
    first = known_person(int(dice.between(0, _KNOWN)))
    family = [first]
    while len(family) < _FAMILY:
        other = look_alike(first, dice.pick((1, 2)), seed=dice.seed())
        if not is_held_out(other):
            family.append(other)
    return family


def _strangers(count: int) -> list[Person]:
    """The first so many people who are never trained on, no two the same."""
    people: list[Person] = []
    seed = _HELD_OUT
    while len(people) < count:
        person = make_person(seed)
        if is_held_out(person) and person not in people:
            people.append(person)
        seed += 1
    return people


def _places(person: Person) -> list[int]:
    return [VALUES[name].index(getattr(person, name)) for name in ATTRIBUTES]


def _jittered(picture: UInt8[np.ndarray, "64 64 3"], dice: Dice) -> UInt8[np.ndarray, "64 64 3"]:
    """Moved a little, and mirrored every second time, so that a portrait that comes again is not quite the same."""
    if dice.chance(0.5):
        picture = picture[:, ::-1]
    across, down = (int(dice.between(0, 2 * _SHIFT + 1)) for _ in range(2))
    wider = np.pad(picture, ((_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0)), mode="edge")
    return wider[down : down + _SIDE, across : across + _SIDE]


def _similarities(embeddings: Float[Tensor, "portraits width"]) -> Float[Tensor, "people people"]:
    """Between everybody's first portrait (rows) and everybody's second."""
    units = nn.functional.normalize(embeddings.float(), dim=1)
    return units[0::2] @ units[1::2].T


def _parts(networks: nn.ModuleDict) -> tuple[IDEncoder, nn.Linear]:
    encoder, heads = networks["encoder"], networks["heads"]
    if not isinstance(encoder, IDEncoder) or not isinstance(heads, nn.Linear):
        raise TypeError(f"Expected an ID encoder and linear heads, but got {type(encoder)} and {type(heads)}.")
    return encoder, heads
