"""Malformed checkpoints, LoRAs and models."""

from pathlib import Path

import torch
from malformed import (
    Cases,
    Make,
    add,
    burglar_pickle,
    burglar_torch,
    checkpoint_file,
    person,
    with_checkpoint,
    with_lora,
    with_model,
    with_scene,
)
from safetensors.torch import save_file

from multiid.pipeline.tiny import tiny_adapter

LAYER = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"  # 32 inputs and outputs
SHAPES = "Expected the weights of an ID encoder, but their shapes do not fit"


def cut_checkpoint(file: Path) -> None:
    tiny_adapter().save(file)
    file.write_bytes(file.read_bytes()[:-1000])


def of_torch(content: object) -> Make:
    return lambda file: torch.save(content, file)


def parts(encoder: object, lora: object) -> Make:
    return of_torch({"id_encoder": encoder, "lora_weights": lora})


def with_lora_weights(lora: dict[str, torch.Tensor]) -> Make:
    """A whole ID encoder, and a LoRA."""
    return lambda file: parts(tiny_adapter().encoder.state_dict(), lora)(file)


def tensors(**shapes: tuple[int, ...]) -> Make:
    return lambda file: save_file({name.replace("__", "."): torch.ones(shape) for name, shape in shapes.items()}, file)


def lora(down: tuple[int, ...] | None, up: tuple[int, ...] | None, layer: str = LAYER) -> Make:
    weights = {f"{layer}.lora_{side}.weight": shape for side, shape in (("A", down), ("B", up)) if shape is not None}
    return lambda file: save_file({name: torch.ones(shape) for name, shape in weights.items()}, file)


CHECKPOINTS: Cases = {
    "a checkpoint that is text": (
        with_checkpoint(lambda file: file.write_text("no weights at all")),
        "Expected a torch or safetensors file, but adapter.bin is neither",
    ),
    "a checkpoint that is empty": (with_checkpoint(Path.touch), "but adapter.bin is empty. Get the file again"),
    "a checkpoint that is a folder": (with_checkpoint(Path.mkdir), "but got: Is a directory. Check the path."),
    "a checkpoint cut short": (with_checkpoint(cut_checkpoint), "adapter.bin cannot be read"),
    "a checkpoint that bears code": (with_checkpoint(burglar_pickle(2)), "adapter.bin asks to run code ("),
    "a checkpoint that bears code in the newest form": (with_checkpoint(burglar_pickle(5)), "adapter.bin"),
    "a checkpoint of torch that bears code": (with_checkpoint(burglar_torch()), "adapter.bin asks to run code ("),
    "an old checkpoint of torch that bears code": (
        with_checkpoint(burglar_torch(legacy=True)),
        "adapter.bin asks to run code (",
    ),
    "a checkpoint of something else": (
        with_checkpoint(of_torch({"state_dict": {}})),
        "Expected a dict with the keys id_encoder and lora_weights, but adapter.bin holds state_dict",
    ),
    "a checkpoint that is a list": (with_checkpoint(of_torch([1])), "but adapter.bin holds list"),
    "a checkpoint of lists": (with_checkpoint(parts([], {})), "id_encoder in adapter.bin to be a dict of tensors"),
    "a checkpoint of numbers": (with_checkpoint(parts({"a": 1}, {})), "Expected named tensors in id_encoder"),
    "a checkpoint of whole numbers": (
        with_checkpoint(parts({"a": torch.ones(2, dtype=torch.int32)}, {})),
        "Expected plain floating-point weights in id_encoder",
    ),
    "a checkpoint of sparse weights": (
        with_checkpoint(parts({"a": torch.eye(2).to_sparse()}, {})),
        "Expected plain floating-point weights in id_encoder",
    ),
    "a checkpoint with other weights": (
        with_checkpoint(parts({"vision_model.weight": torch.zeros(2)}, {"unet.x": torch.zeros(2)})),
        "Expected the",
    ),
    "a checkpoint without a LoRA": (with_checkpoint(with_lora_weights({})), "Expected LoRA weights, but adapter.bin"),
    "a checkpoint with half a LoRA": (
        with_checkpoint(with_lora_weights({"unet.a_lora.down.weight": torch.ones(2, 2)})),
        "Expected LoRA weights of a UNet in pairs",
    ),
    "a checkpoint with a weight missing": (
        with_checkpoint(checkpoint_file(lambda weights, _: weights.pop("id_encoder.fuse_module.layer_norm.bias"))),
        "1 missing (fuse_module.layer_norm.bias)",
    ),
    "a checkpoint of other names": (with_checkpoint(tensors(a=(1,))), "Expected names that begin with id_encoder."),
    "a checkpoint that is an identity": (with_checkpoint(person("ada").save), "but adapter.bin holds embeddings"),
    "a checkpoint of seven heads": (
        with_checkpoint(checkpoint_file(lambda _, about: about.update(vision_heads=7))),
        f"{SHAPES}: Expected vision_width to be a multiple of vision_heads (7), but got 32",
    ),
    "a checkpoint of no heads": (
        with_checkpoint(checkpoint_file(lambda _, about: about.update(vision_heads=0))),
        f"{SHAPES}: vision_heads is noted as 0",
    ),
    "a checkpoint that is not there": (
        lambda _: add("ada.png", options=("--adapter", "no.bin")),
        "Expected a checkpoint file, or one on the hub as owner/name/file, but there is no no.bin.",
    ),
    "an adapter for tiny": (
        lambda _: add("ada.png", options=("--preset", "tiny", "--adapter", "no.bin")),
        "adapter: expected a preset whose models can be replaced, but tiny is built in.",
    ),
}

LORAS: Cases = {
    "a LoRA that is not there": (
        with_scene(loras=[{"source": "absent.safetensors"}]),
        "loras: expected a LoRA for SDXL, but there is no file absent.safetensors",
    ),
    "a LoRA without a source": (with_scene(loras=[{"weight": 1.0}]), "loras.0.source: expected a value"),
    "a LoRA of a weight that is no number": (
        with_scene(loras=[{"source": "owner/film", "weight": float("nan")}]),
        "loras.0.weight: expected less than or equal to 10, but got nan",
    ),
    "a LoRA that is text": (with_lora(lambda file: file.write_text("no LoRA")), "for SDXL at style.safetensors, but"),
    "a LoRA of other weights": (with_lora(tensors(a=(1,))), "Invalid LoRA checkpoint"),
    "half a LoRA": (with_lora(lora((2, 32), None)), "loras: expected a LoRA for SDXL at style.safetensors, but"),
    "a LoRA of other shapes": (with_lora(lora((2, 5), (5, 2))), "size mismatch for mid_block"),
    "a LoRA on one axis": (with_lora(lora((2,), (32,))), "loras: expected a LoRA for SDXL at style.safetensors, but"),
    "a LoRA of another network": (with_lora(lora((2, 5), (5, 2), "unet.no.where")), "Target modules {"),
    "a folder without a LoRA": (with_lora(Path.mkdir, "style"), "loras: expected a LoRA for SDXL at style, but"),
}

MODELS: Cases = {
    "a base that is not there": (
        with_model(lambda _: None, "absent"),
        "Expected a folder, a .safetensors file or a hub repository owner/name, but there is no absent",
    ),
    "a base that is an empty folder": (with_model(Path.mkdir, "model"), "model cannot be loaded as one"),
    "a base that is text": (
        with_model(lambda file: file.write_text("no model"), "model.safetensors"),
        "model.safetensors cannot be loaded as one",
    ),
    "a ControlNet that is an empty folder": (with_model(Path.mkdir, "model", "--controlnet"), "model cannot be loaded"),
    "a VAE that is text": (
        with_model(lambda file: file.write_text("no model"), "model.safetensors", "--vae"),
        "model.safetensors cannot be loaded as one",
    ),
}
