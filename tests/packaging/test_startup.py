"""Starting up is quick because heavy libraries wait until they are used."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = (
    "accelerate", "controlnet_aux", "cv2", "diffusers", "huggingface_hub", "insightface", "jaxtyping", "numpy",
    "onnxruntime", "peft", "PIL", "pydantic", "safetensors", "scipy", "skimage", "tokenizers", "torch", "transformers",
    "yaml",
)  # fmt: skip

LOADED = "import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"


def started(code: str, tmp_path: Path) -> tuple[set[str], float]:
    """The packages that a fresh interpreter has loaded after some code, and how long it took."""
    begin = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    return set(json.loads(result.stdout.splitlines()[-1])), time.perf_counter() - begin


def command(*arguments: str) -> str:
    return f"from multiid.cli import main\ntry: main({list(arguments)})\nexcept SystemExit: pass"


CASES = {
    "import multiid": "import multiid",
    "multiid --help": command("--help"),
    "multiid compose --help": command("compose", "--help"),
    "multiid people add --help": command("people", "add", "--help"),
    "wrong usage": command("compose", "-o", "tea.png"),
    "an error": "import multiid\ntry: raise multiid.PhotoError\nexcept multiid.MultiIDError: pass",
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_heavy_is_loaded(case: str, tmp_path: Path) -> None:
    loaded, seconds = started(CASES[case], tmp_path)
    print(f"{case}: {seconds:.2f} s, {len(loaded)} packages")
    assert "multiid" in loaded
    assert not loaded & set(HEAVY)


def test_a_name_loads_what_it_needs(tmp_path: Path) -> None:
    """Without this the list above could be wrong unseen."""
    loaded, seconds = started("import multiid; multiid.Composer", tmp_path)
    print(f"multiid.Composer: {seconds:.2f} s")
    assert {"torch", "diffusers", "transformers", "pydantic", "PIL"} <= loaded
    assert not loaded & {"controlnet_aux", "insightface", "onnxruntime", "skimage"}
