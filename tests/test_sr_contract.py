"""The contract of super-resolution models: round trip, and an error for each key."""

from __future__ import annotations

import pytest
from sr_models import sr_contract, sr_model
from toy_model import model_bytes

import lprfast
from lprfast import ModelError, SrContract


def test_round_trip_and_what_stands_in_the_file() -> None:
    contract = sr_contract(name="Zwölf", scale=8, channels=3, precision="int8", training={"steps": 5})
    metadata = contract.to_metadata()
    assert metadata == {
        "contract_version": "3",
        "task": "sr",
        "name": "Zwölf",
        "scale": "8",
        "channels": "3",
        "mean": "0.0",
        "pixel_scale": repr(1 / 255),
        "precision": "int8",
        "training": '{"steps": 5}',
    }
    assert SrContract.from_metadata(metadata) == contract
    session = lprfast.SuperResolver(sr_model(8, 3, metadata=metadata)).contract
    assert session == contract


BAD = {
    "version": ({"contract_version": "4"}, "contract_version is 4, this lprfast reads"),
    "task": ({"task": "pose"}, "'task': expected 'sr', got 'pose'"),
    "scale": ({"scale": "3"}, "'scale': expected 2, 4 or 8, got 3"),
    "scale text": ({"scale": "four"}, "'scale' cannot be read"),
    "channels": ({"channels": "2"}, "'channels': expected 1 .gray. or 3 .RGB., got 2"),
    "mean": ({"mean": "0.5"}, "'mean': expected 0.0, got 0.5"),
    "pixel_scale": ({"pixel_scale": "1.0"}, "'pixel_scale': expected 1 / 255"),
    "pixel_scale nan": ({"pixel_scale": "nan"}, "'pixel_scale'"),
    "precision": ({"precision": "fp16"}, "'precision': expected fp32 or int8"),
    "training": ({"training": "[1]"}, "'training' cannot be read"),
    "wrong scale": ({"scale": "2"}, r"scale 2, so \[1, 1, 8, 32\] should give \[1, 1, 16, 64\]; .*32, 128"),
    "wrong channels": ({"channels": "3"}, r"the input is \[-1, 3, -1, -1\].*takes \[-1, 1, -1, -1\]"),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_wrong_metadata_are_a_model_error_that_names_the_key(case: str, tmp_path) -> None:
    changes, message = BAD[case]
    path = tmp_path / "sr.onnx"
    path.write_bytes(sr_model(metadata={**sr_contract().to_metadata(), **changes}))
    with pytest.raises(ModelError, match=message) as caught:
        lprfast.SuperResolver(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("key", sorted(sr_contract().to_metadata()))
def test_a_missing_key_is_named(key: str) -> None:
    metadata = sr_contract().to_metadata()
    del metadata[key]
    with pytest.raises(ModelError, match=f"'{key}' is missing"):
        SrContract.from_metadata(metadata)


def test_a_model_of_the_other_task_is_named() -> None:
    with pytest.raises(ModelError, match="'task': expected 'sr', got 'ocr': this is a reader"):
        lprfast.SuperResolver(model_bytes())
    with pytest.raises(ModelError, match="'task': expected 'sr', got 'ocr': this is a reader"):
        lprfast.PlateReader(model_bytes(), sr=model_bytes())
    with pytest.raises(ModelError, match="'task': expected 'ocr', got 'sr': this is a super-resolution"):
        lprfast.PlateReader(sr_model())


def test_a_model_of_a_fixed_size_is_refused() -> None:
    with pytest.raises(ModelError, match=r"the model takes \[-1, 1, 24, 80\]"):
        lprfast.SuperResolver(sr_model(shape=("N", 1, 24, 80)))
