"""SDXL's parts in their public sizes, with random weights: how fast and how large does not depend on their values."""

from collections.abc import Callable
from typing import Any, cast

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    EulerDiscreteScheduler,
    StableDiffusionXLControlNetPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from multiid.mini.vocabulary import build_tokenizer
from multiid.people.encoders import IDEncoder

__all__ = ["controlnet", "id_encoder", "lora", "pipeline", "unet"]

# stabilityai/stable-diffusion-xl-base-1.0, unet/config.json. `attention_head_dim` is diffusers' name for the heads.
_NETWORK: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280),
    "layers_per_block": 2,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "attention_head_dim": (5, 10, 20),
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "cross_attention_dim": 2048,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
_VOCABULARY = 49_408  # CLIP's; the tokenizer below uses the first few of them
_WORDS = ("a", "an", "and", "the", "in", "at", "with", "woman", "man", "red", "coat", "garden", "tea", "having")
_LORA_RANK = 64  # PhotoMaker's


def unet(device: str = "cpu", dtype: torch.dtype = torch.bfloat16) -> UNet2DConditionModel:
    """The denoiser: 2.57 billion parameters."""
    up = ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D")
    return _filled(lambda: UNet2DConditionModel(**_NETWORK, sample_size=128, up_block_types=up), device, dtype)


def controlnet(device: str = "cpu", dtype: torch.dtype = torch.bfloat16) -> ControlNetModel:
    """A ControlNet of the same sizes: 1.25 billion parameters."""
    return _filled(lambda: ControlNetModel(**_NETWORK), device, dtype)


def id_encoder(dtype: torch.dtype = torch.bfloat16) -> IDEncoder:
    """ID encoder V1: 326 million parameters."""
    return _filled(IDEncoder, "cpu", dtype)


def lora(network: nn.Module, dtype: torch.dtype = torch.bfloat16) -> dict[str, Tensor]:
    """A LoRA on every attention of a UNet, of the rank and under the names of PhotoMaker's checkpoints."""
    weights: dict[str, Tensor] = {}
    for path, layer in network.named_modules():
        if not isinstance(layer, Attention):
            continue
        linears: list[Any] = [layer.to_q, layer.to_k, layer.to_v, layer.to_out[0]]
        for name, linear in zip(("to_q", "to_k", "to_v", "to_out"), linears, strict=True):
            start = f"unet.{path}.processor.{name}_lora"
            weights[f"{start}.down.weight"] = 0.01 * torch.randn(_LORA_RANK, linear.in_features, dtype=dtype)
            weights[f"{start}.up.weight"] = 0.01 * torch.randn(linear.out_features, _LORA_RANK, dtype=dtype)
    return weights


def pipeline() -> StableDiffusionXLControlNetPipeline:
    """The stock pipeline of full-size parts in bf16 on the CPU; it reads few words whole, the others in pieces."""
    tokenizer = cast(Any, build_tokenizer(_WORDS))
    common: dict[str, Any] = {
        "vocab_size": _VOCABULARY,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    first = CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, projection_dim=768,
        **common,
    )  # fmt: skip
    second = CLIPTextConfig(
        hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, projection_dim=1280,
        hidden_act="gelu", **common,
    )  # fmt: skip
    return StableDiffusionXLControlNetPipeline(
        vae=_filled(_autoencoder, "cpu", torch.bfloat16),
        text_encoder=_filled(lambda: CLIPTextModel(first), "cpu", torch.bfloat16),
        text_encoder_2=_filled(lambda: CLIPTextModelWithProjection(second), "cpu", torch.bfloat16),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet(),
        controlnet=controlnet(),
        scheduler=cast(Any, EulerDiscreteScheduler)(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012),
        add_watermarker=False,
    )


def _autoencoder() -> AutoencoderKL:
    return cast(Any, AutoencoderKL)(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        scaling_factor=0.13025,
        force_upcast=False,
    )


def _filled(build: Callable[[], Any], device: str, dtype: torch.dtype) -> Any:
    """A network made without memory first and filled in its own dtype, so that it never stands there in fp32."""
    with torch.device("meta"):
        network: nn.Module = build()
    network = network.to(dtype).to_empty(device=device).eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.02)
        else:
            nn.init.constant_(parameter, 1.0 if name.endswith("weight") else 0.0)
    for name, buffer in network.named_buffers():
        if name.endswith("position_ids"):
            buffer.copy_(torch.arange(buffer.shape[-1])[None])
    return network
