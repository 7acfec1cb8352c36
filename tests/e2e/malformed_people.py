"""Malformed photos and identity files."""

import os
from collections.abc import Callable
from pathlib import Path

import torch
from malformed import Cases, Make, add, identity_file, person, png_header, with_identity, with_photo
from photos import blocks, write_blocks
from safetensors.torch import save_file

from multiid.pipeline.tiny import tiny_adapter


def cut(file: Path) -> None:
    blocks(0).save(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def flipped(file: Path) -> None:
    """One bit within the pixels is wrong."""
    blocks(0).save(file, format="PNG")
    content = bytearray(file.read_bytes())
    content[60] ^= 1
    file.write_bytes(content)


def animate(file: Path) -> None:
    blocks(0).save(file, save_all=True, append_images=[blocks(1)])


def fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.txt").write_text("no photo")


def fill_badly(folder: Path) -> None:
    write_blocks(folder / "1.png")
    (folder / "2.png").write_text("no photo")


def in_format(name: str) -> Make:
    return lambda file: blocks(0).save(file, format=name)


def with_bytes(content: bytes) -> Make:
    return lambda file: file.write_bytes(content)


def header(text: str) -> Make:
    return lambda file: save_file({"embeddings": torch.ones(1, 1, 48)}, file, metadata={"multiid": text})


def shortened(by: int) -> Make:
    def make(file: Path) -> None:
        person("ada").save(file)
        os.truncate(file, file.stat().st_size - by)

    return make


EMBEDDINGS = torch.ones(1, 1, 48)
NO_PHOTO = "Expected a JPEG, PNG, WebP or HEIC"
DAMAGED = "ends too early or is damaged"
NOT_AN_IDENTITY = "its parts are not those of an identity"


def shown(name: str) -> Callable[[Path], list[str]]:
    return lambda _: ["people", "show", name]


PHOTOS: Cases = {
    "a photo that is text": (with_photo(lambda file: file.write_text("no photo")), "Expected a JPEG, PNG"),
    "a photo that is empty": (with_photo(lambda file: file.touch()), "photo.jpg is empty"),
    "a photo cut short": (with_photo(cut), DAMAGED),
    "a photo with a wrong bit": (with_photo(flipped, "photo.png"), DAMAGED),
    "a photo of a header alone": (with_photo(with_bytes(b"\xff\xd8\xff")), DAMAGED),
    "a photo without width": (with_photo(with_bytes(png_header(0, 100))), DAMAGED),
    "a photo with fewer pixels than it says": (with_photo(with_bytes(png_header(100, 100))), DAMAGED),
    "a photo that claims 3,600 megapixels": (
        with_photo(with_bytes(png_header(60_000, 60_000))),
        "Expected at most 100 megapixels, but photo.jpg has 3.6e+03",
    ),
    "a WebP photo of a header alone": (with_photo(with_bytes(b"RIFF\0\0\0\0WEBPVP8 ")), DAMAGED),
    "a photo that is a GIF": (with_photo(in_format("GIF")), "but photo.jpg begins with b'GIF87a"),
    "a photo that is a bitmap": (with_photo(in_format("BMP")), "but photo.jpg begins with b'BM"),
    "a photo that is a TIFF": (with_photo(in_format("TIFF")), "but photo.jpg begins with b'II*"),
    "a photo that is an identity": (with_photo(lambda file: person("ada").save(file)), "photo.jpg begins with"),
    "a photo too small": (
        with_photo(lambda file: write_blocks(file, side=40)),
        "at least 64 pixels, but photo.jpg has",
    ),
    "an animated photo": (with_photo(animate, "photo.webp"), "Expected a still photo, but photo.webp is animated"),
    "a photo that leads to itself": (
        with_photo(lambda file: file.symlink_to(file.name)),
        "photo.jpg cannot be read: [Errno 40] Too many levels of symbolic links",
    ),
    "an empty folder": (with_photo(Path.mkdir, "people"), "but people is empty"),
    "a folder without photos": (with_photo(fill, "people"), "none of its entries is one, for example notes.txt"),
    "a folder with a photo that is none": (with_photo(fill_badly, "people"), "but people/2.png begins with"),
    "a photo that is not there": (lambda _: add("absent.jpg"), "there is no absent.jpg; check the path"),
    "a photo with too long a name": (lambda _: add("p" * 300 + ".jpg"), "File name too long"),
    "a good photo and a bad one": (lambda _: [*add("ada.png"), "scene.yaml"], "but scene.yaml begins with"),
    "a photo without a name": (lambda _: add(""), "Expected a photo or a folder of photos, but got an empty name."),
    "a name in two words": (lambda _: add("ada.png", name="ada b"), "Expected a name of letters, digits, - and _"),
    "no name": (lambda _: add("ada.png", name=""), "Expected a name of letters, digits, - and _"),
    "no noun": (lambda _: add("ada.png", noun=""), "Expected a class noun of words with single spaces between"),
}

IDENTITIES: Cases = {
    "an identity that is text": (
        with_identity(lambda file: file.write_text("ada")),
        "Expected a whole safetensors file",
    ),
    "an identity that is empty": (with_identity(Path.touch), "Expected a whole safetensors file"),
    "an identity that is a folder": (with_identity(Path.mkdir), "ada.safetensors is a folder: check the path"),
    "an identity cut short": (with_identity(shortened(10)), "Expected a whole safetensors file"),
    "an identity with a header beyond its end": (
        with_identity(with_bytes(b"\xff" * 7 + b"\x7f{}")),
        "header too large",
    ),
    "an identity that is none": (with_identity(tiny_adapter().save), "Expected an identity file of format 1"),
    "an identity of tomorrow": (with_identity(identity_file(identity=99)), "of format 99: update multiid"),
    "an identity of format true": (with_identity(identity_file(identity=True)), "ada.safetensors is none: make one"),
    "an identity whose notes are a list": (with_identity(header("[]")), "Expected a JSON object in the header"),
    "an identity whose notes are no JSON": (with_identity(header("{")), "Expected a whole safetensors file"),
    "an identity whose notes are nested too deeply": (
        with_identity(header("[" * 100_000)),
        "maximum recursion depth exceeded",
    ),
    "an identity with a path": (with_identity(identity_file(path="/home/ada")), f"{NOT_AN_IDENTITY} (path)"),
    "an identity with a photo": (
        with_identity(identity_file({"embeddings": EMBEDDINGS, "photo": torch.ones(3, 8, 8)})),
        f"{NOT_AN_IDENTITY} (photo)",
    ),
    "an identity without embeddings": (with_identity(identity_file({"other": EMBEDDINGS})), NOT_AN_IDENTITY),
    "an identity with a number for a noun": (with_identity(identity_file(noun=3)), f"{NOT_AN_IDENTITY} (noun)"),
    "an identity with a brace in its name": (with_identity(identity_file(name="a{da}")), "but got 'a{da}'"),
    "an identity that is not finite": (
        with_identity(identity_file({"embeddings": EMBEDDINGS * torch.nan})),
        "Expected finite numbers in ID embeddings",
    ),
    "an identity of whole numbers": (
        with_identity(identity_file({"embeddings": EMBEDDINGS.int()})),
        "but got (1, 1, 48) of torch.int32",
    ),
    "an identity of no photo": (with_identity(identity_file({"embeddings": EMBEDDINGS[:0]})), "but got (0, 1, 48)"),
    "an identity on two axes": (with_identity(identity_file({"embeddings": EMBEDDINGS[0]})), "but got (1, 48)"),
    "an identity with a face on one axis": (
        with_identity(identity_file({"embeddings": EMBEDDINGS, "face_embeddings.sface": torch.ones(3)})),
        "Expected face embeddings as numbers on 2 axes",
    ),
    "an identity of another encoder": (with_identity(person("ada").save), "Expected ada to be made by ID encoder"),
    "an identity that is not there": (with_identity(lambda _: None), "ada.safetensors is not there"),
    "an identity to show that is a scene": (shown("scene.yaml"), "Expected a whole safetensors file"),
    "an identity to show that is not there": (shown("absent"), "absent is not there: check the path"),
}
