"""What stands for CLIP-T in the miniature's world, on pictures whose truth is known."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
import torch
from minis import SHIPPED
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

from multiid.mini.faces import MiniFaces
from multiid.mini.figures.judges import train_place_judge
from multiid.mini.reading_back import WordReader, asked_words
from multiid.mini.world.dice import Dice
from multiid.mini.world.groups import make_group
from multiid.mini.world.people import make_person
from multiid.mini.world.scene import Cast, Scene, cast_pose, draw_scene
from multiid.mini.world.words import GARMENTS, PLACES, Clothes


@pytest.fixture(scope="module")
def faces() -> MiniFaces:
    return MiniFaces()


@pytest.fixture(scope="module")
def reader(faces: MiniFaces) -> WordReader:
    return WordReader(faces, train_place_judge(scenes=150))


def words(scene: Scene) -> str:
    """A scene with everybody's phrase."""
    return f"{' and '.join(person.phrase for person in scene.people)} {scene.place}"


def test_words_that_can_be_read() -> None:
    asked = asked_words("a photo of an old woman in a red coat, a woman, an old man in a green hat and a boy at home")
    assert asked == Counter(["old woman", "old woman in red", "woman", "old man", "boy", "at home"])
    assert asked_words("two dogs in the rain") == Counter()
    assert asked_words("a man in an orange shirt in a garden") == Counter(["man", "man in orange", "in a garden"])
    assert asked_words("a man and a man and a manatee") == Counter({"man": 2})
    for place in PLACES.values():
        assert asked_words(f"a woman {place}")[place] == 1


def test_true_renders_show_what_they_are_of(reader: WordReader) -> None:
    """And much less of what another scene of as many people is of."""
    dice, right, wrong = Dice("words read back", 0), [], []
    for people in (1, 2, 3, 4) * 4:
        pose = make_group(people, dice.seed())
        scene, other = (draw_scene(pose, cast_pose(pose, seed=dice.seed()), seed=1) for _ in range(2))
        right.append(reader.score(scene.picture, words(scene), scene))
        wrong.append(reader.score(scene.picture, words(other), scene))
    print(f"of true renders {np.mean(right):.3f} of the words are read back, of others' words {np.mean(wrong):.3f}")
    assert np.mean(right) > 0.95
    assert np.mean(wrong) < 0.5


def test_each_word_counts(reader: WordReader) -> None:
    """Two people, their colours and the place are five words."""
    pose = make_group(2, 3)
    man, woman = make_person(11, gender="male", age="adult"), make_person(2, gender="female", age="adult")
    cast = Cast((man, woman), (Clothes("red", GARMENTS[0]), Clothes("blue", GARMENTS[0])), "beach")
    scene = draw_scene(pose, cast, seed=4)
    assert reader.score(scene.picture, words(scene), scene) == 1
    elsewhere = draw_scene(pose, replace(cast, place="forest"), seed=4)
    assert reader.score(elsewhere.picture, words(scene), scene) == pytest.approx(4 / 5)
    other = replace(cast, clothes=(Clothes("green", GARMENTS[0]), cast.clothes[1]))
    assert reader.score(draw_scene(pose, other, seed=4).picture, words(scene), scene) == pytest.approx(4 / 5)
    # Nobody is there: only the place is shown.
    alone = PIL.Image.fromarray(np.where(scene.labels[..., None] > 0, 128, np.asarray(scene.picture)).astype(np.uint8))
    assert reader.score(alone, words(scene), scene) == pytest.approx(1 / 5)
    assert reader.score(alone, scene.place, scene) == 1
    assert math.isnan(reader.score(alone, "two dogs", scene))


def test_vectors_of_texts_tell_nothing() -> None:
    """Why words are compared and not the text encoder's vectors: all captions are alike to it."""
    words = CLIPTokenizer.from_pretrained(SHIPPED / "tokenizer_2")
    encoder = CLIPTextModelWithProjection.from_pretrained(SHIPPED / "text_encoder_2").float()
    captions = ["a man in a red coat and a boy at the beach", "an old woman, a girl and a woman on the moon"]
    with torch.inference_mode():
        tokens = words(captions, padding="max_length", return_tensors="pt")
        one, other = encoder(tokens.input_ids).text_embeds
    cosine = float(torch.nn.functional.cosine_similarity(one, other, dim=0))
    print(f"the cosine of two captions without a word in common is {cosine:.4f}")
    assert cosine > 0.9
