"""The handler of the sealed child that looks at a model; see :mod:`.check`."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.errors import ModelError
from archive_pipeline.models.language import LANGUAGE, language_from

_LOADERS = {".safetensors": "safetensors", ".mlmodel": "coreml"}
"""Files that kraken loads, and how it calls its loader for them."""
_CHARACTERS = "character"
"""Key under which PP-OCR's recognisers carry their labels."""


def handle(request: dict[str, Any], _files: list[BinaryIO], _scratch: Path) -> dict[str, Any]:
    """Load a model's files, and say what they are."""
    weights, *others = map(Path, request["files"])
    for path in others:
        if request["engine"] == "kraken" and path.suffix == ".onnx":
            _session(path)  # the same network, in the form that reads
        elif request["engine"] == "kraken" and path.name == LANGUAGE:
            language_from(path.read_bytes(), path.name)  # of its hand
        else:
            _json(path)
    if request["engine"] == "kraken":
        return _kraken(weights, request["task"])
    if request["engine"] == "ppocr":
        return _onnx(weights, request["task"])
    return _safetensors(weights, others)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ModelError(f"{path.name} is no configuration of a model")
    return found


def _kraken(path: Path, task: str) -> dict[str, Any]:
    if path.suffix not in _LOADERS:
        raise ModelError(f"kraken loads .safetensors and .mlmodel files, and not {path.suffix}")
    from kraken.models import load_models

    version = importlib.metadata.version("kraken")
    try:
        models = load_models(path)
    except Exception as error:  # whatever kraken and its libraries raise at bytes that anybody may have made
        told = [line.strip() for line in str(error).replace(f"{path.parent}/", "").splitlines()]
        # kraken tries all of its loaders, and tells of each.
        why = next((line for line in told if line.startswith(_LOADERS[path.suffix])), " ".join(told))
        raise ModelError(f"kraken {version} cannot load {path.name}: {why or type(error).__name__}") from None
    tasks = sorted({str(name) for model in models for name in model.model_type})
    if task not in tasks:
        what = f"does {' and '.join(tasks)}" if tasks else f"has nothing that kraken {version} knows"
        raise ModelError(f"{path.name} {what}, and not {task}", remedy="Give its right task, or another model.")
    return {"tasks": tasks}


def _onnx(path: Path, task: str) -> dict[str, Any]:
    if path.suffix != ".onnx":
        raise ModelError(f"ppocr loads .onnx files, and not {path.suffix}")
    reads = _CHARACTERS in _session(path)
    if reads != (task == "recognition"):
        what = "characters, so it does recognition" if reads else "no characters, so it does segmentation"
        raise ModelError(f"{path.name} carries {what}, and not {task}", remedy="Give its right task, or another model.")
    return {"tasks": [task]}


def _session(path: Path) -> set[str]:
    """Load an ONNX file that takes images; the keys of its metadata."""
    import onnx
    import onnxruntime

    data = path.read_bytes()
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf has several
        raise ModelError(f"{path.name} is no ONNX file: {error}") from None
    outside = next((tensor.name for tensor in _tensors(model.graph) if _is_outside(tensor)), None)
    if outside is not None:
        raise ModelError(
            f"{path.name} takes the weights '{outside}' from another file",
            remedy="Ask its maker for one file: such a reference could name any file of this machine.",
        )
    try:
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has a class for each status
        raise ModelError(f"{path.name} cannot be loaded by ONNX Runtime: {error}") from None
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise ModelError(f"{path.name} takes no images: it is no model of PP-OCR")
    return {each.key for each in model.metadata_props}


def _tensors(graph: Any) -> Iterator[Any]:
    """Every tensor of a graph, with those of nodes and of the graphs inside of them."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _is_outside(tensor: Any) -> bool:
    return bool(tensor.external_data) or tensor.data_location == 1


def _safetensors(path: Path, others: list[Path]) -> dict[str, Any]:
    if path.suffix != ".safetensors":
        raise ModelError(f"surya's line detection is a .safetensors file, and not {path.suffix}")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:  # type: ignore[no-untyped-call]
            count = len(list(file.keys()))
    except SafetensorError as error:
        raise ModelError(f"{path.name} is no safetensors file: {error}") from None
    if not count:
        raise ModelError(f"{path.name} has no weights")
    if not any(other.name == "config.json" for other in others):
        raise ModelError("config.json is missing", remedy="Give the folder with the weights and their config.json.")
    return {"tensors": count}
