"""In these tests a warning that our code gives, or provokes where it stands, is an error; other people's are not."""

import warnings

import pytest

CODE = compile("warnings.warn('this is old', DeprecationWarning)", "<test>", "exec")


@pytest.mark.parametrize("module", ["multiid", "multiid.pipeline.composer"])
def test_warnings_of_our_code_are_errors(module: str) -> None:
    with pytest.raises(DeprecationWarning, match="this is old"):
        exec(CODE, {"warnings": warnings, "__name__": module})


def test_warnings_of_other_code_are_warnings() -> None:
    with warnings.catch_warnings(record=True) as seen:  # unlike pytest.warns, this keeps the filters
        exec(CODE, {"warnings": warnings, "__name__": "diffusers.multiid"})
    assert [str(warning.message) for warning in seen] == ["this is old"]
