"""Where networks come from: torchvision by name, or a class in a Python file."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from studio import storage
from studio.data.base import DataError
from studio.data.scaling import Scaling
from studio.importing.errors import NetworkImportError
from studio.tensors import TensorSpec
from studio.training.pretrained import WeightsFile

MAX_SOURCE_BYTES = 10_000_000
NO_SCALING = Scaling()
IMAGE = TensorSpec((3, 224, 224), "CHW")


@dataclass(frozen=True)
class Origin:
    """A network before it becomes a graph.

    Args:
        module: with its weights.
        title: for people.
        scaling: what its inputs went through in training, from bytes 0 to 255; the identity if that is not known.
        labels: names of its answers, if they are known.
    """

    module: nn.Module
    title: str
    scaling: Scaling = NO_SCALING
    labels: tuple[str, ...] = ()


def torchvision_names() -> list[str]:
    """Every network for images that torchvision offers."""
    from torchvision import models

    return list(models.list_models(models))


def learned_file(name: str) -> WeightsFile:
    """The file of the learned weights of a network. Raises NetworkImportError if it has none."""
    weights = _weights(name)
    return WeightsFile(name, weights.url, round(weights.meta["_file_size"] * 2**20))


def from_torchvision(name: str, *, pretrained: bool = False) -> Origin:
    """A network of torchvision.

    Args:
        name: one of `torchvision_names()`.
        pretrained: with learned weights, which are fetched from the internet once; otherwise with fresh ones.

    Raises:
        NetworkImportError: if there is no such network, or its weights could not be fetched.
    """
    from torchvision import models

    known = torchvision_names()
    if name not in known:
        near = ", ".join(other for other in known if other[:3] == name[:3]) or ", ".join(known)
        raise NetworkImportError(f"torchvision has no network “{name[:60]}”. There are: {near}.")
    quiet: dict[str, Any] = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}  # else it warns
    if not pretrained:
        return Origin(models.get_model(name, weights=None, **quiet), name)
    weights = _weights(name)
    try:
        learned_file(name).download()
        module = models.get_model(name, weights=weights, progress=False)  # finds the file
    except (DataError, OSError, RuntimeError) as error:  # no network, a broken download
        raise NetworkImportError(f"The weights of {name} could not be fetched: {error}") from error
    preset = weights.transforms()
    shift = tuple(255.0 * mean for mean in preset.mean)
    scale = tuple(1 / (255.0 * deviation) for deviation in preset.std)
    return Origin(module, name, Scaling(shift, scale), tuple(weights.meta.get("categories", ())))


def _weights(name: str) -> Any:
    from torchvision import models

    try:
        return models.get_model_weights(name).DEFAULT
    except (ValueError, AttributeError) as error:
        raise NetworkImportError(f"torchvision has no learned weights for “{name[:60]}”.") from error


def read_source(path: Path) -> str:
    """The text of a Python file, for a person to read before it runs. Raises StorageError or NetworkImportError."""
    content = storage.read_bytes(path, MAX_SOURCE_BYTES)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NetworkImportError(f"{path} is not UTF-8 text (byte {error.start}).") from error


def from_python_file(path: Path, class_name: str, trusted_source: str) -> Origin:
    """A network that a Python file declares. This runs the file.

    Args:
        class_name: a subclass of `nn.Module` that needs no arguments, or a function that gives one; empty for the only
            such class of the file.
        trusted_source: the text that the person has read and trusts; nothing else is run.

    Raises:
        StorageError: if it cannot be read.
        NetworkImportError: if it changed since, does not run, or has no such class.
    """
    if read_source(path) != trusted_source:
        raise NetworkImportError(f"{path} changed since it was read. Read it again before it runs.")
    namespace = _run(path, trusted_source)
    made = _chosen(namespace, path, class_name)
    try:
        module = made()
    except Exception as error:  # whatever it raises
        raise NetworkImportError(f"{path}: {made.__name__}() failed: {type(error).__name__}: {error}") from error
    if not isinstance(module, nn.Module):
        raise NetworkImportError(f"{path}: {made.__name__} gives no torch.nn.Module.")
    return Origin(module, made.__name__)


def _run(path: Path, source: str) -> dict[str, Any]:
    """The names that a file declares. It is a module of its own, so that classes in it can find each other."""
    name = f"imported_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except Exception as error:  # whatever it raises
        raise NetworkImportError(f"{path} does not run: {type(error).__name__}: {error}") from error
    finally:
        del sys.modules[name]
    return dict(module.__dict__)


def _chosen(namespace: dict[str, Any], path: Path, class_name: str) -> Any:
    module_name = namespace["__name__"]
    classes = [
        value
        for value in namespace.values()
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == module_name
    ]
    if class_name:
        if callable(namespace.get(class_name)):
            return namespace[class_name]
    elif len(classes) == 1:
        return classes[0]
    names = ", ".join(found.__name__ for found in classes) or "none"
    wanted = f"has no “{class_name[:60]}”" if class_name else "does not have exactly one class of torch.nn.Module"
    raise NetworkImportError(f"{path} {wanted}. Name one after a colon. There are: {names}.")
