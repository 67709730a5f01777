"""kraken's PP-OCRv6 network in the form in which it is trained, and back.

Its batch normalisations stay as they are while a hand is learnt (a few hundred lines are too few to know a mean by), so
each is folded into the convolution before it, and a re-parameterised depthwise convolution becomes one kernel. 1 x 1
convolutions are matrix products over pixels. That is the same function in a third to a half of the time on a CPU.
Whatever is learnt goes back into kraken's own network, whose batch normalisations then add a bias and do nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from kraken.lib.ppocr.backbone import Conv2DBN, ConvBNAct, PPLCNetV4, RepDWConv, _same_pad
from kraken.lib.ppocr.necks import ConvBNLayer
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

_DOWN = 2  # last pooling across, of kraken's backbone


class Pointwise(nn.Module):
    """A 1 x 1 convolution as one matrix product; fast where channels come last in memory.

    Shapes: N x C x H x W to N x C' x H x W.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = nn.Parameter(convolution.weight.detach()[:, :, 0, 0].clone())
        self.bias = nn.Parameter(_bias(convolution))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)


class _SamePadding(nn.Module):
    def __init__(self, kernel_size: int, stride: int) -> None:
        super().__init__()
        self._size, self._stride = kernel_size, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded: torch.Tensor = _same_pad(x, self._size, self._stride)
        return padded


class _Backbone(nn.Module):
    """kraken's backbone whose last pooling does not ask for the height, which an export cannot follow."""

    def __init__(self, backbone: PPLCNetV4) -> None:
        super().__init__()
        self.conv1 = backbone.conv1
        self.blocks2, self.blocks3 = backbone.blocks2, backbone.blocks3
        self.blocks4, self.blocks5, self.blocks6 = backbone.blocks4, backbone.blocks5, backbone.blocks6

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for part in (self.conv1, self.blocks2, self.blocks3, self.blocks4, self.blocks5, self.blocks6):
            x = part(x)
        return functional.avg_pool2d(x.mean(2, keepdim=True), (1, _DOWN))


def fused(network: nn.Module) -> nn.Module:
    """A copy of kraken's network (``PPOCRv6Recognizer``) to train: ``forward(lines, widths)`` as kraken's."""
    copy: Any = deepcopy(network).eval()
    _fuse(copy)
    copy.backbone = _Backbone(copy.backbone)
    return copy.to(memory_format=torch.channels_last)  # type: ignore[no-any-return]


def write_back(trained: nn.Module, network: nn.Module) -> None:
    """Put what a fused copy has learnt into kraken's network."""
    _unfuse(trained, network)
    network.eval()


def _fuse(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if (instead := _fused_child(child)) is not None:
            setattr(module, name, instead)
        else:
            _fuse(child)


def _fused_child(child: nn.Module) -> nn.Module | None:
    """What stands for a part of kraken's network; None for one whose own parts are looked at."""
    if isinstance(child, RepDWConv):
        return _one_kernel(child)
    if isinstance(child, Conv2DBN):
        return _matrix(fuse_conv_bn_eval(child.conv, child.bn))
    if isinstance(child, ConvBNAct):
        before = [_SamePadding(child.kernel_size, child.stride)] if child.same else []
        return nn.Sequential(*before, _matrix(fuse_conv_bn_eval(child.conv, child.bn)), child.act)
    if isinstance(child, ConvBNLayer):
        return nn.Sequential(_matrix(fuse_conv_bn_eval(child.conv, child.norm)), child.act)
    if _is_local(child):
        return nn.Sequential(fuse_conv_bn_eval(child[0], child[1]), child[2])  # type: ignore[index]
    if isinstance(child, nn.Conv2d):
        return _matrix(child)
    return None


def _unfuse(trained: Any, network: nn.Module) -> None:
    for name, child in network.named_children():
        found = getattr(trained, name)
        if isinstance(child, RepDWConv):
            set_depthwise(child, found.weight, found.bias)
        elif isinstance(child, Conv2DBN | ConvBNAct):
            set_convolution(child.conv, child.bn, *_learnt(found))
        elif isinstance(child, ConvBNLayer):
            set_convolution(child.conv, child.norm, *_learnt(found))
        elif _is_local(child):
            set_convolution(child[0], child[1], *_learnt(found))  # type: ignore[index]
        elif isinstance(child, nn.Conv2d):
            weight, bias = _learnt(found)
            set_values(child, weight=weight.reshape(child.weight.shape), bias=bias)
        elif next(child.children(), None) is not None:
            _unfuse(found, child)
        else:
            child.load_state_dict(found.state_dict())


def _is_local(child: nn.Module) -> bool:
    return isinstance(child, nn.Sequential) and len(child) == 3 and isinstance(child[1], nn.BatchNorm2d)


def _one_kernel(mixer: Any) -> nn.Conv2d:
    """The three branches of a re-parameterised depthwise convolution, and the norm after them, as one kernel."""
    inner: nn.Conv2d = fuse_conv_bn_eval(mixer.conv.conv, mixer.conv.bn)
    with torch.no_grad():
        middle = inner.weight.shape[-1] // 2
        inner.weight[:, 0, middle, middle] += 1 + mixer.conv1.weight[:, 0, 0, 0]
    return fuse_conv_bn_eval(inner, mixer.bn)


def _matrix(convolution: nn.Conv2d) -> nn.Module:
    plain = convolution.kernel_size == (1, 1) and convolution.groups == 1 and convolution.stride == (1, 1)
    return Pointwise(convolution) if plain else convolution


def _bias(convolution: nn.Conv2d) -> torch.Tensor:
    return torch.zeros(convolution.out_channels) if convolution.bias is None else convolution.bias.detach().clone()


def _learnt(found: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of the one layer with weights in a fused part."""
    layers: Iterator[Any] = (part for part in found.modules() if isinstance(part, nn.Conv2d | Pointwise))
    layer = next(layers)
    return layer.weight, layer.bias


def set_convolution(convolution: nn.Conv2d, norm: nn.BatchNorm2d, weight: torch.Tensor, bias: torch.Tensor) -> None:
    """Have a convolution without bias and the norm after it do what one convolution with a bias does."""
    set_values(convolution, weight=weight.reshape(convolution.weight.shape))
    _neutral(norm, bias)


def set_depthwise(mixer: Any, weight: torch.Tensor, bias: torch.Tensor) -> None:
    """Have kraken's re-parameterised depthwise convolution do what one kernel does."""
    kernel = weight.detach().clone()
    middle = kernel.shape[-1] // 2
    kernel[:, 0, middle, middle] -= 1  # the identity branch adds it again
    set_convolution(mixer.conv.conv, mixer.conv.bn, kernel, torch.zeros_like(bias))
    set_values(mixer.conv1, weight=torch.zeros_like(mixer.conv1.weight))
    _neutral(mixer.bn, bias)


def _neutral(norm: nn.BatchNorm2d, bias: torch.Tensor) -> None:
    """A batch normalisation that adds a bias, and does nothing else."""
    ones = torch.ones_like(bias)
    set_values(norm, weight=ones, bias=bias, running_mean=0 * ones, running_var=ones - norm.eps)


@torch.no_grad()
def set_values(module: nn.Module, **values: torch.Tensor | NDArray[np.float32]) -> None:
    """Set parameters and buffers of a module by name.

    Raises:
        ValueError: One has another shape.
    """
    for name, value in values.items():
        target: torch.Tensor = getattr(module, name)
        new = torch.from_numpy(np.array(value, dtype=np.float32)) if isinstance(value, np.ndarray) else value.detach()
        if target.shape != new.shape:
            raise ValueError(f"{name} has {tuple(new.shape)} where {tuple(target.shape)} is wanted")
        target.copy_(new)
