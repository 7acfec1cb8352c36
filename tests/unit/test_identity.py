import dataclasses
import math

import pytest
import torch
from safetensors.torch import save_file

from multiid.errors import EncoderMismatchError, IdentityError, OutputError
from multiid.people.identity import Identity
from multiid.people.tensorfile import read_tensors, write_tensors

EMBEDDINGS = torch.linspace(-1, 1, 3 * 2 * 8).reshape(3, 2, 8)
ENCODER = "ab" * 32


def ada(**changes):
    fields = {
        "name": "ada",
        "noun": "woman",
        "embeddings": EMBEDDINGS,
        "encoder": ENCODER,
        "face_embeddings": {"sface": torch.ones(2, 4), "insightface-buffalo_l": torch.zeros(3, 5)},
    }
    return Identity(**fields | changes)


def test_counts():
    assert ada().images == 3
    assert ada().tokens == 6


def test_comes_back_from_its_file(tmp_path):
    ada().save(tmp_path / "ada.safetensors")
    back = Identity.load(tmp_path / "ada.safetensors")
    assert (back.name, back.noun, back.encoder) == ("ada", "woman", ENCODER)
    assert torch.equal(back.embeddings, EMBEDDINGS)
    assert back.face_embeddings.keys() == ada().face_embeddings.keys()
    assert torch.equal(back.face_embeddings["sface"], torch.ones(2, 4))
    assert back.fingerprint == ada().fingerprint


def test_same_identity_same_bytes(tmp_path):
    ada().save(tmp_path / "one")
    swapped = dict(reversed(ada().face_embeddings.items()))
    Identity.load(tmp_path / "one").save(tmp_path / "two")
    ada(face_embeddings=swapped).save(tmp_path / "three")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() == (tmp_path / "three").read_bytes()


def test_the_file_holds_nothing_else(tmp_path):
    ada().save(tmp_path / "ada.safetensors")
    tensors, about = read_tensors(tmp_path / "ada.safetensors", error=IdentityError)
    assert set(about) == {"identity", "name", "noun", "encoder"}
    assert set(tensors) == {"embeddings", "face_embeddings.sface", "face_embeddings.insightface-buffalo_l"}


def test_saving_replaces_whole_or_not_at_all(tmp_path):
    path = tmp_path / "ada.safetensors"
    path.write_bytes(b"old")
    ada().save(path)
    assert Identity.load(path).name == "ada"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OutputError, match="absent"):
        ada().save(tmp_path / "absent" / "ada.safetensors")
    assert list(tmp_path.iterdir()) == [path]


def test_fingerprint_is_the_persons_not_the_names():
    assert ada().fingerprint == ada(name="augusta", noun="lady", face_embeddings={}).fingerprint
    assert ada().fingerprint != ada(embeddings=EMBEDDINGS * 1.001).fingerprint
    assert ada().fingerprint != ada(embeddings=EMBEDDINGS.flip(0)).fingerprint
    assert ada().fingerprint != ada(embeddings=EMBEDDINGS.reshape(6, 1, 8)).fingerprint
    assert ada().fingerprint != ada(encoder="cd" * 32).fingerprint


def test_is_frozen_and_keeps_its_own_copy():
    embeddings, faces = EMBEDDINGS.clone(), {"sface": torch.ones(2, 4)}
    identity = ada(embeddings=embeddings, face_embeddings=faces)
    before = identity.fingerprint
    embeddings.zero_()
    faces["sface"].zero_()
    faces["other"] = torch.ones(1, 1)
    assert identity.fingerprint == before
    assert identity.face_embeddings.keys() == {"sface"}
    assert identity.face_embeddings["sface"].sum() == 8
    with pytest.raises(dataclasses.FrozenInstanceError):
        identity.name = "eve"  # pyright: ignore[reportAttributeAccessIssue]
    renamed = dataclasses.replace(identity, name="eve")
    assert (renamed.name, renamed.fingerprint) == ("eve", before)


def test_is_held_in_single_precision_without_gradients():
    identity = ada(embeddings=EMBEDDINGS.half().requires_grad_())
    assert identity.embeddings.dtype == torch.float32
    assert not identity.embeddings.requires_grad


def test_only_its_own_encoder_is_accepted():
    ada().require(ENCODER)
    with pytest.raises(EncoderMismatchError, match=r"ada .*cdcdcdcdcdcd.*abababababab.*again from its photos") as error:
        ada().require("cd" * 32)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["ada", "Ada_2", "jean-luc", "2pac", "李清照", "Ζωή", "आदा", "_"])
def test_names_of_any_script_are_taken(name, tmp_path):
    ada(name=name).save(tmp_path / "file")
    assert Identity.load(tmp_path / "file").name == name


@pytest.mark.parametrize("name", ["", "ada lovelace", "{ada}", "a.b", "ada\n", "a/b", "🙂"])
def test_names_that_cannot_stand_in_prompts_are_refused(name):
    with pytest.raises(IdentityError, match="letters, digits, - and _"):
        ada(name=name)


@pytest.mark.parametrize("noun", ["woman", "old man", "mother-in-law", "men's coach", "女性"])
def test_nouns_of_several_words_are_taken(noun):
    assert ada(noun=noun).noun == noun


@pytest.mark.parametrize("noun", ["", " ", "old  man", " man", "man\n", "{man}", "man, woman", "man (tall)"])
def test_nouns_that_cannot_stand_in_prompts_are_refused(noun):
    with pytest.raises(IdentityError, match="class noun"):
        ada(noun=noun)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"embeddings": torch.zeros(0, 1, 8)}, r"none empty.*\(0, 1, 8\)"),
        ({"embeddings": torch.zeros(2, 0, 8)}, r"none empty"),
        ({"embeddings": EMBEDDINGS * math.nan}, "finite"),
        ({"embeddings": EMBEDDINGS / 0}, "finite"),
        ({"embeddings": EMBEDDINGS.double() * 1e300}, "finite"),
        ({"face_embeddings": {"sface": torch.full((2, 4), math.inf)}}, "ada's sface embeddings"),
        ({"face_embeddings": {"sface": torch.zeros(0, 4)}}, "ada's sface embeddings"),
        ({"encoder": ""}, "fingerprint"),
    ],
)
def test_values_that_cannot_be_used_are_refused(changes, message):
    with pytest.raises(IdentityError, match=message):
        ada(**changes)


ABOUT = {"identity": 1, "name": "ada", "noun": "woman", "encoder": ENCODER}
TENSORS = {"embeddings": EMBEDDINGS}


def without(key):
    return {name: value for name, value in ABOUT.items() if name != key}


@pytest.mark.parametrize(
    ("tensors", "about", "message"),
    [
        (TENSORS, {}, r"is none: make one with multiid people add"),
        (TENSORS, ABOUT | {"identity": 3}, r"format 3: update multiid"),
        (TENSORS, ABOUT | {"identity": True}, r"is none"),
        (TENSORS, ABOUT | {"identity": 2}, r"damaged.*photo_loudness"),
        (TENSORS | {"photo_loudness": torch.ones(3)}, ABOUT, r"damaged.*photo_loudness"),
        (TENSORS | {"photo_loudness": torch.ones(2)}, ABOUT | {"identity": 2}, r"damaged.*3 photos, but got 2"),
        (TENSORS | {"photo_loudness": torch.zeros(3)}, ABOUT | {"identity": 2}, r"damaged.*loudness above 0"),
        (TENSORS | {"photo_loudness": torch.ones(3, 1)}, ABOUT | {"identity": 2}, r"damaged.*1 ax.s"),
        (TENSORS | {"photo_loudness": torch.full((3,), math.nan)}, ABOUT | {"identity": 2}, r"damaged.*finite"),
        (TENSORS, ABOUT | {"identity": "1"}, r"is none"),
        (TENSORS, without("noun"), r"damaged.*noun"),
        (TENSORS, ABOUT | {"photo": "ada.jpg"}, r"damaged.*photo"),
        (TENSORS, ABOUT | {"name": 3}, r"damaged.*name"),
        (TENSORS, ABOUT | {"name": "a b"}, r"damaged.*'a b'"),
        ({}, ABOUT, r"damaged.*embeddings"),
        (TENSORS | {"photo": torch.ones(3)}, ABOUT, r"damaged.*photo"),
        ({"embeddings": EMBEDDINGS[0]}, ABOUT, r"damaged.*3 axes.*\(2, 8\)"),
        ({"embeddings": EMBEDDINGS * math.nan}, ABOUT, r"damaged.*finite"),
        ({"embeddings": torch.ones(1, 1, 8, dtype=torch.int64)}, ABOUT, r"damaged.*int64"),
        (TENSORS | {"face_embeddings.sface": torch.ones(4)}, ABOUT, r"damaged.*2 axes"),
    ],
)
def test_files_of_another_kind_or_damaged_are_refused(tmp_path, tensors, about, message):
    path = tmp_path / "ada.safetensors"
    write_tensors(path, tensors, about)
    with pytest.raises(IdentityError, match=message) as error:
        Identity.load(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_absent_truncated_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "ada.safetensors"
    with pytest.raises(IdentityError, match="is not there"):
        Identity.load(path)
    with pytest.raises(IdentityError, match="is a folder"):
        Identity.load(tmp_path)
    ada().save(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IdentityError, match="cannot be read"):
        Identity.load(path)
    torch.save({"embeddings": EMBEDDINGS}, path)  # a pickle
    with pytest.raises(IdentityError, match="cannot be read"):
        Identity.load(path)
    save_file(TENSORS, path)
    with pytest.raises(IdentityError, match="is none"):
        Identity.load(path)


def test_its_repr_shows_no_biometric_data():
    identity = Identity(
        "ada", "woman", torch.full((1, 1, 4), 0.12345), "e" * 64, {"sface": torch.full((1, 4), 0.54321)}
    )
    assert "ada" in repr(identity)
    assert "12345" not in repr(identity)
    assert "54321" not in repr(identity)
