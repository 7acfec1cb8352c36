"""The miniature with random weights, as parts and packed, for tests that need its shape and not its skill."""

from pathlib import Path

import PIL.Image
import torch
from safetensors.torch import save_file
from torch import nn

from multiid import Box, Composer, Face
from multiid.mini import models
from multiid.mini.faces import MiniFaces
from multiid.mini.faces.networks import Finder, Recogniser
from multiid.mini.pack import ADAPTER_FILE, Parts

SHIPPED = Path(models.__file__).parent / "weights"


class WholeFaces:
    """Takes any picture for one face."""

    recogniser = None

    def analyze(self, image: PIL.Image.Image) -> list[Face]:
        return [Face(Box(0, 0, image.width, image.height), ((1.0, 1.0),) * 5, 1.0)]


def random_parts() -> Parts:
    """Parts whose numbers fit into 16 bits, with a ControlNet that has something to say."""
    torch.manual_seed(0)
    first, second = models.text_encoders()
    controlnet = models.controlnet()
    for parameter in controlnet.controlnet_down_blocks.parameters():
        nn.init.normal_(parameter, std=0.1)
    parts = {
        "vae": models.autoencoder(),
        "unet": models.unet(),
        "controlnet": controlnet,
        "text_encoder": first,
        "text_encoder_2": second,
        "id_encoder": models.id_encoder(),
    }
    return Parts(**{name: part.half().float().eval() for name, part in parts.items()})


def load_miniature(folder: Path) -> Composer:
    """The preset "mini" with the weights in that folder, without progress bars."""
    composer = Composer.from_preset(
        "mini",
        device="cpu",
        base=str(folder),
        controlnet=str(folder / "controlnet"),
        adapter=str(folder / ADAPTER_FILE),
        faces=WholeFaces(),
    )
    composer.pipeline.set_progress_bar_config(disable=True)
    return composer


def random_faces(folder: Path) -> MiniFaces:
    """A finder and a recogniser that know nothing, with their files in that folder."""
    torch.manual_seed(0)
    for name, network in (("finder", Finder()), ("recogniser", Recogniser())):
        save_file(
            {key: value.contiguous() for key, value in network.state_dict().items()}, folder / f"{name}.safetensors"
        )
    return MiniFaces(folder)


def shipped_miniature() -> Composer:
    """The preset "mini" as the package holds it, without progress bars."""
    composer = Composer.from_preset("mini", device="cpu")
    composer.pipeline.set_progress_bar_config(disable=True)
    return composer
