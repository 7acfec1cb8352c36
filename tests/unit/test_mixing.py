"""Mixed identities: everybody's embeddings, heard by shares."""

import itertools
import math
from collections.abc import Mapping

import hypothesis
import pytest
import torch
from hypothesis import strategies

from multiid.errors import EncoderMismatchError, IdentityError
from multiid.people.identity import Identity
from multiid.people.tensorfile import read_tensors

ENCODER = "ab" * 32


def person(name: str, images: int, *, noun: str = "woman", tokens: int = 1, encoder: str = ENCODER) -> Identity:
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    embeddings = torch.randn(images, tokens, 8, generator=generator)
    faces = {"sface": torch.randn(images, 4, generator=generator)}
    return Identity(name, noun, embeddings, encoder, faces)


ADA, ISAAC, GRACE = person("ada", 3), person("isaac", 1), person("grace", 2)


def heard(shares: Mapping[Identity, float]) -> list[float]:
    return Identity.mix("child", shares).loudness.tolist()


def test_the_stack_holds_everybody_as_loudly_as_their_shares() -> None:
    child = Identity.mix("child", {ADA: 0.6, ISAAC: 0.4})
    assert (child.name, child.noun, child.encoder) == ("child", "woman", ENCODER)
    assert torch.equal(child.embeddings, torch.cat([ADA.embeddings, ISAAC.embeddings]))
    # As loud as 0.6 x 3 + 0.4 x 1 = 2.2 photos: 1.32 over Ada's three, 0.88 for Isaac's one.
    assert child.loudness.tolist() == pytest.approx([0.44, 0.44, 0.44, 0.88])


def test_of_people_with_as_many_photos_loudness_is_the_share() -> None:
    assert heard({person("a", 2): 0.75, person("b", 2): 0.25}) == pytest.approx([0.75, 0.75, 0.25, 0.25])


def test_every_token_of_a_photo_is_as_loud_as_the_photo() -> None:
    child = Identity.mix("child", {person("a", 2, tokens=2): 3, person("b", 1, tokens=2): 1})
    assert child.tokens == len(child.loudness) == 6
    loudness = [0.75 * 1.75 / 2] * 4 + [0.25 * 1.75] * 2
    assert child.loudness.tolist() == pytest.approx(loudness)


@pytest.mark.parametrize("share", [1, 0.1, 1e-300, 1e308, 3])
def test_a_mix_of_one_alone_is_exactly_that_person(share: float, tmp_path) -> None:
    alone = Identity.mix("ada", {ADA: share})
    assert alone.fingerprint == ADA.fingerprint
    assert alone.loudness.tolist() == ADA.loudness.tolist() == [1, 1, 1]
    ADA.save(tmp_path / "ada")
    alone.save(tmp_path / "alone")
    assert (tmp_path / "alone").read_bytes() == (tmp_path / "ada").read_bytes()
    mixed = Identity.mix("child", {ADA: 0.7, ISAAC: 0.3})
    again = Identity.mix("child", {mixed: share})
    assert again.fingerprint == mixed.fingerprint
    assert torch.equal(again.loudness, mixed.loudness)


def test_only_proportions_count() -> None:
    first = Identity.mix("child", {ADA: 0.75, ISAAC: 0.25})
    for shares in ({ADA: 3, ISAAC: 1}, {ADA: 1.5e308, ISAAC: 0.5e308}):
        assert Identity.mix("child", shares).loudness.tolist() == pytest.approx(first.loudness.tolist())
    assert Identity.mix("child", {ADA: 0.5, ISAAC: 0.5}).fingerprint != first.fingerprint


@hypothesis.given(
    shares=strategies.lists(strategies.floats(0.01, 100), min_size=3, max_size=3),
    photos=strategies.lists(strategies.integers(1, 5), min_size=3, max_size=3),
)
def test_each_persons_part_of_the_whole_is_their_share(shares: list[float], photos: list[int]) -> None:
    people = [person(name, number) for name, number in zip("abc", photos, strict=True)]
    parts = Identity.mix("child", dict(zip(people, shares, strict=True))).loudness.split(photos)
    wholes = torch.tensor([part.sum() for part in parts])
    torch.testing.assert_close(wholes / wholes.sum(), torch.tensor(shares) / sum(shares), atol=1e-5, rtol=1e-4)
    # As loud as one person: the mean of theirs.
    mean = sum(share * number for share, number in zip(shares, photos, strict=True)) / sum(shares)
    assert wholes.sum().item() == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize("inner", [0.5, 0.9])
@pytest.mark.parametrize("outer", [0.25, 0.8])
def test_a_mix_of_mixes_is_the_mix_of_the_people_in_them(inner: float, outer: float) -> None:
    parents = Identity.mix("parents", {ADA: inner, ISAAC: 1 - inner})
    child = Identity.mix("child", {parents: outer, GRACE: 1 - outer})
    flat = Identity.mix("child", {ADA: inner * outer, ISAAC: (1 - inner) * outer, GRACE: 1 - outer})
    assert torch.equal(child.embeddings, flat.embeddings)
    torch.testing.assert_close(child.loudness, flat.loudness)


def test_its_face_points_between_the_peoples() -> None:
    def likeness(share: float) -> list[float]:
        child = Identity.mix("child", {ADA: share, ISAAC: 1 - share})
        assert child.face_embeddings["sface"].shape == (1, 4)
        return [
            torch.cosine_similarity(
                child.face_embeddings["sface"][0],
                torch.nn.functional.normalize(parent.face_embeddings["sface"]).mean(dim=0),
                dim=0,
            ).item()
            for parent in (ADA, ISAAC)
        ]

    steps = [likeness(share) for share in (0.9, 0.5, 0.1)]
    for before, after in itertools.pairwise(steps):
        assert before[0] > after[0]
        assert before[1] < after[1]


def test_faces_that_not_all_have_are_left_out() -> None:
    stranger = Identity("eve", "woman", torch.ones(1, 1, 8), ENCODER, {"mini": torch.ones(1, 4)})
    assert Identity.mix("child", {ADA: 1, stranger: 1}).face_embeddings == {}


def test_comes_back_from_its_file(tmp_path) -> None:
    child = Identity.mix("child", {ADA: 0.6, ISAAC: 0.4}, noun="girl")
    child.save(tmp_path / "child")
    back = Identity.load(tmp_path / "child")
    assert (back.name, back.noun, back.fingerprint) == ("child", "girl", child.fingerprint)
    assert torch.equal(back.loudness, child.loudness)
    back.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "child").read_bytes()


def test_only_a_mix_needs_the_second_format(tmp_path) -> None:
    """So versions of multiid that know no mixes go on reading all other files, and say what is wrong with a mix."""
    for name, identity in {"ada": ADA, "child": Identity.mix("child", {ADA: 1, ISAAC: 1})}.items():
        identity.save(tmp_path / name)
    plain, mixed = (read_tensors(tmp_path / name, error=IdentityError) for name in ("ada", "child"))
    assert plain[1]["identity"] == 1
    assert "photo_loudness" not in plain[0]
    assert mixed[1]["identity"] == 2
    assert mixed[0]["photo_loudness"].tolist() == pytest.approx([1 / 3] * 3 + [1], rel=1e-6)


def test_nouns_that_differ_need_one_for_the_mix() -> None:
    isaac = person("isaac", 1, noun="man")
    with pytest.raises(IdentityError, match=r"class noun for child.*\(woman, man\): give one"):
        Identity.mix("child", {ADA: 0.6, isaac: 0.4})
    assert Identity.mix("child", {ADA: 0.6, isaac: 0.4}, noun="boy").noun == "boy"
    assert Identity.mix("child", {ADA: 0.6, ISAAC: 0.4}, noun="girl").noun == "girl"
    with pytest.raises(IdentityError, match="class noun"):
        Identity.mix("child", {ADA: 1}, noun="")


@pytest.mark.parametrize("share", [0.0, -1.0, math.nan, math.inf])
def test_shares_that_are_not_above_zero_are_refused(share: float) -> None:
    with pytest.raises(IdentityError, match="share above 0 for isaac"):
        Identity.mix("child", {ADA: 1, ISAAC: share})


def test_shares_too_far_apart_to_be_told_are_refused() -> None:
    with pytest.raises(IdentityError, match="shares that lie nearer"):
        Identity.mix("child", {ADA: 1, ISAAC: 1e-60})


def test_nobody_cannot_be_mixed() -> None:
    with pytest.raises(IdentityError, match="at least one identity to make child of"):
        Identity.mix("child", {})


def test_people_of_different_encoders_are_refused() -> None:
    other = person("eve", 1, encoder="cd" * 32)
    with pytest.raises(EncoderMismatchError, match=r"ada was made by abababababab and eve by cdcdcdcdcdcd") as error:
        Identity.mix("child", {ADA: 1, other: 1})
    assert "\n" not in str(error.value)
    forged = Identity("eve", "woman", torch.ones(1, 1, 4), ENCODER)
    with pytest.raises(IdentityError, match="of one shape"):
        Identity.mix("child", {ADA: 1, forged: 1})
