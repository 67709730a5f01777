"""Models of kraken's recognition that read: made here, since none can be fetched, and kept as a recipe, not as bytes.

One is PP-OCRv6's bundled recognition network, weight for weight in kraken's own implementation of it. The
re-parameterised depthwise convolutions come fused, so their kernel gives its identity branch back and the third branch
is zero; kraken feeds inverted RGB in [0, 1] where Paddle feeds BGR in [-1, 1], so the first convolution takes in x → 1 − 2x.

The other is a small VGSL network, trained for some seconds on lines drawn with the demo's font.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
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
from PIL import Image, ImageDraw
from torch import nn

from archive_pipeline.demo.typing import font
from archive_pipeline.durable import file_digest
from archive_pipeline.engines.ppocr_recognition import is_latin
from archive_pipeline.models.entry import Task
from archive_pipeline.models.installed import InstalledFile, InstalledModel

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


# --- a small VGSL network ------------------------------------------------------------------------------------------

LETTERS = "aehlos "
HEIGHT = 24


def draw_words(text: str, size: int = 30) -> Image.Image:
    """A line of black letters on white, with a margin of 4 pixels."""
    _, top, _, bottom = font(size).getbbox("b" + text + "g")
    image = Image.new("L", (round(font(size).getlength(text)) + 8, round(bottom - top) + 8), 255)
    ImageDraw.Draw(image).text((4, 4 - top), text, font=font(size), fill=0)
    return image


def random_words(draw: random.Random, letters: str = LETTERS.strip()) -> str:
    return " ".join("".join(draw.choices(letters, k=draw.randint(2, 5))) for _ in range(draw.randint(1, 3)))


def train_network(steps: int = 150, seed: int = 1914) -> TorchVGSLModel:
    """A network of kraken that reads :data:`LETTERS` in the demo's font, after some seconds on one thread."""
    draw = random.Random(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = TorchVGSLModel(
            vgsl=f"[1,{HEIGHT},0,1 Cr3,3,12 Mp2,2 Cr3,3,24 Mp2,2 S1(1x0)1,3 Lbx32 O1c{len(LETTERS) + 1}]",
            codec={letter: [code] for code, letter in enumerate(LETTERS, start=1)},
            model_type=["recognition"],
            seg_type="baselines",
            legacy_polygons=False,
        )
        network.train()
        optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
        for _ in range(steps):
            texts = [random_words(draw) for _ in range(8)]
            images = [_as_input(draw_words(text, draw.randint(22, 36)), draw) for text in texts]
            widths = torch.tensor([image.shape[1] for image in images])
            batch = torch.zeros(len(images), 1, HEIGHT, int(widths.max()))
            for place, image in enumerate(images):
                batch[place, 0, :, : image.shape[1]] = image
            logits, lengths = network.nn(batch, widths)
            targets = [[LETTERS.index(letter) + 1 for letter in text] for text in texts]
            loss = nn.functional.ctc_loss(
                logits.squeeze(2).permute(2, 0, 1).log_softmax(2),
                torch.tensor([code for target in targets for code in target]),
                lengths,
                torch.tensor([len(target) for target in targets]),
                zero_infinity=True,
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return network.eval()


def _as_input(image: Image.Image, draw: random.Random) -> torch.Tensor:
    """Scaled, inverted and padded as kraken does it, with the edges of a boundary (black outside of it) at times."""
    pixels = np.asarray(
        image.resize((image.width * HEIGHT // image.height, HEIGHT), Image.Resampling.LANCZOS), np.float32
    )
    padded = np.pad(1 - pixels / 255, ((0, 0), (16, 16)))
    edge = draw.randint(0, 3)
    if edge:
        padded[:edge] = padded[-edge:] = 1
    return torch.from_numpy(padded)


def with_codec(network: TorchVGSLModel, letters: dict[str, str]) -> TorchVGSLModel:
    """A copy that says other letters for the same shapes."""
    codec = {letters.get(letter, letter): codes for letter, codes in network.codec.c2l.items()}
    other = TorchVGSLModel(
        vgsl=network.spec, codec=codec, model_type=["recognition"], seg_type="baselines", legacy_polygons=False
    )
    other.load_state_dict(network.state_dict())
    return other.eval()
