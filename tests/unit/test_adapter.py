import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
from golden import golden_lora_state_dict, golden_unet
from small import small_encoder, small_encoder_v2

from multiid.errors import CheckpointError, OutputError
from multiid.people.adapter import Adapter
from multiid.people.encoders import IDEncoder

PARTS = dict.fromkeys(("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))


@pytest.fixture(scope="module")
def lora():
    return golden_lora_state_dict(golden_unet())


@pytest.fixture
def pipeline():
    return StableDiffusionXLPipeline(**PARTS, unet=golden_unet(), scheduler=EulerDiscreteScheduler())


def bin_file(path, encoder, lora):
    torch.save({"id_encoder": encoder.state_dict(), "lora_weights": lora}, path)
    return path


@pytest.mark.parametrize(("make", "version"), [(small_encoder, "v1"), (small_encoder_v2, "v2")])
@torch.no_grad()
def test_both_file_forms_give_the_same_adapter(tmp_path, lora, make, version):
    adapter = Adapter(make(), lora)
    adapter.save(tmp_path / "adapter.safetensors")
    saved = Adapter.load(tmp_path / "adapter.safetensors")
    published = Adapter.load(bin_file(tmp_path / "adapter.bin", adapter.encoder, lora))

    assert saved.version == published.version == adapter.version == version
    assert saved.fingerprint == published.fingerprint == adapter.fingerprint
    pixels, faces = torch.randn(2, 3, 28, 28), torch.randn(2, 512)
    for other in (saved, published):
        assert all(torch.equal(other.lora[name], lora[name]) for name in lora)
        assert torch.equal(other.encoder.embed(pixels, faces), adapter.encoder.embed(pixels, faces))


@pytest.mark.parametrize(
    "encoder", [small_encoder(vision_heads=4), small_encoder_v2(vision_heads=4, perceiver_heads=2)], ids=["v1", "v2"]
)
def test_save_keeps_what_shapes_do_not_tell(tmp_path, lora, encoder):
    Adapter(encoder, lora).save(tmp_path / "adapter.safetensors")
    assert Adapter.load(tmp_path / "adapter.safetensors").encoder.config == encoder.config


def test_saves_the_same_bytes(tmp_path, lora):
    adapter = Adapter(small_encoder(), lora)
    adapter.save(tmp_path / "one")
    Adapter.load(tmp_path / "one").save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_unwritable_place_is_named(tmp_path, lora):
    with pytest.raises(OutputError, match="absent"):
        Adapter(small_encoder(), lora).save(tmp_path / "absent" / "adapter.safetensors")


def test_fingerprint_tells_encoders_apart_and_outlives_dtype_moves(tmp_path, lora):
    encoder = small_encoder().half()
    path = bin_file(tmp_path / "half.bin", encoder, lora)
    adapter = Adapter.load(path)
    before = adapter.fingerprint
    assert adapter.to(dtype=torch.bfloat16).fingerprint == before
    assert Adapter.load(path).fingerprint == before
    assert Adapter(encoder.float(), {}).fingerprint == before
    with torch.no_grad():
        encoder.fuse_module.layer_norm.bias[0] += 1e-3
    assert Adapter(encoder, lora).fingerprint != before


def test_an_adapter_without_lora_can_be_made_saved_and_loaded(tmp_path, pipeline):
    """A UNet that was trained as a whole needs none; a published checkpoint without one is broken."""
    adapter = Adapter(small_encoder(), {})
    adapter.install(pipeline)
    adapter.uninstall(pipeline)
    assert pipeline.get_list_adapters() == {}
    adapter.save(tmp_path / "adapter.safetensors")
    assert Adapter.load(tmp_path / "adapter.safetensors").lora == {}
    with pytest.raises(CheckpointError, match="holds none"):
        Adapter.load(bin_file(tmp_path / "adapter.bin", adapter.encoder, {}))


def test_a_lora_that_would_load_nothing_is_refused_at_once(tmp_path, lora):
    bare = {name.removeprefix("unet."): tensor for name, tensor in lora.items()}
    with pytest.raises(CheckpointError, match="down_blocks"):
        Adapter.load(bin_file(tmp_path / "adapter.bin", small_encoder(), bare))


def test_installs_once_for_all_adapters_of_one_checkpoint(tmp_path, pipeline, lora):
    path = bin_file(tmp_path / "adapter.bin", small_encoder(), lora)
    before = repr(pipeline.unet)
    first, second = Adapter.load(path), Adapter.load(path)
    first.install(pipeline)
    once = repr(pipeline.unet)
    second.install(pipeline)
    first.install(pipeline)
    assert repr(pipeline.unet) == once != before
    assert len(pipeline.get_list_adapters()["unet"]) == 1
    second.uninstall(pipeline)
    assert repr(pipeline.unet) == before


def test_two_checkpoints_take_turns(pipeline, lora):
    one = Adapter(small_encoder(), lora)
    two = Adapter(one.encoder, {name: tensor / 2 for name, tensor in lora.items()})
    one.install(pipeline)
    two.install(pipeline)
    assert len(pipeline.get_list_adapters()["unet"]) == 2
    assert len(pipeline.get_active_adapters()) == 1


@torch.no_grad()
def test_ready_brings_the_encoder_where_it_is_needed(lora):
    adapter = Adapter(small_encoder(), lora)
    with adapter.ready() as encoder:
        assert encoder is adapter.encoder
        assert encoder.dtype == torch.float32
    with adapter.ready(dtype=torch.bfloat16) as encoder:
        assert {parameter.dtype for parameter in encoder.parameters()} == {torch.bfloat16}
        assert encoder.embed(torch.randn(1, 3, 28, 28)).dtype == torch.bfloat16


class Travelling(IDEncoder):
    """Notes where it is sent: this machine may have one device only."""

    def to(self, **where):
        self.__dict__.setdefault("journey", []).append(where)
        return super().to(**where)


@pytest.mark.parametrize(("release", "moves"), [(True, 2), (False, 1)])
def test_ready_releases_where_asked_also_after_an_exception(lora, release, moves):
    adapter = Adapter(Travelling(small_encoder().config), lora)
    with pytest.raises(RuntimeError, match="interrupted"), adapter.ready(device="cpu:0", release=release):
        raise RuntimeError("interrupted")
    assert adapter.encoder.journey == [{"device": "cpu:0", "dtype": None}, {"device": "cpu", "dtype": None}][:moves]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@torch.no_grad()
def test_follows_an_offloaded_pipeline_to_the_gpu_and_back(pipeline, lora):
    adapter = Adapter(small_encoder_v2(), lora)
    pipeline.to(torch.float16)
    pipeline.enable_model_cpu_offload()
    adapter.install(pipeline)
    assert {tensor.dtype for tensor in pipeline.unet.parameters()} == {torch.float16}
    with adapter.ready(device=pipeline._execution_device, dtype=torch.float16, release=True) as encoder:
        embeddings = encoder.embed(torch.randn(2, 3, 28, 28), torch.randn(2, 512))
        fused = encoder.fuse(embeddings.cpu().float(), torch.randn(4, 64, device="cuda"))
        assert fused.device.type == "cuda"
        assert fused.isfinite().all()
    assert adapter.encoder.device.type == "cpu"
    states = torch.randn(1, 9, 2048, dtype=torch.float16, device="cuda")
    conditions = {
        "text_embeds": torch.randn(1, 1280, dtype=torch.float16, device="cuda"),
        "time_ids": torch.randn(1, 6, dtype=torch.float16, device="cuda"),
    }
    latents = torch.randn(1, 4, 16, 16, dtype=torch.float16, device="cuda")
    assert pipeline.unet(latents, 500, states, added_cond_kwargs=conditions).sample.isfinite().all()
