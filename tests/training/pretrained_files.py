"""Files of learned weights as torchvision has them, but with random numbers."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from studio.blocks.torchvision_backbone import NETWORKS
from studio.project import Project
from studio.training import pretrained
from studio.training.pretrained import WeightsFile, weights_file
from tests.helpers import block, chain
from tests.training.conftest import with_settings

NETWORK = "mobilenet_v3_small"


def learned(network: str = NETWORK) -> dict[str, torch.Tensor]:
    """Tensors with the names and sizes of a network, whose norms do something."""
    torch.manual_seed(11)
    tensors = get_model(network, weights=None).state_dict()
    return {n: t.uniform_(0.5, 1.5) if "running" in n else t for n, t in tensors.items()}


def content_of(tensors: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()


def offer(monkeypatch: pytest.MonkeyPatch, content: bytes, address: str = "http://127.0.0.1:1/") -> WeightsFile:
    """Let torchvision's file of the network be this, at an address where nobody else is asked."""
    name = f"{NETWORK}-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    monkeypatch.setitem(NETWORKS, NETWORK, NETWORKS[NETWORK]._replace(file=name, size_bytes=len(content)))
    monkeypatch.setattr(pretrained, "ADDRESS", address)
    return weights_file(NETWORK)


def put(file: WeightsFile, content: bytes) -> Path:
    """Have it downloaded."""
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.path.write_bytes(content)
    return file.path


def digits_project(**settings: object) -> Project:
    """The digits, made large and coloured for the first part of a network."""
    layers = [
        block("upsample", factor=4), block("conv2d", filters=3, kernel_size=1),
        block("backbone", network=NETWORK, stage="1/4"), block("global_average_pool"), block("dense", units=10),
    ]  # fmt: skip
    graph = chain(block("input", shape=(1, 8, 8)), *layers, block("output"))
    return replace(with_settings("digits-mlp", epochs=1, **settings), graph=graph)
