"""What stands for CLIP's picture encoder and for LPIPS in the miniature's world."""

import numpy as np
import PIL.Image
import pytest

from multiid.evaluation.encoders import ImageEncoder
from multiid.evaluation.pictures import PictureDistance, face_diversity, image_similarity
from multiid.mini.faces import MiniFaces
from multiid.mini.heads import HeadDistance, HeadEncoder, cut_heads
from multiid.mini.world.people import make_person
from multiid.mini.world.portrait import draw_portrait


def test_heads_tell_who_is_in_a_picture() -> None:
    encoder = HeadEncoder(MiniFaces())
    assert isinstance(encoder, ImageEncoder)
    one, other = make_person(1), make_person(2)
    photos = [draw_portrait(one, seed=seed).picture for seed in range(3)]
    same, unlike = image_similarity([photos[0], draw_portrait(other, seed=9).picture], photos[1:], encoder=encoder)
    print(f"a portrait with others of the same person {same:.3f}, of another person {unlike:.3f}")
    assert same > 0.7 > unlike
    assert np.isnan(encoder.encode_images([PIL.Image.new("RGB", (96, 96))])).all()
    assert np.linalg.norm(encoder.encode_images(photos), axis=1) == pytest.approx([1.0] * 3)


def test_heads_that_look_alike_are_near() -> None:
    """The same portrait is no distance away, another of the same person some, one of somebody else more."""
    distance, faces = HeadDistance(), MiniFaces()
    assert isinstance(distance, PictureDistance)
    heads = []
    for person, seed in ((1, 0), (1, 1), (2, 0)):
        portrait = draw_portrait(make_person(person), seed=seed).picture
        heads += cut_heads(portrait, [faces.analyze(portrait)[0].box])
    assert heads[0].size == (64, 64)
    assert distance.distance(heads[0], heads[0]) == 0
    assert face_diversity(heads[:1] * 3, distance=distance) == 0
    own, others = distance.distance(heads[0], heads[1]), distance.distance(heads[0], heads[2])
    print(f"two portraits of one person {own:.3f}, of two people {others:.3f}")
    assert 0 < own < others <= 4
    assert distance.distance(heads[1], heads[0]) == pytest.approx(own)
