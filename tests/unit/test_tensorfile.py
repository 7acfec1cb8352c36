import json
import struct

import pytest
import torch
from safetensors import SafetensorError

from multiid.errors import IdentityError, OutputError
from multiid.people import tensorfile
from multiid.people.tensorfile import fingerprint, read_tensors, write_tensors

TENSORS = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor([0.5])}
ABOUT = {"who": "Ägnes", "format": 1, "more": [1, 2]}


def test_what_is_written_is_read(tmp_path):
    write_tensors(tmp_path / "file", TENSORS, ABOUT)
    tensors, about = read_tensors(tmp_path / "file", error=IdentityError)
    assert about == ABOUT
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_same_content_same_bytes(tmp_path):
    write_tensors(tmp_path / "one", TENSORS, ABOUT)
    write_tensors(tmp_path / "two", dict(reversed(TENSORS.items())), dict(reversed(ABOUT.items())))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_shared_and_transposed_memory_is_written(tmp_path):
    base = torch.arange(6.0).reshape(2, 3)
    write_tensors(tmp_path / "file", {"base": base, "part": base[1:], "turned": base.T}, {})
    tensors, _ = read_tensors(tmp_path / "file", error=IdentityError)
    assert torch.equal(tensors["turned"], base.T)
    assert torch.equal(tensors["part"], base[1:])


@pytest.mark.parametrize(
    ("fault", "raised"), [(SafetensorError("disk full\nreally"), OutputError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch, fault, raised):
    def half_written(tensors, path, metadata):
        path.write_text(f"half of {len(tensors)} tensors and {metadata}")
        raise fault

    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(tensorfile, "save_file", half_written)
    with pytest.raises(raised) as error:
        write_tensors(path, TENSORS, ABOUT)
    assert "\n" not in str(error.value)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["absent/file", "file/below", "folder"])
def test_an_impossible_place_is_named(tmp_path, place):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=place.split("/")[0]) as error:
        write_tensors(tmp_path / place, TENSORS, ABOUT)
    assert "\n" not in str(error.value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]


def header(text: str) -> bytes:
    data = json.dumps({"__metadata__": {"multiid": text}}).encode()
    return struct.pack("<Q", len(data)) + data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be read"),
        (b"\x80\x04N.", "cannot be read"),
        (header("{nonsense"), "cannot be read"),
        (header("[1]"), "JSON object.*got list"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, data, message):
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(IdentityError, match=message) as error:
        read_tensors(tmp_path / "file", error=IdentityError)
    assert "\n" not in str(error.value)
    assert str(tmp_path / "file") in str(error.value)


def test_fingerprint_knows_values_names_and_shapes_only():
    half = {name: tensor.half() for name, tensor in TENSORS.items()}
    turned = {"b": TENSORS["b"].T.contiguous().T, "a": TENSORS["a"]}
    print_ = fingerprint(TENSORS)
    assert len(print_) == 64
    assert fingerprint(half) == fingerprint(turned) == fingerprint(dict(reversed(TENSORS.items()))) == print_
    others = [
        TENSORS | {"a": torch.tensor([0.25])},
        TENSORS | {"b": TENSORS["b"].reshape(3, 2)},
        {"b": TENSORS["b"], "c": TENSORS["a"]},
        {"b": TENSORS["b"]},
        {},
    ]
    assert len({fingerprint(other) for other in others} | {print_}) == 6
