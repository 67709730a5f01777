"""The bundled PP-OCRv6 recogniser as kraken's own network, weight for weight, so that it can be trained.

Convolutions come in graph order. The re-parameterised depthwise ones come fused in the ONNX file, so that their kernel
gives kraken's identity branch back and the third branch is zero. kraken feeds inverted RGB in [0, 1] where Paddle feeds
BGR in [-1, 1], so the first convolution takes in x → 1 − 2x; that is exact but for the border, which kraken pads with
white and Paddle with grey.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from kraken.lib.ppocr import PPOCRv6Model
from kraken.lib.ppocr.backbone import RepDWConv
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from archive_pipeline.engines.onnx_session import no_model
from archive_pipeline.engines.ppocr_recognition import is_latin
from archive_pipeline.errors import ModelError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.training.recognition.fused import set_convolution, set_depthwise, set_values

HEIGHT = 48
_Weights = tuple[NDArray[np.float32], NDArray[np.float32]]


def bundled_network(model: InstalledModel) -> PPOCRv6Model:
    """kraken's network with the weights of an ONNX file of PP-OCRv6 (small), and Latin labels only.

    Raises:
        ModelError: The file is damaged, or another network.
    """
    try:
        return _network(_Graph(model.read()))
    except DecodeError as error:
        raise no_model(model.id, error) from error
    except (KeyError, ValueError, StopIteration, TypeError, AttributeError) as error:
        raise ModelError(
            f"model {model.id} is not built as PP-OCRv6's small recogniser is: {' '.join(str(error).split())[:200]}",
            remedy="Train from the bundled model, or from a model of kraken.",
        ) from error


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

    def weights(self, node: onnx.NodeProto) -> _Weights:
        """Weight and bias of a convolution or a multiplication, a bias of zero where there is none."""
        weight = self.constant(node)
        if weight is None:
            raise ValueError(f"{node.name} has no weight")
        size = weight.shape[0] if node.op_type == "Conv" else weight.shape[1]
        add = self.after(node, "Add")
        bias = self.constant(add) if add is not None else None
        return weight, np.zeros(size, np.float32) if bias is None or bias.size != size else bias.reshape(-1)

    def linear(self) -> Iterator[_Weights]:
        for node in self.nodes:
            if node.op_type == "MatMul" and self.constant(node) is not None:
                yield self.weights(node)

    def norms(self) -> Iterator[_Weights]:
        """Scale and shift of each layer normalisation: what multiplies a quotient, and what is added then."""
        for node in self.nodes:
            multiply = self.after(node, "Mul") if node.op_type == "Div" else None
            scale = self.constant(multiply) if multiply is not None else None
            if multiply is not None and scale is not None and scale.ndim == 1 and scale.size > 1:
                add = self.after(multiply, "Add")
                shift = self.constant(add) if add is not None else None
                if shift is None:
                    raise ValueError(f"{multiply.name} has no shift")
                yield scale, shift


def _network(graph: _Graph) -> PPOCRv6Model:
    keep = [index for index, label in enumerate(graph.labels) if index and is_latin(label)]
    codec = {graph.labels[index]: [new] for new, index in enumerate(keep, start=1)}
    model = PPOCRv6Model(variant="small", num_classes=len(keep) + 1, height=HEIGHT, codec=codec)
    convolutions = iter([graph.weights(node) for node in graph.nodes if node.op_type == "Conv"])
    linear, norms = iter(list(graph.linear())), iter(list(graph.norms()))
    batch_norms = iter([node for node in graph.nodes if node.op_type == "BatchNormalization"])
    network = model.nn
    _fill_backbone(network.backbone, convolutions)
    neck = network.neck
    for convolution, norm in (
        (neck.skip_conv.conv, neck.skip_conv.norm),
        (neck.conv_reduce.conv, neck.conv_reduce.norm),
        (neck.local_conv[0], neck.local_conv[1]),
    ):
        set_values(convolution, weight=next(convolutions)[0])
        scale, shift, mean, variance = (graph.constants[name] for name in next(batch_norms).input[1:])
        set_values(norm, weight=scale, bias=shift, running_mean=mean, running_var=variance)
    for block in neck.svtr_block:
        for norm in (block.norm1, block.norm2):
            weight, bias = next(norms)
            set_values(norm, weight=weight, bias=bias)
        for layer in (block.mixer.qkv, block.mixer.proj, block.mlp.fc1, block.mlp.fc2):
            weight, bias = next(linear)
            set_values(layer, weight=weight.T, bias=bias)
    weight, bias = next(norms)
    set_values(neck.norm, weight=weight, bias=bias)
    weight, bias = next(linear)
    set_values(network.head.fc, weight=weight.T[[0, *keep]], bias=bias[[0, *keep]])
    left = [len(list(rest)) for rest in (convolutions, linear, norms, batch_norms)]
    if any(left):
        raise ValueError(f"{left} convolutions, layers, norms and batch norms are left over")
    return model.eval()


def _fill_backbone(backbone: nn.Module, convolutions: Iterator[_Weights]) -> None:
    stem: Any = backbone.conv1
    weight, bias = next(convolutions)
    # Paddle's BGR in [-1, 1] is 1 - 2x of kraken's inverted RGB in [0, 1].
    _set(stem.stem1.conv, stem.stem1.bn, (-2 * weight[:, ::-1], bias + weight.sum((1, 2, 3))))
    for part in (stem.stem2a, stem.stem2b, stem.stem3, stem.stem4):
        _set(part.conv, part.bn, next(convolutions))
    for name in ("blocks2", "blocks3", "blocks4", "blocks5"):
        for block in getattr(backbone, name):
            weights = next(convolutions)
            first = block.token_mixer[0]
            if isinstance(first, RepDWConv):
                set_depthwise(first, *map(_tensor, weights))
            else:
                _set(first.conv, first.bn, weights)
            if len(block.token_mixer) > 1:
                for layer in (block.token_mixer.se.conv1, block.token_mixer.se.conv2):
                    weight, bias = next(convolutions)
                    set_values(layer, weight=weight, bias=bias)
            for part in (block.channel_mixer.expand, block.channel_mixer.compress):
                _set(part.conv, part.bn, next(convolutions))


def _set(convolution: nn.Conv2d, norm: nn.BatchNorm2d, weights: _Weights) -> None:
    set_convolution(convolution, norm, *map(_tensor, weights))


def _tensor(values: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32))
