"""Faces: found in real photos of any size, in any order; named errors where models or packages are absent."""

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
from conftest import needs
from PIL import Image

from multiid.errors import FaceError, MissingExtraError, ModelFileError, NoFaceError, SeveralFacesError
from multiid.geometry import Box, Size
from multiid.modelfiles import MODELS_DIR_VARIABLE
from multiid.people import face_backends
from multiid.people.face_backends import SFACE, YUNET, InsightFaces, OpenCVFaces
from multiid.people.faces import Face, FaceAnalyzer, choose_face, face_analyzer
from multiid.people.photo import load_photo, load_photos

FIVE = ((1.0, 1.0), (2.0, 1.0), (1.5, 2.0), (1.0, 3.0), (2.0, 3.0))


@pytest.fixture(autouse=True)
def nothing_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model file and no pack on this machine, and no network, whatever the developer has."""
    monkeypatch.delenv(MODELS_DIR_VARIABLE, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(face_backends, "_INSIGHTFACE_HOME", str(tmp_path / "insightface"))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models that holds YuNet and nothing else."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / YUNET.name).symlink_to(needs("models", YUNET.name))
    monkeypatch.setenv(MODELS_DIR_VARIABLE, str(folder))
    return folder


@pytest.fixture
def opencv(models: Path) -> OpenCVFaces:  # noqa: ARG001 - puts the model files in place
    return OpenCVFaces()


@pytest.fixture
def six() -> Image.Image:
    """InsightFace's photo of six people, found without importing that package, which is slow."""
    spec = find_spec("insightface")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs the insightface package for its photo of six people")
    return load_photo(Path(spec.submodule_search_locations[0]) / "data" / "images" / "t1.jpg")


@pytest.fixture
def astronaut() -> Image.Image:
    return Image.fromarray(pytest.importorskip("skimage.data").astronaut())


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (a.area + b.area - shared)


def a_face(side: float, score: float = 0.9) -> Face:
    return Face(Box(0.0, 0.0, side, side), FIVE, score)


class TestFace:
    def test_needs_five_landmarks(self) -> None:
        with pytest.raises(ValueError, match="five landmarks, but got 4"):
            Face(Box(0.0, 0.0, 1.0, 1.0), FIVE[:4], 0.5)

    def test_faces_with_embeddings_compare_and_do_not_print_them(self) -> None:
        one, other = (replace(a_face(3.0), embedding=np.full(4, value)) for value in (77.25, 88.5))
        assert one == other
        assert "77.25" not in repr(one)


class TestChoice:
    def test_the_largest_not_the_surest(self) -> None:
        faces = [a_face(10.0, 0.99), a_face(30.0, 0.61), a_face(20.0, 0.95)]
        assert choose_face(faces, photo="party.jpg") is faces[1]

    def test_none(self) -> None:
        with pytest.raises(NoFaceError, match=r"a face in party\.jpg, but found none"):
            choose_face([], photo="party.jpg")

    def test_several_refused(self) -> None:
        assert choose_face([a_face(1.0)], several="refuse", photo="party.jpg") == a_face(1.0)
        with pytest.raises(SeveralFacesError, match=r"one face in party\.jpg, but found 2"):
            choose_face([a_face(1.0), a_face(2.0)], several="refuse", photo="party.jpg")


class TestOpenCV:
    def test_six_people_the_largest_first(self, opencv: OpenCVFaces, six: Image.Image) -> None:
        faces = opencv.analyze(six)
        assert len(faces) == 6
        areas = [face.box.area for face in faces]
        assert areas == sorted(areas, reverse=True)
        for face in faces:
            assert 0.6 <= face.score <= 1
            assert face.embedding is None
            assert face.box.inside(Size(*six.size))
            (right_eye, left_eye, nose, right_mouth, left_mouth) = face.landmarks
            assert face.box.left < right_eye[0] < nose[0] < left_eye[0] < face.box.right
            assert right_mouth[0] < left_mouth[0]
            assert right_eye[1] < nose[1] < left_mouth[1] < face.box.bottom
        assert max(overlap(a.box, b.box) for a in faces for b in faces if a is not b) < 0.1

    def test_one_astronaut(self, opencv: OpenCVFaces, astronaut: Image.Image) -> None:
        (face,) = opencv.analyze(astronaut)
        # Measured by eye on the picture: both pupils to a few pixels.
        assert face.landmarks[0] == pytest.approx((203, 105), abs=6)
        assert face.landmarks[1] == pytest.approx((246, 105), abs=6)

    def test_one_newton_in_each_portrait(self, opencv: OpenCVFaces) -> None:
        photos = load_photos(needs("photos", "newton"))
        assert [len(opencv.analyze(photo.image)) for photo in photos] == [1] * len(photos)

    def test_with_the_folder_of_test_data(self, monkeypatch: pytest.MonkeyPatch, astronaut: Image.Image) -> None:
        monkeypatch.setenv(MODELS_DIR_VARIABLE, str(needs("models")))
        analyzer = face_analyzer("opencv", recognise=False)
        assert isinstance(analyzer, FaceAnalyzer)
        assert analyzer.recogniser is None
        assert len(analyzer.analyze(astronaut)) == 1

    @pytest.mark.parametrize("scale", [0.25, 0.5, 3.0, 8.0])
    def test_found_at_the_same_place_at_any_scale(
        self, opencv: OpenCVFaces, astronaut: Image.Image, scale: float
    ) -> None:
        (face,) = opencv.analyze(astronaut)
        (other,) = opencv.analyze(astronaut.resize((int(512 * scale), int(512 * scale))))
        same = overlap(face.box, Box(*(value / scale for value in other.box.corners)))
        print(f"overlap at {scale} x: {same:.3f}, required 0.85")
        assert same >= 0.85

    def test_unequal_sides_are_scaled_back_each(self, opencv: OpenCVFaces, astronaut: Image.Image) -> None:
        wide = Image.new("RGB", (1999, 613))
        wide.paste(astronaut, (1200, 70))
        (face,), (moved,) = opencv.analyze(astronaut), opencv.analyze(wide)
        same = overlap(face.box, Box(*np.subtract(moved.box.corners, (1200, 70, 1200, 70)).tolist()))
        print(f"overlap after moving: {same:.3f}, required 0.8")
        assert same >= 0.8

    def test_a_hard_photo_changes_nothing_for_the_next(
        self, opencv: OpenCVFaces, six: Image.Image, astronaut: Image.Image
    ) -> None:
        fresh = [OpenCVFaces().analyze(picture) for picture in (six, astronaut)]
        hard = {
            "black": Image.new("RGB", (640, 640)),
            "wide": Image.new("RGB", (6400, 64), "white"),
            "line": Image.new("RGB", (5000, 1), "grey"),
            "tall": Image.new("RGB", (64, 6400), "white"),
            "tiny": Image.new("RGB", (1, 1)),
            "huge": Image.new("L", (9000, 7000), 128),
        }
        for name, picture in hard.items():
            assert opencv.analyze(picture) == [], name
            assert [opencv.analyze(picture) for picture in (six, astronaut)] == fresh, name
        assert [opencv.analyze(picture) for picture in (astronaut, six)] == fresh[::-1]

    def test_threads_share_an_analyzer(self, opencv: OpenCVFaces, six: Image.Image, astronaut: Image.Image) -> None:
        pictures = [six, astronaut, Image.new("RGB", (640, 64)), astronaut.crop((100, 0, 400, 200))] * 6
        alone = [opencv.analyze(picture) for picture in pictures]
        assert {len(faces) for faces in alone} == {0, 1, 6}
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(OpenCVFaces().analyze, pictures)) == alone

    @pytest.mark.parametrize(
        ("region", "cut"), [((210, 0, 512, 400), "left"), ((0, 0, 240, 400), "right"), ((0, 0, 512, 150), "bottom")]
    )
    def test_a_face_at_the_edge_is_cut_off_there(
        self, opencv: OpenCVFaces, astronaut: Image.Image, region: tuple[int, int, int, int], cut: str
    ) -> None:
        picture = astronaut.crop(region)
        (face,) = opencv.analyze(picture)
        width, height = picture.size
        assert face.box.inside(Size(width, height))
        assert getattr(face.box, cut) == {"left": 0, "right": width, "bottom": height}[cut]
        assert all(0 <= x <= width - 1 and 0 <= y <= height - 1 for x, y in face.landmarks)

    @pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
    def test_other_modes(self, opencv: OpenCVFaces, astronaut: Image.Image, mode: str) -> None:
        assert len(opencv.analyze(astronaut.convert(mode))) == 1

    def test_absent_and_offline(self) -> None:
        with pytest.raises(ModelFileError, match=f"{YUNET.name}.*{YUNET.repository}.*MULTIID_MODELS_DIR"):
            OpenCVFaces()

    def test_opencv_says_nothing(self, opencv: OpenCVFaces, capfd: pytest.CaptureFixture[str]) -> None:
        import cv2

        logging = cv2.utils.logging
        before = logging.getLogLevel()
        try:
            logging.setLogLevel(logging.LOG_LEVEL_WARNING)
            opencv.analyze(Image.new("RGB", (64, 64)))
            assert logging.getLogLevel() == logging.LOG_LEVEL_WARNING
        finally:
            logging.setLogLevel(before)
        assert capfd.readouterr() == ("", "")


def save_network(path: Path, nodes: list, shape: list, outputs: dict[str, list[int]], numbers: dict) -> None:
    """An ONNX network with the given nodes, one image input and constants of the given numbers."""
    onnx = pytest.importorskip("onnx")
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(*node[:3], **node[3]) for node in nodes],
        "network",
        [onnx.helper.make_tensor_value_info("data", kind, shape)],
        [onnx.helper.make_tensor_value_info(name, kind, size) for name, size in outputs.items()],
        [onnx.numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in numbers.items()],
    )
    opset = onnx.helper.make_opsetid("", 13)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


class TestSFace:
    """With a network in SFace's place whose embedding is the aligned face itself, 112 x 112 pixels, as RGB planes."""

    @pytest.fixture
    def sface(self, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = models / SFACE.name
        flat = ("Flatten", ["data"], ["fc1"], {"axis": 1})
        save_network(path, [flat], [1, 3, 112, 112], {"fc1": [1, 3 * 112 * 112]}, {})
        known = hashlib.sha256(path.read_bytes()).hexdigest()
        monkeypatch.setattr(face_backends, "SFACE", replace(SFACE, sha256=(known,)))
        return path

    def test_embeddings_are_of_the_face_as_opencv_aligns_it(self, sface: Path, astronaut: Image.Image) -> None:
        import cv2

        analyzer = OpenCVFaces()
        assert analyzer.recogniser == "sface"
        (face,) = analyzer.analyze(astronaut)
        row = np.float32([*face.box.corners[:2], face.box.width, face.box.height, *np.ravel(face.landmarks)])
        bgr = np.ascontiguousarray(np.asarray(astronaut)[..., ::-1])
        aligned = cv2.FaceRecognizerSF.create(str(sface), "").alignCrop(bgr, row)
        assert face.embedding is not None
        off = np.abs(face.embedding.reshape(3, 112, 112) - aligned[..., ::-1].transpose(2, 0, 1)).mean()
        print(f"aligned faces differ by {off:.2f} of 255, allowed 1")
        assert off <= 1

    @pytest.mark.usefixtures("sface")
    def test_the_fine_noise_of_a_large_photo_is_smoothed_away(self, astronaut: Image.Image) -> None:
        large = np.asarray(astronaut.resize((3072, 3072))).astype(float)
        noisy = Image.fromarray((large + np.random.default_rng(5).normal(0, 30, large.shape)).clip(0, 255).astype("u1"))
        (clear,), (face,) = OpenCVFaces().analyze(astronaut), OpenCVFaces().analyze(noisy)
        off = np.abs(np.subtract(clear.embedding, face.embedding)).mean()
        print(f"aligned faces differ by {off:.2f} of 255, allowed 12")
        assert off <= 12

    @pytest.mark.usefixtures("sface")
    def test_each_face_has_its_own(self, six: Image.Image) -> None:
        embeddings = [face.embedding for face in OpenCVFaces(recognise=True).analyze(six)]
        distances = [np.abs(a - b).mean() for i, a in enumerate(embeddings) for b in embeddings[:i]]
        assert len(distances) == 15
        assert min(distances) > 10

    @pytest.mark.usefixtures("sface")
    def test_a_face_at_the_edge_has_one_too(self, astronaut: Image.Image) -> None:
        (face,) = OpenCVFaces().analyze(astronaut.crop((210, 0, 512, 400)))
        assert face.embedding is not None
        assert np.isfinite(face.embedding).all()

    def test_not_wanted_or_absent(self, sface: Path) -> None:
        assert OpenCVFaces(recognise=False).recogniser is None
        sface.unlink()
        assert OpenCVFaces().recogniser is None
        with pytest.raises(ModelFileError, match=SFACE.name):
            OpenCVFaces(recognise=True)

    def test_a_wrong_file_is_refused_not_passed_over(self, models: Path) -> None:
        (models / SFACE.name).write_bytes(b"another network")
        with pytest.raises(ModelFileError, match="SHA-256"):
            OpenCVFaces()


class TestInsightFace:
    @pytest.fixture
    def pack(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Networks in the shape of buffalo_l: a detector that sees two faces anywhere, a recogniser of mean colours."""
        monkeypatch.setenv(MODELS_DIR_VARIABLE, str(tmp_path))
        pack = tmp_path / "models" / "buffalo_l"
        numbers, shapes = {}, {}
        for part, width in (("score", 1), ("box", 4), ("points", 10)):
            for stride in (8, 16, 32):
                name, shape = f"{part}{stride}", [2 * (640 // stride) ** 2, width]
                numbers[f"_{name}"], shapes[name] = np.zeros(shape), shape
        # Around pixels (320, 320) and (96, 128) of 640: 192 x 256 and 64 x 64, in units of 32.
        for row, box in ((2 * (10 * 20 + 10), (3, 4, 3, 4)), (2 * (4 * 20 + 3), (1, 1, 1, 1))):
            numbers["_score32"][row] = 0.9
            numbers["_box32"][row] = box
            numbers["_points32"][row] = np.multiply((-0.5, -0.5, 0.5, -0.5, 0, 0, -0.4, 0.5, 0.4, 0.5), box[0])
        nodes = [("Identity", [f"_{name}"], [name], {}) for name in shapes]
        save_network(pack / "det_10g.onnx", nodes, [1, 3, "height", "width"], shapes, numbers)
        mean = ("GlobalAveragePool", ["data"], ["mean"], {})
        flat = ("Flatten", ["mean"], ["embedding"], {"axis": 1})
        save_network(pack / "w600k_r50.onnx", [mean, flat], [1, 3, 112, 112], {"embedding": [1, 3]}, {})
        return pack

    @pytest.mark.usefixtures("pack")
    def test_detector_and_recogniser_through_the_real_package(self) -> None:
        analyzer = face_analyzer("insightface")
        assert isinstance(analyzer, FaceAnalyzer)
        assert analyzer.recogniser == "insightface-buffalo_l"
        for _ in range(2):
            large, small = analyzer.analyze(Image.new("RGB", (1280, 960), (200, 100, 50)))
            assert large.box.corners == pytest.approx((448, 384, 832, 896), abs=0.5)
            assert small.box.corners == pytest.approx((128, 192, 256, 320), abs=0.5)
            assert large.landmarks[0] == pytest.approx((544, 544), abs=0.5)
            assert large.landmarks[4] == pytest.approx((716.8, 736), abs=0.5)
            assert large.score == pytest.approx(0.9)
            expected = (np.array([200, 100, 50]) - 127.5) / 127.5
            np.testing.assert_allclose(large.embedding, expected, atol=0.01)
            assert analyzer.analyze(Image.new("RGB", (64_000, 64))) == []

    def test_a_face_object_of_the_package_is_taken_over_raw(self) -> None:
        common = pytest.importorskip("insightface.app.common")
        points = np.array([[40, 50], [80, 50], [60, 70], [45, 90], [75, 90]], dtype=np.float32)
        given = common.Face(
            bbox=np.array([-20, 30, 100, 130], dtype=np.float32),
            kps=points,
            det_score=np.float32(0.75),
            embedding=np.linspace(-30, 30, 512, dtype=np.float32),
        )
        face = face_backends._face_of_insightface(given, (90, 120))
        assert face is not None
        assert face.box == Box(0.0, 30.0, 90.0, 120.0)
        assert face.landmarks == tuple((float(x), float(y)) for x, y in points)
        assert face.score == 0.75
        np.testing.assert_array_equal(face.embedding, given.embedding)
        outside = common.Face(bbox=given.bbox + 500, kps=points, det_score=0.75, embedding=given.embedding)
        assert face_backends._face_of_insightface(outside, (90, 120)) is None

    def test_absent_pack_says_where_to_put_it_and_on_what_terms(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("insightface")
        with pytest.raises(ModelFileError, match=r"\$MULTIID_MODELS_DIR/models/buffalo_l") as caught:
            InsightFaces()
        for part in ("non-commercial", "insightface-cli model.download buffalo_l", str(tmp_path / "insightface")):
            assert part in str(caught.value)
        monkeypatch.setenv(MODELS_DIR_VARIABLE, str(tmp_path))
        with pytest.raises(ModelFileError, match=f"at {tmp_path}/models/buffalo_l"):
            InsightFaces()

    def test_incomplete_pack(self, pack: Path) -> None:
        (pack / "w600k_r50.onnx").unlink()
        with pytest.raises(ModelFileError, match="w600k_r50"):
            InsightFaces()

    def test_damaged_pack(self, pack: Path) -> None:
        (pack / "det_10g.onnx").write_bytes(b"half a download")
        analyzer = InsightFaces()
        with pytest.raises(ModelFileError, match="cannot be loaded; replace them"):
            analyzer.analyze(Image.new("RGB", (64, 64)))

    @pytest.mark.parametrize("package", ["insightface", "onnxruntime"])
    def test_without_the_package(self, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingExtraError, match=r'pip install "multiid\[insightface\]"'):
            face_analyzer("insightface")


def test_unknown_analyzer() -> None:
    with pytest.raises(FaceError, match="'opencv' or 'insightface', but got 'dlib'"):
        face_analyzer("dlib")
