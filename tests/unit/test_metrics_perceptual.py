"""LPIPS and FID through torchmetrics, with networks of random weights where published ones would lie."""

import math
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from multiid.errors import MissingExtraError, ModelFileError
from multiid.evaluation.perceptual import FID_NETWORK, LPIPS, fid, frechet_distance
from multiid.evaluation.pictures import PictureDistance, face_diversity


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where torch keeps fetched weights, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def noise(seed: int, *, side: int = 64, brightest: int = 256) -> PIL.Image.Image:
    values = np.random.default_rng(seed).integers(0, brightest, (side, side, 3), dtype=np.uint8)
    return PIL.Image.fromarray(values)


def test_frechet_distance_of_numbers() -> None:
    """0 and 2: mean 1, variance 2. 1 and 5: mean 3, variance 8. (1 - 3)^2 + 2 + 8 - 2 sqrt(2 * 8) = 6."""
    pytest.importorskip("torchmetrics")
    assert frechet_distance(np.array([[0.0], [2.0]]), np.array([[1.0], [5.0]])) == pytest.approx(6)
    assert frechet_distance(np.array([[1.0], [5.0]]), np.array([[0.0], [2.0]])) == pytest.approx(6)
    assert math.isnan(frechet_distance(np.array([[0.0]]), np.array([[1.0], [5.0]])))


def test_frechet_distance_of_sets_of_vectors() -> None:
    """The same set is 0 apart; moved by (3, 4) it is 25; the order does not matter, nor who is read first."""
    pytest.importorskip("torchmetrics")
    vectors = np.random.default_rng(0).normal(size=(50, 2))
    assert frechet_distance(vectors, vectors[::-1].copy()) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(vectors, vectors + np.array([3.0, 4.0])) == pytest.approx(25)
    # Twice as wide: each variance v becomes 4 v, and v + 4 v - 2 sqrt(4 v^2) = v.
    middle = vectors - vectors.mean(axis=0)
    assert frechet_distance(middle, 2 * middle) == pytest.approx(float(np.trace(np.cov(middle.T))))


def test_lpips(cache: Path) -> None:
    torchvision = pytest.importorskip("torchvision")
    pytest.importorskip("torchmetrics")
    torch.manual_seed(0)
    torch.save(torchvision.models.squeezenet1_1().state_dict(), cache / "squeezenet1_1-b8a52dc0.pth")
    lpips = LPIPS("squeeze")
    assert isinstance(lpips, PictureDistance)
    assert (lpips.name, LPIPS().name) == ("LPIPS squeeze", "LPIPS alex")
    one, other = noise(0), noise(1, brightest=100)
    assert lpips.distance(one, one) == 0
    apart = lpips.distance(one, other)
    assert apart > 0
    assert lpips.distance(other, one) == pytest.approx(apart)
    assert face_diversity([one, one, other], distance=lpips) == pytest.approx(apart * 2 / 3, rel=1e-5)


@pytest.mark.slow
def test_fid(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3").FeatureExtractorInceptionV3
    pytest.importorskip("torchmetrics")
    torch.manual_seed(0)
    file = cache / FID_NETWORK.split()[-1]
    torch.save({}, file)
    with monkeypatch.context() as patch:
        patch.setattr(extractor, "load_state_dict", lambda *_: None)  # keeps its random weights
        weights = extractor("inception-v3-compat", ["2048"], str(file)).state_dict()
    torch.save(weights, file)
    real, other = [noise(0), noise(1)], [noise(2, brightest=60), noise(3, brightest=60)]
    assert math.isnan(fid(real[:1], other))
    same, apart = fid(real, real), fid(real, other)
    print(f"FID of pictures and themselves {same:.2e}, and others {apart:.2e}")
    assert same < apart / 100


def test_damaged_weights_are_refused(cache: Path) -> None:
    """Both networks are looked for in torch's cache; what lies there is no network."""
    pytest.importorskip("torch_fidelity")
    pytest.importorskip("torchmetrics")
    squeezenet, inception = cache / "squeezenet1_1-b8a52dc0.pth", cache / FID_NETWORK.split()[-1]
    squeezenet.write_bytes(b"no network")
    inception.write_bytes(b"no network")
    with pytest.raises(ModelFileError) as caught:
        LPIPS("squeeze").distance(noise(0), noise(1))
    assert f"put the file at {squeezenet}." in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelFileError) as caught:
        fid([noise(0)] * 2, [noise(1)] * 2)
    assert f"put the file at {inception}." in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_the_optional_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("torchmetrics.image.fid", "torchmetrics.image.lpip"):
        monkeypatch.setitem(sys.modules, module, None)
    install = r'pip install "multiid\[metrics\]"'
    with pytest.raises(MissingExtraError, match=install):
        frechet_distance(np.zeros((2, 1)), np.zeros((2, 1)))
    with pytest.raises(MissingExtraError, match=install):
        fid([noise(0)] * 2, [noise(1)] * 2)
    with pytest.raises(MissingExtraError, match=install):
        LPIPS("squeeze").distance(noise(0), noise(1))
