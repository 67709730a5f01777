"""The sealed look at a model: what each engine can load passes, all else is refused with the reason."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from model_server import CONFIG, safetensors
from onnx import TensorProto, helper, numpy_helper

from archive_pipeline.errors import ModelError
from archive_pipeline.models.check import check_model
from archive_pipeline.models.importing import Description, import_model
from archive_pipeline.models.library import ModelLibrary


def packaged(package: str, *path: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.joinpath(*path)


BLLA = packaged("kraken", "blla.mlmodel")
DETECTION = packaged("rapidocr", "models", "PP-OCRv6_det_small.onnx")
RECOGNITION = packaged("rapidocr", "models", "PP-OCRv6_rec_small.onnx")


def bring(root: Path, path: Path, task: str, engine: str) -> None:
    description = Description.model_validate({"task": task, "engine": engine})
    import_model(root, path, "brought", description, check=check_model)


@pytest.mark.parametrize(
    ("path", "task", "engine"),
    [(BLLA, "segmentation", "kraken"), (DETECTION, "segmentation", "ppocr"), (RECOGNITION, "recognition", "ppocr")],
    ids=lambda value: getattr(value, "name", value),
)
def test_real_models_pass(tmp_path: Path, path: Path, task: str, engine: str) -> None:
    bring(tmp_path, path, task, engine)
    assert ModelLibrary(tmp_path).installed("brought").read() == path.read_bytes()


@pytest.mark.parametrize(
    ("path", "task", "engine", "said"),
    [
        (BLLA, "recognition", "kraken", "does segmentation, and not recognition"),
        (BLLA, "segmentation", "ppocr", "ppocr loads .onnx files"),
        (DETECTION, "recognition", "ppocr", "no characters, so it does segmentation"),
        (RECOGNITION, "segmentation", "ppocr", "characters, so it does recognition"),
        (DETECTION, "segmentation", "kraken", "kraken loads .safetensors and .mlmodel files"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_model_for_something_else_is_refused(tmp_path: Path, path: Path, task: str, engine: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        bring(tmp_path, path, task, engine)
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == ["brought.lock"]


@pytest.mark.parametrize(
    ("name", "data", "engine", "said"),
    [
        ("cut.mlmodel", BLLA.read_bytes()[:100_000], "kraken", "cannot load cut.mlmodel: coreml"),
        ("foreign.safetensors", safetensors(1000), "kraken", "No model metadata"),
        ("cut.onnx", DETECTION.read_bytes()[:100_000], "ppocr", "is no ONNX file"),
        ("alone.safetensors", safetensors(1000), "surya", "config.json is missing"),
    ],
)
def test_what_looks_like_a_model_and_is_none_is_refused(
    tmp_path: Path, name: str, data: bytes, engine: str, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ModelError, match=said) as raised:
        bring(tmp_path / "models", path, "segmentation", engine)
    assert str(tmp_path) not in raised.value.what


def test_weights_with_a_configuration_pass_for_surya_and_a_broken_configuration_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "detection"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(safetensors(1000))
    (folder / "config.json").write_bytes(CONFIG[:-1])
    with pytest.raises(ModelError, match=r"config\.json is no JSON"):
        bring(tmp_path / "models", folder, "segmentation", "surya")
    (folder / "config.json").write_bytes(CONFIG)
    bring(tmp_path / "models", folder, "segmentation", "surya")


def test_what_is_no_language_is_not_brought_with_a_model_of_kraken(tmp_path: Path) -> None:
    folder = tmp_path / "hand"
    folder.mkdir()
    shutil.copy(BLLA, folder / "model.mlmodel")
    good = {"order": 6, "weight": 0.5, "bonus": 0.8, "counts": {"ab": {"c": 1}}}
    (folder / "language.json").write_text(json.dumps(good | {"counts": {"ab": {"c": 10**400}}}))
    with pytest.raises(ModelError, match=r"language\.json is no language of a hand: counts"):
        bring(tmp_path / "models", folder, "segmentation", "kraken")
    (folder / "language.json").write_text(json.dumps(good))
    bring(tmp_path / "models", folder, "segmentation", "kraken")


@pytest.mark.parametrize("deep", [False, True])
def test_weights_in_another_file_are_never_read(tmp_path: Path, deep: bool) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(np.zeros(12, np.float32).tobytes())
    tensor = numpy_helper.from_array(np.zeros(12, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=str(secret))
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])
    nodes, initializers = [helper.make_node("Identity", ["x"], ["y"])], [tensor]
    if deep:
        inner = helper.make_graph(
            [helper.make_node("Identity", ["w"], ["z"])],
            "inner",
            [],
            [helper.make_tensor_value_info("z", TensorProto.FLOAT, [12])],
            [tensor],
        )
        condition = numpy_helper.from_array(np.array(True), "c")
        nodes.append(helper.make_node("If", ["c"], ["q"], then_branch=inner, else_branch=inner))
        initializers = [condition]
    graph = helper.make_graph(
        nodes, "g", [image], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], initializers
    )
    (tmp_path / "m.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    assert onnx.load_model_from_string((tmp_path / "m.onnx").read_bytes()).graph.node
    with pytest.raises(ModelError, match="takes the weights 'w' from another file"):
        bring(tmp_path / "models", tmp_path / "m.onnx", "segmentation", "ppocr")
