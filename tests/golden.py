"""Weights, photos and the tiny SDXL of the golden numbers, drawn from their names as golden/README.md says."""

import math
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from conftest import needs
from PIL import Image
from torch import Tensor, nn

from multiid.people.checkpoint import Checkpoint
from multiid.people.encoders import IDEncoder, IDEncoderV2
from multiid.people.rebuild import build_encoder


def golden_random(name: str) -> np.random.RandomState:
    """The generator that belongs to a name."""
    return np.random.RandomState(zlib.crc32(name.encode()))


def golden_tensor(name: str, shape: tuple[int, ...]) -> Tensor:
    """An input: unit normal, float32."""
    return torch.from_numpy(golden_random(name).standard_normal(shape).astype(np.float32))


def golden_weight(name: str, shape: tuple[int, ...]) -> Tensor:
    """A weight: near one or near zero where one-dimensional, else normal with the spread of a fresh layer."""
    normal = golden_tensor(name.removeprefix("text_model."), shape)
    if len(shape) == 1:
        return 0.02 * normal + (1.0 if name.endswith("weight") else 0.0)
    return normal / math.sqrt(math.prod(shape[1:]))


def golden_photo(name: str, width: int, height: int) -> Image.Image:
    """A photo: six by six random colours, smoothly enlarged."""
    pixels = (golden_random(name).rand(6, 6, 3) * 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def golden_weights(module: nn.Module) -> dict[str, Tensor]:
    """All weights of a module (which may be on the meta device), each drawn from its state-dict name."""
    shapes = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    with ThreadPoolExecutor(2) as threads:  # NumPy draws outside the interpreter's lock
        return dict(zip(shapes, threads.map(golden_weight, shapes, shapes.values()), strict=True))


def fill_with_golden_weights(module: nn.Module) -> None:
    """Gives a module the weights that belong to its names."""
    module.load_state_dict(golden_weights(module))


def golden_encoders() -> tuple[IDEncoder, IDEncoderV2]:
    """Both ID encoders in their published sizes; they share their memory, 2.2 GB. Takes six seconds."""
    with torch.device("meta"):
        weights = golden_weights(IDEncoderV2())
    v1 = {name: weight for name, weight in weights.items() if not name.startswith("qformer_perceiver.")}
    v2 = build_encoder(Checkpoint(weights, {}))
    assert isinstance(v2, IDEncoderV2)
    return build_encoder(Checkpoint(v1, {})), v2


def golden_unet():
    """The UNet of the tiny SDXL."""
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=1280 + 6 * 8,
        cross_attention_dim=2048,
    )
    fill_with_golden_weights(unet)
    return unet.eval()


def golden_sdxl():
    """The stock SDXL pipeline of the golden runs, which end in latents: it has no VAE. Needs the CLIP vocabulary."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    vocabulary = needs("clip_tokenizer")
    ids = {"vocab_size": 49408, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
    sizes = {"intermediate_size": 64, "num_hidden_layers": 3, **ids}
    text_encoder = CLIPTextModel(
        CLIPTextConfig(hidden_size=768, num_attention_heads=12, projection_dim=768, **sizes)
    ).eval()
    text_encoder_2 = CLIPTextModelWithProjection(
        CLIPTextConfig(hidden_size=1280, num_attention_heads=20, projection_dim=1280, hidden_act="gelu", **sizes)
    ).eval()
    fill_with_golden_weights(text_encoder)
    fill_with_golden_weights(text_encoder_2)
    pipeline = StableDiffusionXLPipeline(
        vae=None,
        text_encoder=text_encoder,
        text_encoder_2=text_encoder_2,
        tokenizer=CLIPTokenizer.from_pretrained(vocabulary, model_max_length=77),
        tokenizer_2=CLIPTokenizer.from_pretrained(vocabulary, model_max_length=77, pad_token="!"),
        unet=golden_unet(),
        scheduler=EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def golden_lora_state_dict(unet: nn.Module) -> dict[str, Tensor]:
    """A LoRA of rank 4 on every attention of a UNet, named as in PhotoMaker's checkpoints."""
    return lora_for(unet, lambda name, shape: 0.5 * golden_weight(f"lora.{name}", shape), rank=4)


def lora_for(unet: nn.Module, draw: Callable[[str, tuple[int, ...]], Tensor], *, rank: int) -> dict[str, Tensor]:
    """LoRA weights for every attention of a UNet under their old names, each drawn from its name and shape."""
    from diffusers.models.attention_processor import Attention

    lora: dict[str, Tensor] = {}
    for path, module in unet.named_modules():
        if isinstance(module, Attention):
            linears = {"to_q": module.to_q, "to_k": module.to_k, "to_v": module.to_v, "to_out": module.to_out[0]}
            for target, linear in linears.items():
                start = f"unet.{path}.processor.{target}_lora"
                shapes = {"down": (rank, linear.in_features), "up": (linear.out_features, rank)}
                for side, shape in shapes.items():
                    name = f"{start}.{side}.weight"
                    lora[name] = draw(name, shape)
    return lora
