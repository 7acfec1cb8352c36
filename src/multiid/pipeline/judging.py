"""Who says whose face is whose in a preset's pictures."""

from multiid.people.faces import FaceAnalyzer, face_analyzer
from multiid.pipeline.preset_record import Preset

__all__ = ["choose_judge", "draws_cartoons"]


def draws_cartoons(preset: Preset) -> bool:
    """Whether people of the miniature's world may sit for a preset: it knows them, or knows nobody at all."""
    return preset.faces == "mini" or preset.base is None


def choose_judge(preset: Preset) -> FaceAnalyzer:
    """Who says whose face is whose: nobody who took part in making the pictures.

    Raises:
        ModelFileError: when its models are absent and cannot be fetched.
    """
    if not draws_cartoons(preset):
        return face_analyzer("opencv", recognise=True)
    from multiid.mini.faces import MiniFaces  # here: only such presets need the miniature's networks

    return MiniFaces()
