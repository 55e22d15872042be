"""Layers of `torch.nn` as blocks: the other way round from what a block records."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from torch import nn

from studio.blocks import Block, registry
from studio.tensors import TensorSpec

# From a layer and what comes to it to the block that is the same; None if there is none.
Converter = Callable[[Any, TensorSpec], Block | None]


def block(kind: str, **fields: Any) -> Block:
    """A block of a kind. Raises FieldError if a value is out of its range."""
    return registry.get(kind)(**fields)


def one_number(value: Any) -> int | None:
    """A size that is the same along all axes; None if it differs."""
    numbers = set(value) if isinstance(value, tuple | list) else {value}
    number = numbers.pop()
    return int(number) if not numbers and isinstance(number, int) else None


def _convolution(kind: str) -> Converter:
    def convert(layer: Any, _given: TensorSpec) -> Block | None:
        names = ("kernel_size", "stride", "padding")
        sizes: dict[str, Any] = {name: 0 if getattr(layer, name) == "valid" else getattr(layer, name) for name in names}
        fields = {name: one_number(size) for name, size in sizes.items()}
        if kind == "conv2d" and None in fields.values() and "same" not in sizes.values():
            fields = {name: size[0] if isinstance(size, tuple) else size for name, size in sizes.items()}
            fields |= {
                f"{name.removesuffix('_size')}_width": size[1]
                for name, size in sizes.items()
                if one_number(size) is None
            }
        fields["dilation"] = one_number(layer.dilation)
        if layer.padding_mode != "zeros" or None in fields.values():
            return None
        return block(kind, filters=layer.out_channels, groups=layer.groups, bias=layer.bias is not None, **fields)

    return convert


def _transposed(kind: str) -> Converter:
    def convert(layer: Any, _given: TensorSpec) -> Block | None:
        names = ("kernel_size", "stride", "padding", "output_padding")
        sizes = {name: one_number(getattr(layer, name)) for name in names}
        if layer.padding_mode != "zeros" or None in sizes.values() or one_number(layer.dilation) != 1:
            return None
        return block(kind, filters=layer.out_channels, bias=layer.bias is not None, **sizes)

    return convert


def _pooling(kind: str) -> Converter:
    def convert(layer: Any, _given: TensorSpec) -> Block | None:
        size, stride = one_number(layer.kernel_size), one_number(layer.stride)
        padding = one_number(layer.padding)
        if None in (size, stride, padding) or one_number(getattr(layer, "dilation", 1)) != 1:
            return None
        return block(kind, size=size, stride=0 if stride == size else stride, padding=padding, partial=layer.ceil_mode)

    return convert


def _adaptive(kind: str) -> Converter:
    def convert(layer: Any, _given: TensorSpec) -> Block | None:
        size = one_number(layer.output_size)
        return None if size is None else block(kind, size=size)

    return convert


def _batch_norm(layer: Any, _given: TensorSpec) -> Block | None:
    if not layer.affine or not layer.track_running_stats or layer.momentum is None:
        return None
    return block("batch_norm", momentum=float(layer.momentum), epsilon=float(layer.eps))


def _layer_norm(layer: nn.LayerNorm, _given: TensorSpec) -> Block | None:
    if len(layer.normalized_shape) != 1 or not layer.elementwise_affine or layer.bias is None:
        return None
    return block("layer_norm", epsilon=float(layer.eps))


def _recurrent(kind: str) -> Converter:
    """The one that gives the whole sequence; who asks for the last state only changes it."""

    def convert(layer: Any, _given: TensorSpec) -> Block | None:
        if not layer.batch_first or not layer.bias or layer.proj_size:
            return None
        extra: dict[str, Any] = {"nonlinearity": layer.nonlinearity} if kind == "rnn" else {}
        return block(
            kind, units=layer.hidden_size, layers=layer.num_layers, bidirectional=layer.bidirectional,
            dropout=float(layer.dropout), output="sequence", **extra,
        )  # fmt: skip

    return convert


def _embedding(layer: nn.Embedding, _given: TensorSpec) -> Block | None:
    if layer.padding_idx is not None or layer.max_norm is not None:
        return None
    return block("embedding", vocabulary=layer.num_embeddings, features=layer.embedding_dim)


def _upsample(layer: nn.Upsample, _given: TensorSpec) -> Block | None:
    mode = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}
    factor = layer.scale_factor
    if layer.mode not in mode or layer.align_corners or not isinstance(factor, int | float) or factor != int(factor):
        return None
    return block("upsample", factor=int(factor), mode=mode[layer.mode])


def _softmax(kind: str) -> Converter:
    return lambda layer, given: block(kind) if layer.dim in (-1, len(given.dims)) else None


def _flatten(layer: nn.Flatten, _given: TensorSpec) -> Block | None:
    return block("flatten") if (layer.start_dim, layer.end_dim) == (1, -1) else None


def _plain(kind: str, **attributes: str) -> Converter:
    """A block whose fields are attributes of the layer under other names."""
    return lambda layer, _given: block(kind, **{name: getattr(layer, own) for name, own in attributes.items()})


CONVERTERS: dict[str, Converter] = {
    "Linear": lambda layer, _given: block("dense", units=layer.out_features, bias=layer.bias is not None),
    "Bilinear": lambda layer, _given: block("bilinear", units=layer.out_features, bias=layer.bias is not None),
    **{f"Conv{n}d": _convolution(f"conv{n}d") for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": _transposed(f"conv_transpose{n}d") for n in (1, 2, 3)},
    **{f"MaxPool{n}d": _pooling("max_pool") for n in (1, 2, 3)},
    **{f"AvgPool{n}d": _pooling("average_pool") for n in (1, 2, 3)},
    **{f"AdaptiveAvgPool{n}d": _adaptive("adaptive_average_pool") for n in (1, 2, 3)},
    **{f"AdaptiveMaxPool{n}d": _adaptive("adaptive_max_pool") for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": _batch_norm for n in (1, 2, 3)},
    "LayerNorm": _layer_norm,
    "GroupNorm": lambda layer, _given: block("group_norm", groups=layer.num_groups, epsilon=float(layer.eps)),
    "LocalResponseNorm": _plain("local_response_norm", size="size", alpha="alpha", beta="beta", k="k"),
    "Dropout": _plain("dropout", rate="p"),
    **{f"Dropout{n}d": _plain("spatial_dropout", rate="p") for n in (1, 2, 3)},
    "AlphaDropout": _plain("alpha_dropout", rate="p"),
    "Embedding": _embedding,
    "RNN": _recurrent("rnn"),
    "GRU": _recurrent("gru"),
    "LSTM": _recurrent("lstm"),
    "Flatten": _flatten,
    "Upsample": _upsample,
    "PixelShuffle": _plain("pixel_shuffle", factor="upscale_factor"),
    "PixelUnshuffle": _plain("pixel_unshuffle", factor="downscale_factor"),
    "ChannelShuffle": _plain("channel_shuffle", groups="groups"),
    "ReLU": _plain("relu"),
    "ReLU6": _plain("relu6"),
    "GELU": _plain("gelu"),
    "SiLU": _plain("silu"),
    "Mish": _plain("mish"),
    "SELU": _plain("selu"),
    "ELU": _plain("elu", alpha="alpha"),
    "CELU": _plain("celu", alpha="alpha"),
    "LeakyReLU": _plain("leaky_relu", slope="negative_slope"),
    "Hardswish": _plain("hardswish"),
    "Hardsigmoid": _plain("hardsigmoid"),
    "Hardtanh": _plain("hardtanh", low="min_val", high="max_val"),
    "Softplus": _plain("softplus", beta="beta"),
    "Softsign": _plain("softsign"),
    "Tanhshrink": _plain("tanhshrink"),
    "LogSigmoid": _plain("log_sigmoid"),
    "Sigmoid": _plain("sigmoid"),
    "Tanh": _plain("tanh"),
    "PReLU": lambda layer, _given: block("prelu", per_channel=layer.num_parameters > 1),
    "GLU": _plain("glu"),
    "Softmax": _softmax("softmax"),
    "LogSoftmax": _softmax("log_softmax"),
}


def convert(layer: nn.Module, given: TensorSpec) -> Block | None:
    """The block that does what a layer does; None if there is none.

    Args:
        given: what comes to it.
    """
    converter = CONVERTERS.get(type(layer).__name__)
    return converter(layer, given) if converter is not None else None


_IN_PLACE = re.compile(r"(, )?inplace=(True|False)")
_SAME_ALONG_ALL_AXES = re.compile(r"\((-?\d+)(?:, \1)+\)")


def described(layer: nn.Module) -> str:
    """All that a layer's class says of its settings, in one way; but not whether it works in place."""
    return _SAME_ALONG_ALL_AXES.sub(r"\1", _IN_PLACE.sub("", repr(layer)))
