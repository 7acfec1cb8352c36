import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from small import small_encoder, small_encoder_v2

from multiid.errors import CheckpointError
from multiid.people.checkpoint import Checkpoint, read_checkpoint
from multiid.people.encoders import IDEncoderV2
from multiid.people.rebuild import build_encoder

LORA = {
    "unet.mid.attn1.processor.to_q_lora.down.weight": torch.ones(4, 8),
    "unet.mid.attn1.processor.to_q_lora.up.weight": torch.ones(8, 4),
}


def content(encoder=None, **changes):
    return {"id_encoder": dict((encoder or small_encoder()).state_dict()), "lora_weights": dict(LORA)} | changes


def torch_file(path, parts):
    torch.save(parts, path)
    return path


def flat_file(path, parts):
    save_file({f"{key}.{name}": tensor for key, part in parts.items() for name, tensor in part.items()}, path)
    return path


@pytest.mark.parametrize("write", [torch_file, flat_file])
@pytest.mark.parametrize("make", [small_encoder, small_encoder_v2])
@torch.no_grad()
def test_gives_the_encoder_back_whose_weights_it_holds(tmp_path, write, make):
    encoder = make()
    path = write(tmp_path / "any name at all", content(encoder))  # the content tells the form, not the suffix

    checkpoint = read_checkpoint(path)
    rebuilt = build_encoder(checkpoint)

    assert type(rebuilt) is type(encoder)
    assert rebuilt.config == encoder.config
    assert checkpoint.lora.keys() == LORA.keys()
    pixels, faces = torch.randn(2, 3, 28, 28), torch.randn(2, 512)
    assert torch.equal(rebuilt.embed(pixels, faces), encoder.embed(pixels, faces))
    assert not rebuilt.training
    assert not any(parameter.requires_grad for parameter in rebuilt.parameters())


def test_published_names_and_sizes_are_understood():
    """The whole of photomaker-v2.bin but for the values: nothing but shapes is needed to know the encoder."""
    with torch.device("meta"):
        weights = IDEncoderV2().state_dict()
    strided = {name: torch.zeros(1).expand(tensor.shape) for name, tensor in weights.items()}
    encoder = build_encoder(Checkpoint(strided, {}))
    with torch.device("meta"):
        assert encoder.config == IDEncoderV2().config


def test_older_files_with_position_ids_are_read(tmp_path):
    encoder = small_encoder()
    parts = content(encoder)
    parts["id_encoder"]["vision_model.embeddings.position_ids"] = torch.arange(5).unsqueeze(0)
    rebuilt = build_encoder(read_checkpoint(torch_file(tmp_path / "old.bin", parts)))
    assert rebuilt.state_dict().keys() == encoder.state_dict().keys()


def test_half_precision_is_held_in_single(tmp_path):
    path = torch_file(tmp_path / "half.bin", content(small_encoder().half()))
    assert build_encoder(read_checkpoint(path)).dtype == torch.float32


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


@pytest.mark.parametrize("form", ["zip", "pickle", "nested"])
def test_code_in_a_file_is_named_and_never_run(tmp_path, form):
    marker, path = tmp_path / "ran", tmp_path / "code.bin"
    bad = Malicious(marker)
    if form == "pickle":
        path.write_bytes(pickle.dumps(bad, protocol=2))
    else:
        torch.save(bad if form == "zip" else content(lora_weights={"unet.x": bad}), path)
    with pytest.raises(
        CheckpointError, match=r"code\.bin asks to run code \((_?io|__builtin__|builtins)\.open\)"
    ) as error:
        read_checkpoint(path)
    assert "\n" not in str(error.value)
    assert not marker.exists()


def truncated(path, write):
    whole = write(path, content()).read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    return path


def written(path, data):
    path.write_bytes(data)
    return path


def folder(path):
    path.mkdir()
    return path


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no weights here")
    return path


MALFORMED = {
    "absent": (lambda p: p, r"No such file.*Check the path"),
    "folder": (folder, r"Is a directory"),
    "empty": (lambda p: written(p, b""), r"is empty"),
    "text": (lambda p: written(p, b"<html>404: not found</html>"), r"neither.*photomaker-v1\.bin"),
    "photo": (lambda p: written(p, b"\xff\xd8\xff\xe0\x00\x10JFIF"), r"neither"),
    "other zip": (zipped, r"truncated or damaged"),
    "truncated torch": (lambda p: truncated(p, torch_file), r"truncated or damaged"),
    "truncated safetensors": (lambda p: truncated(p, flat_file), r"cannot be read"),
    "long header": (lambda p: written(p, b"\xff" * 8 + b"{}"), r"cannot be read"),
    "a tensor": (lambda p: torch_file(p, torch.ones(3)), r"keys id_encoder and lora_weights.*holds Tensor"),
    "another model": (lambda p: torch_file(p, {"conv.weight": torch.ones(3)}), r"holds conv\.weight"),
    "half of it": (lambda p: torch_file(p, {"id_encoder": {}}), r"holds id_encoder\."),
    "one key more": (lambda p: torch_file(p, content(extra={})), r"holds id_encoder, lora_weights, extra"),
    "a list": (lambda p: torch_file(p, content(lora_weights=[1])), r"lora_weights .* dict of tensors, but got list"),
    "a number": (lambda p: torch_file(p, content(id_encoder={"x": 3})), r"named tensors in id_encoder.*int at 'x'"),
    "whole numbers": (lambda p: torch_file(p, content(lora_weights={"x": torch.arange(3)})), r"x is torch\.int64"),
    "no LoRA": (lambda p: torch_file(p, content(lora_weights={})), r"LoRA weights, but .* holds none"),
    "strange names": (
        lambda p: flat_file(p, {"unet": {"x": torch.ones(3)}}),
        r"begin with id_encoder\..*holds unet\.x",
    ),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_files_get_one_clear_line(tmp_path, kind):
    make, message = MALFORMED[kind]
    path = make(tmp_path / "adapter.bin")
    with pytest.raises(CheckpointError, match=message) as error:
        read_checkpoint(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def without(weights, *names):
    return {name: tensor for name, tensor in weights.items() if name not in names}


UNFIT = {
    "missing": (lambda w: without(w, "visual_projection_2.weight", "fuse_module.mlp1.fc1.bias"), r"2 missing \("),
    "unexpected": (lambda w: w | {"text_model.x": torch.ones(3)}, r"1 unexpected \(text_model\.x\)"),
    "both": (
        lambda w: without(w, "fuse_module.layer_norm.bias") | {"x": torch.ones(3)},
        r"missing .* and \d+ unexpected",
    ),
    "shape": (lambda w: w | {"fuse_module.mlp1.fc1.weight": torch.ones(3, 3)}, r"1 of another shape \(fuse_module"),
    "axes": (lambda w: w | {"vision_model.embeddings.patch_embedding.weight": torch.tensor(3.0)}, r"too few axes"),
    "nothing": (lambda _: {}, r"407 missing"),
    "layer left out": (
        lambda w: {name: tensor for name, tensor in w.items() if ".layers.0." not in name},
        r"16 missing .* and 16 unexpected",
    ),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_weights_of_no_id_encoder_are_refused_and_listed(tmp_path, kind):
    make, message = UNFIT[kind]
    path = torch_file(tmp_path / "adapter.bin", content(id_encoder=make(dict(small_encoder().state_dict()))))
    with pytest.raises(CheckpointError, match=message) as error:
        build_encoder(read_checkpoint(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("heads", ["four", 3.0, -1, 7, [2], 10**12])
def test_impossible_numbers_of_heads_are_refused(heads):
    with pytest.raises(CheckpointError, match=r"vision_(heads|width)"):
        build_encoder(Checkpoint(small_encoder().state_dict(), LORA, {"vision_heads": heads}))
