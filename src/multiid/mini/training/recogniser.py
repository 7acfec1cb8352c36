"""Stage "recogniser": heads to attributes and to an embedding that tells people, and look-alikes, apart."""

import copy
from pathlib import Path

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float, Int64, UInt8
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from multiid.mini.faces.networks import Recogniser
from multiid.mini.training.face_pictures import FAMILY, draw_heads, make_family, no_head
from multiid.mini.training.loop import Batch
from multiid.mini.training.pictures import grid, to_unit
from multiid.mini.training.settings import StageSettings
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import ATTRIBUTES, VALUES, Person, gather, look_alike
from multiid.people.tensorfile import write_tensors

__all__ = ["RecogniserSettings", "RecogniserStage", "build_recogniser", "value_numbers"]

_HELD_OUT = 2_000_000  # first seed of the people for figures


class RecogniserSettings(StageSettings):
    """The settings of this stage; `batch` counts heads, a family of look-alikes twice over being eight."""

    batch: int = Field(gt=0, multiple_of=2 * FAMILY)
    others: float = Field(default=0.1, ge=0)
    """Pictures without a head, as a share of `batch`."""
    temperature: float = Field(default=0.1, gt=0)
    """Of the contrastive loss."""
    contrast: float = Field(default=0.6, ge=0)
    """Weight of the contrastive loss beside that of each attribute's."""
    spoilt: float = Field(default=0.6, ge=0, le=1)
    """Share of heads that are blurred, noisy or off colour."""


class RecogniserStage:
    """Trains the recogniser on two pictures each of families of look-alikes.

    Attributes:
        networks: the recogniser.
    """

    def __init__(self, settings: RecogniserSettings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        # Convolutions on processors are half as fast again in this layout.
        self.networks = nn.ModuleDict({"recogniser": Recogniser().to(memory_format=torch.channels_last)})

    def batch(self, step: int) -> Batch:
        """Pictures "heads" (heads + others, side, side, 3) as bytes, and "values" (heads, attributes).

        The second half of the heads shows the people of the first half once more.
        """
        dice = Dice("recogniser", self.settings.seed * 1_000_003 + step)
        people = [person for _ in range(self.settings.batch // (2 * FAMILY)) for person in make_family(dice)]
        heads = draw_heads(dice, people + people, spoilt=self.settings.spoilt)
        others = [no_head(dice) for _ in range(round(self.settings.others * self.settings.batch))]
        return {
            "heads": torch.from_numpy(np.stack([*heads, *others])),
            "values": value_numbers(people + people),
        }

    def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy of the attributes, InfoNCE of the embeddings (Oord et al. 2018), and what is a head."""
        model = _model(networks)
        pictures = batch["heads"].permute(0, 3, 1, 2).to(model.drawn.weight.dtype) / 127.5 - 1
        read = model(pictures)
        values = batch["values"]
        heads = len(values)
        each = [
            functional.cross_entropy(read.attributes[name][:heads].float(), values[:, index])
            for index, name in enumerate(ATTRIBUTES)
        ]
        attributes = torch.stack(each).sum()
        contrast = _contrast(read.embedding[:heads].float(), self.settings.temperature)
        is_head = (torch.arange(len(pictures), device=values.device) < heads).float()
        drawn = functional.binary_cross_entropy_with_logits(read.drawn.float(), is_head)
        loss = attributes + self.settings.contrast * contrast + drawn
        return {"loss": loss, "attributes": attributes, "contrast": contrast, "drawn": drawn}

    def sample(self, networks: nn.ModuleDict) -> PIL.Image.Image:
        """What it learns from: heads as they come, then what is no head."""
        del networks
        dice = Dice("recogniser sheet", self.settings.seed)
        people = [person for _ in range(4) for person in make_family(dice)]
        heads = draw_heads(dice, people + people, spoilt=self.settings.spoilt)
        return grid([*heads, *(no_head(dice) for _ in range(16))], columns=16, zoom=1)

    def figures(self, networks: nn.ModuleDict) -> dict[str, float]:
        """On people never trained on: the worst attribute's accuracy, top-1 among 100, and look-alikes told apart."""
        model = _model(networks).float()
        dice = Dice("recogniser figures", _HELD_OUT)
        people = gather(100, seed=_HELD_OUT)
        families = [[person, *(look_alike(person, 1 + i % 2, seed=dice.seed()) for i in range(3))] for person in people]
        found: dict[str, float] = {}
        gallery = embed(model, draw_heads(dice, people, spoilt=0, portraits=1))
        kin = [person for family in families for person in family]
        kin_gallery = embed(model, draw_heads(dice, kin, spoilt=0, portraits=1))
        for kind, portraits in (("portraits", 1.0), ("scenes", 0.0)):
            heads = draw_heads(dice, kin, spoilt=0, portraits=portraits)
            shares = accuracies(model, heads, kin)
            found[f"worst_attribute_{kind}"] = min(shares.values())
            probes = embed(model, heads)
            found[f"top1_{kind}"] = float((probes[::FAMILY] @ gallery.T).argmax(1).eq(torch.arange(100)).float().mean())
            likeness = torch.einsum("fie,fje->fij", probes.unflatten(0, (-1, 4)), kin_gallery.unflatten(0, (-1, 4)))
            found[f"look_alikes_{kind}"] = float(likeness.argmax(2).eq(torch.arange(4)).float().mean())
        return found

    def save(self, networks: nn.ModuleDict, folder: Path) -> None:
        """As `recogniser.safetensors`."""
        write_tensors(folder / "recogniser.safetensors", copy.deepcopy(_model(networks)).half().state_dict(), {})


def build_recogniser(settings: RecogniserSettings) -> RecogniserStage:
    """The stage; it needs no other."""
    return RecogniserStage(settings)


def value_numbers(people: list[Person]) -> Int64[Tensor, "people attributes"]:
    """Each person's values, numbered as in `people.VALUES`."""
    return torch.tensor([[VALUES[name].index(getattr(person, name)) for name in ATTRIBUTES] for person in people])


def embed(model: Recogniser, heads: UInt8[np.ndarray, "people side side 3"]) -> Float[Tensor, "people embedding"]:
    """Embeddings of length one."""
    with torch.no_grad():
        return functional.normalize(model(to_unit(torch.from_numpy(heads))).embedding, dim=1)


def accuracies(
    model: Recogniser, heads: UInt8[np.ndarray, "people side side 3"], people: list[Person]
) -> dict[str, float]:
    """For each attribute the share of heads of which it is read rightly."""
    with torch.no_grad():
        read = model(to_unit(torch.from_numpy(heads))).attributes
    values = value_numbers(people)
    return {
        name: float(read[name].argmax(1).eq(values[:, index]).float().mean()) for index, name in enumerate(ATTRIBUTES)
    }


def _contrast(embeddings: Float[Tensor, "heads embedding"], temperature: float) -> Float[Tensor, ""]:
    """Each picture must be nearest to the other picture of its person."""
    first, second = functional.normalize(embeddings, dim=1).chunk(2)
    likeness = first @ second.T / temperature
    own = torch.arange(len(first), device=embeddings.device)
    return (functional.cross_entropy(likeness, own) + functional.cross_entropy(likeness.T, own)) / 2


def _model(networks: nn.ModuleDict) -> Recogniser:
    model = networks["recogniser"]
    if not isinstance(model, Recogniser):
        raise TypeError(f"Expected a Recogniser, but got {type(model).__name__}.")
    return model
