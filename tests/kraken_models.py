"""Models of kraken's recognition that read: made here, since none can be fetched, and kept as a recipe, not as bytes.

One is PP-OCRv6's bundled recognition network, weight for weight in kraken's own implementation of it. The
re-parameterised depthwise convolutions come fused, so their kernel gives its identity branch back and the third branch
is zero; kraken feeds inverted RGB in [0, 1] where Paddle feeds BGR in [-1, 1], so the first convolution takes in
x → 1 − 2x.

The other is a VGSL network of one layer, which reads bars instead of letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from kraken.lib.ppocr import PPOCRv6Model
from kraken.lib.ppocr.backbone import RepDWConv
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import write_coreml, write_safetensors
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from archive_pipeline.durable import copy_file, file_digest, write_json
from archive_pipeline.engines.base import Image
from archive_pipeline.engines.ppocr_recognition import is_latin
from archive_pipeline.models.entry import Imported, ModelEntry, ModelFile, Task
from archive_pipeline.models.installed import InstalledFile, InstalledModel
from archive_pipeline.models.kept import entry_path
from archive_pipeline.page import Box, Line

Weights = tuple[NDArray[np.float32], NDArray[np.float32]]


def installed(path: Path, task: Task = "recognition") -> InstalledModel:
    """A file as a model of kraken, as the model library gives it."""
    file = InstalledFile(path=path, sha256=file_digest(path), size=path.stat().st_size)
    return InstalledModel(
        id=path.stem.lower(), task=task, engine="kraken", licence="Apache-2.0", digest=file.sha256, files=(file,)
    )


def write(network: nn.Module, path: Path) -> InstalledModel:
    """Save a network with kraken's own writer; the suffix says in which format."""
    (write_coreml if path.suffix == ".mlmodel" else write_safetensors)([network], path)
    return installed(path)


# --- PP-OCRv6 ------------------------------------------------------------------------------------------------------


class _Graph:
    """Constants of an ONNX graph, and what is added to a node's output."""

    def __init__(self, data: bytes) -> None:
        model = onnx.load_from_string(data)
        self.labels = ["", *{p.key: p.value for p in model.metadata_props}["character"].split("\n"), " "]
        self.nodes = list(model.graph.node)
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        for node in self.nodes:
            if node.op_type == "Identity" and node.input[0] in self.constants:
                self.constants[node.output[0]] = self.constants[node.input[0]]

    def constant(self, node: onnx.NodeProto) -> NDArray[np.float32] | None:
        return next((self.constants[name] for name in node.input if name in self.constants), None)

    def after(self, node: onnx.NodeProto, kind: str) -> onnx.NodeProto | None:
        return next((n for n in self.nodes if n.op_type == kind and node.output[0] in n.input), None)

    def weights(self, node: onnx.NodeProto) -> Weights:
        """Weight and bias of a convolution or a multiplication, a bias of zero where there is none."""
        weight = self.constant(node)
        assert weight is not None
        size = weight.shape[0] if node.op_type == "Conv" else weight.shape[1]
        add = self.after(node, "Add")
        bias = self.constant(add) if add is not None else None
        return weight, np.zeros(size, np.float32) if bias is None or bias.size != size else bias.reshape(-1)


def ppocr_network(data: bytes) -> PPOCRv6Model:
    """kraken's network with the weights of the bundled ONNX file, and Latin labels only."""
    graph = _Graph(data)
    keep = [index for index, label in enumerate(graph.labels) if index and is_latin(label)]
    codec = {graph.labels[index]: [new] for new, index in enumerate(keep, start=1)}
    model = PPOCRv6Model(variant="small", num_classes=len(keep) + 1, height=48, codec=codec)
    convolutions = iter([graph.weights(node) for node in graph.nodes if node.op_type == "Conv"])
    linear = iter([w for node in graph.nodes if node.op_type == "MatMul" for w in _linear(graph, node)])
    norms = iter(list(_norms(graph)))
    batch_norms = iter([node for node in graph.nodes if node.op_type == "BatchNormalization"])
    network = model.nn
    _fill_backbone(network.backbone, convolutions)
    neck = network.neck
    for convolution, norm in (
        (neck.skip_conv.conv, neck.skip_conv.norm),
        (neck.conv_reduce.conv, neck.conv_reduce.norm),
        (neck.local_conv[0], neck.local_conv[1]),
    ):
        _set(convolution, weight=next(convolutions)[0])
        scale, shift, mean, variance = (graph.constants[name] for name in next(batch_norms).input[1:])
        _set(norm, weight=scale, bias=shift, running_mean=mean, running_var=variance)
    for block in neck.svtr_block:
        for norm in (block.norm1, block.norm2):
            weight, bias = next(norms)
            _set(norm, weight=weight, bias=bias)
        for layer in (block.mixer.qkv, block.mixer.proj, block.mlp.fc1, block.mlp.fc2):
            weight, bias = next(linear)
            _set(layer, weight=weight.T, bias=bias)
    weight, bias = next(norms)
    _set(neck.norm, weight=weight, bias=bias)
    weight, bias = next(linear)
    _set(network.head.fc, weight=weight.T[[0, *keep]], bias=bias[[0, *keep]])
    left = [len(list(rest)) for rest in (convolutions, linear, norms, batch_norms)]
    assert left == [0, 0, 0, 0], left
    return model.eval()


def _linear(graph: _Graph, node: onnx.NodeProto) -> Iterator[Weights]:
    if graph.constant(node) is not None:
        yield graph.weights(node)


def _norms(graph: _Graph) -> Iterator[Weights]:
    """Scale and shift of each layer normalisation: what multiplies a quotient, and what is added then."""
    for node in graph.nodes:
        multiply = graph.after(node, "Mul") if node.op_type == "Div" else None
        scale = graph.constant(multiply) if multiply is not None else None
        if multiply is not None and scale is not None and scale.ndim == 1 and scale.size > 1:
            add = graph.after(multiply, "Add")
            shift = graph.constant(add) if add is not None else None
            assert shift is not None
            yield scale, shift


def _fill_backbone(backbone: nn.Module, convolutions: Iterator[Weights]) -> None:
    stem = backbone.conv1
    weight, bias = next(convolutions)
    # Paddle's BGR in [-1, 1] is 1 - 2x of kraken's inverted RGB in [0, 1].
    _set_fused(stem.stem1.conv, stem.stem1.bn, -2 * weight[:, ::-1], bias + weight.sum((1, 2, 3)))
    for part in (stem.stem2a, stem.stem2b, stem.stem3, stem.stem4):
        _set_fused(part.conv, part.bn, *next(convolutions))
    for name in ("blocks2", "blocks3", "blocks4", "blocks5"):
        for block in getattr(backbone, name):
            weight, bias = next(convolutions)
            first = block.token_mixer[0]
            if isinstance(first, RepDWConv):
                kernel = weight.copy()
                kernel[:, 0, 1, 1] -= 1  # the identity branch adds it again
                _set_fused(first.conv.conv, first.conv.bn, kernel, np.zeros_like(bias))
                _set(first.conv1, weight=np.zeros(first.conv1.weight.shape, np.float32))
                _neutral(first.bn, bias)
            else:
                _set_fused(first.conv, first.bn, weight, bias)
            if len(block.token_mixer) > 1:
                for layer in (block.token_mixer.se.conv1, block.token_mixer.se.conv2):
                    weight, bias = next(convolutions)
                    _set(layer, weight=weight, bias=bias)
            for part in (block.channel_mixer.expand, block.channel_mixer.compress):
                _set_fused(part.conv, part.bn, *next(convolutions))


def _set_fused(convolution: nn.Module, norm: nn.Module, weight: NDArray[Any], bias: NDArray[Any]) -> None:
    _set(convolution, weight=weight)
    _neutral(norm, bias)


def _neutral(norm: nn.Module, bias: NDArray[Any]) -> None:
    """A batch normalisation that adds a bias, and does nothing else."""
    ones = np.ones(bias.size, np.float32)
    _set(norm, weight=ones, bias=bias, running_mean=0 * ones, running_var=ones - norm.eps)


@torch.no_grad()
def _set(module: nn.Module, **values: NDArray[Any]) -> None:
    for name, value in values.items():
        target = getattr(module, name)
        assert target.shape == value.shape, f"{name}: {tuple(target.shape)} and {value.shape}"
        target.copy_(torch.from_numpy(np.array(value, dtype=np.float32)))


# --- a VGSL network that reads bars ---------------------------------------------------------------------------------

BARS = 6
_ROW = 5  # pixels
_ROWS = BARS + 2
_WIDTH, _GAP = 12, 8


def bars_network(letters: Sequence[str]) -> TorchVGSLModel:
    """A network that reads a bar of ink by its row: the topmost one is the first letter.

    Its one layer looks at a column of pixels; what it must weigh is known, and nothing has to be trained.
    """
    network = TorchVGSLModel(
        vgsl=f"[1,{_ROWS},0,1 S1(1x0)1,3 O1c{BARS + 1}]",
        codec={letter: [code] for code, letter in enumerate(letters, start=1)},
        model_type=["recognition"],
        seg_type="baselines",
        legacy_polygons=False,
    )
    weight = np.zeros((BARS + 1, _ROWS), np.float32)
    weight[np.arange(1, BARS + 1), np.arange(1, BARS + 1)] = 30
    bias = np.zeros(BARS + 1, np.float32)
    bias[0] = 12  # the CTC blank, where no bar is
    _set(network.nn[-1].lin, weight=weight, bias=bias)
    return network.eval()


def draw_bars(rows: Sequence[int], left: int, top: int, width: int, height: int) -> tuple[Image, Line, list[Box]]:
    """A white page with a line of bars.

    Args:
        rows: Of each bar, from 0.

    Returns:
        The page, the line, and where each bar is.
    """
    page = np.full((height, width, 3), 255, np.uint8)
    boxes: list[Box] = []
    for place, row in enumerate(rows):
        x, y = left + _GAP + place * (_WIDTH + _GAP), top + (row + 1) * _ROW
        page[y : y + _ROW, x : x + _WIDTH] = 0
        boxes.append((x, y, x + _WIDTH, y + _ROW))
    right, bottom = left + _GAP + len(rows) * (_WIDTH + _GAP), top + _ROWS * _ROW - 1
    boundary = ((left, top), (right, top), (right, bottom), (left, bottom))
    return page, Line(id="l1", boundary=boundary, baseline=((left, bottom - 6), (right, bottom - 6))), boxes


def install(model: InstalledModel, models_dir: Path) -> str:
    """Put a model into a model store, as an imported one; its id."""
    (file,) = model.files
    name = file.path.name
    entry = ModelEntry(
        id=model.id,
        task=model.task,
        engine=model.engine,
        licence=model.licence,
        source=Imported(kind="imported", name=name),
        files=(ModelFile(name=name, sha256=file.sha256, size=file.size),),
        good_for="tests",
    )
    copy_file(file.path, models_dir / file.sha256 / name)
    write_json(entry_path(models_dir, model.id), entry.model_dump(mode="json"))
    return model.id
