"""All files of a bundle, but for its card."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import dataclass
from typing import Any

from safetensors.torch import save

from studio.assets import resource
from studio.compile.plan import Plan, has_backbone
from studio.compile.source import class_name, class_source, source_imports
from studio.data.scaling import Scaling
from studio.evaluation.parts import Preparation
from studio.export.bundle.parts import BundlePart, bundle_part
from studio.training.checkpoint import Checkpoint

PREDICT = "predict.py"
_NEEDED = ("torch", "numpy", "safetensors")

_NETWORK = '''
"""{title}: a network made with Training Studio. It needs only {needs}."""

import torch
from torch import nn
{imports}

'''


@dataclass(frozen=True)
class Bundle:
    """What goes into the folder.

    Args:
        files: the content of each file, by its name.
        parts: what is to be given.
        packages: what it needs, with the versions that are installed here, such as torch==2.14.1.
    """

    files: dict[str, bytes]
    parts: tuple[BundlePart, ...]
    packages: tuple[str, ...]


def make_bundle(checkpoint: Checkpoint, plan: Plan, preparation: Preparation) -> Bundle:
    """The files.

    Args:
        preparation: what the checkpoint says of its data, checked.

    Raises:
        ExportError: if an input cannot be read without the studio.
    """
    parts = _parts(checkpoint, preparation)
    packages = _packages(plan, parts)
    name = class_name(checkpoint.project.title)
    texts = {
        "network.py": _network(plan, name),
        "model.json": json.dumps(_about(name, checkpoint, preparation, parts), indent=1, ensure_ascii=False),
        "requirements.txt": "".join(f"{package}\n" for package in packages),
    }
    for module in ("predict", *(module for part in parts for module in part.modules)):
        texts[f"{module}.py"] = resource("bundle", f"{module}.py").read_text(encoding="utf-8")
    for part in parts:
        texts |= part.files
    files = {name: text.encode() for name, text in texts.items()}
    weights = {name: tensor.contiguous() for name, tensor in checkpoint.model.items()}
    return Bundle({**files, "model.safetensors": save(weights)}, parts, packages)


def _parts(checkpoint: Checkpoint, preparation: Preparation) -> tuple[BundlePart, ...]:
    found, start = [], 0
    for number, part in enumerate(preparation.parts):
        given = checkpoint.preparation["inputs"][start : start + part.form.inputs]
        found.append(bundle_part(part, number, given, preparation.tokens[start]))
        start += part.form.inputs
    return tuple(found)


def _about(
    name: str, checkpoint: Checkpoint, preparation: Preparation, parts: tuple[BundlePart, ...]
) -> dict[str, Any]:
    """What predict.py has to know."""
    scaled = [
        part.scaled for part, given in zip(parts, preparation.parts, strict=True) for _ in range(given.form.inputs)
    ]
    answers = preparation.scalings[0] if preparation.target.is_input else preparation.answers
    return {
        "title": checkpoint.project.title,
        "network": name,
        "kind": preparation.kind,
        "names": list(preparation.target.names),
        "parts": [part.about for part in parts],
        "inputs": [
            (Scaling() if done else scaling).to_json()
            for done, scaling in zip(scaled, preparation.scalings, strict=True)
        ],
        "answers": answers.to_json(),
    }


def _network(plan: Plan, name: str) -> str:
    imports = source_imports(plan)
    head = _NETWORK.format(
        title=name, needs="torch and torchvision" if imports else "torch", imports="".join(f"{i}\n" for i in imports)
    )
    return f"{head.strip()}\n\n\n{class_source(plan, name).strip()}\n"


def _packages(plan: Plan, parts: tuple[BundlePart, ...]) -> tuple[str, ...]:
    names = [*_NEEDED, *(["torchvision"] if has_backbone(plan) else []), *(p for part in parts for p in part.packages)]
    # What stands behind a plus sign says how it was built, which others cannot fetch by that name.
    return tuple(f"{name}=={importlib.metadata.version(name).split('+')[0]}" for name in dict.fromkeys(names))
