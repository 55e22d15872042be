"""Predicts with a trained network. It needs what requirements.txt names, and nothing else.

    from predict import load

    model = load(".")
    print(model.predict("a file"))

Or: python predict.py FILE...

Axis letters: N batch, K classes or labels, D numbers, T steps.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import network
import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

BATCH = 64  # samples that are computed at once


def load(folder: str | Path = ".", device: str = "cpu") -> Model:
    """The network with its weights, ready to predict.

    Args:
        folder: this one.
        device: such as "cpu" or "cuda".
    """
    return Model(Path(folder), torch.device(device))


class Model:
    """A trained network, with what it needs to read raw samples and to tell its answers."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.about: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        self.device = device
        self.network = getattr(network, self.about["network"])()
        self.network.load_state_dict(load_file(folder / "model.safetensors"))
        self.network.to(device).eval()
        self.parts = [_reader(part, folder) for part in self.about["parts"]]

    def predict(self, given: Any, top: int = 5) -> Any:
        """The answer to one sample; to a table with many rows a list of them.

        Args:
            given: what README.md says: a file's name, or the sample itself. Of several inputs a list in their order, or
                a dict of their names.
            top: how many classes at most.

        Raises:
            ValueError: if it cannot be read; the message says why.
        """
        if len(self.parts) == 1 and _is_table(self.parts[0], given):
            return list(self.predict_all(self.parts[0].rows(Path(given)), top))
        return next(self.predict_all([given], top))

    def predict_all(self, many: Iterable[Any], top: int = 5) -> Iterator[dict[str, Any]]:
        """The answers to many samples, in order."""
        waiting = []
        for given in many:
            waiting.append(self._read(given))
            if len(waiting) == BATCH:
                yield from self._answers(waiting, top)
                waiting = []
        if waiting:
            yield from self._answers(waiting, top)

    def scores(self, given: Any) -> Tensor:
        """What the network itself answers to one sample: raw scores or scaled numbers (*dims)."""
        tensors, _ = self._read(given)
        with torch.inference_mode():
            answer: Tensor = self.network(*(tensor.to(self.device) for tensor in tensors))
        return answer[0].float().cpu()

    def _read(self, given: Any) -> tuple[list[Tensor], int]:
        """The tensors of each input (1, *dims), scaled as in training, and how many steps are real (0: all)."""
        arrays: list[np.ndarray] = []
        places = 0
        for reader, value in zip(self.parts, self._shared_out(given), strict=True):
            found, places = reader.read(value)
            arrays += found
        pairs = zip(arrays, self.about["inputs"], strict=True)
        return [_scaled(torch.from_numpy(np.array(array))[None], about) for array, about in pairs], places

    def _shared_out(self, given: Any) -> list[Any]:
        names = [part["name"] for part in self.about["parts"]]
        if len(names) == 1:
            return [given]
        if isinstance(given, dict) and all(name in given for name in names):
            return [given[name] for name in names]
        if isinstance(given, (list, tuple)) and len(given) == len(names):
            return list(given)
        raise ValueError(f"The network has {len(names)} inputs: give a value for each of {', '.join(names)}.")

    def _answers(self, read: list[tuple[list[Tensor], int]], top: int) -> Iterator[dict[str, Any]]:
        inputs = [torch.cat(tensors).to(self.device) for tensors in zip(*(one for one, _ in read), strict=True)]
        with torch.inference_mode():
            scores = self.network(*inputs).float().cpu()
        for one, (_, places) in zip(scores, read, strict=True):
            yield self._meaning(one, places, top)

    def _meaning(self, scores: Tensor, places: int, top: int) -> dict[str, Any]:
        """What the answer (K,), (D,), (T, K) or (K, *places) to one sample means."""
        kind, names = self.about["kind"], self.about["names"]
        if kind == "numbers":
            return {"answer": self._numbers(scores)}
        if kind == "labels":
            shares = scores.sigmoid().tolist()
            said = [name for name, share in zip(names, shares, strict=True) if share > 0.5]
            return {"answer": said, "probabilities": _ranked(names, shares, top)}
        if kind in ("classes", "next token"):
            known = scores if kind == "classes" else scores[(places or len(scores)) - 1]
            shares = known.softmax(0).tolist()
            ranked = _ranked(names, shares, top)
            return {"answer": next(iter(ranked)), "probabilities": ranked}
        steps = kind == "classes of steps"
        found = scores.argmax(1 if steps else 0).numpy()
        if steps:
            return {"answer": [names[number] for number in found[: places or None].tolist()]}
        return {"answer": found, "names": dict(enumerate(names))}

    def _numbers(self, scores: Tensor) -> Any:
        """Numbers in their own units, by their names."""
        about = self.about["answers"]
        if about["shift"]:
            shift, scale = _along(about, scores.ndim + 1)
            scores = (scores[None] / scale + shift)[0]
        names = self.about["names"]
        if scores.shape != (len(names),):
            return scores.numpy()
        return dict(zip(names, scores.tolist(), strict=True))


def _reader(part: dict[str, Any], folder: Path) -> Any:
    return importlib.import_module(part["module"]).Reader(part, folder)


def _is_table(reader: Any, given: Any) -> bool:
    return hasattr(reader, "rows") and isinstance(given, (str, Path))


def _along(about: dict[str, Any], rank: int) -> tuple[Tensor, Tensor]:
    shape = (*[1] * (rank - 1), -1) if about.get("last") else (1, -1, *[1] * (rank - 2))
    return torch.tensor(about["shift"]).view(shape), torch.tensor(about["scale"]).view(shape)


def _scaled(x: Tensor, about: dict[str, Any]) -> Tensor:
    """As in training, (N, *dims)."""
    if not about["shift"]:
        return x
    shift, scale = _along(about, x.ndim)
    return (x.float() - shift) * scale


def _ranked(names: list[str], shares: list[float], top: int) -> dict[str, float]:
    order = sorted(range(len(shares)), key=lambda number: -shares[number])[:top]
    return {names[number]: shares[number] for number in order}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _line(answer: dict[str, Any]) -> str:
    said = answer["answer"]
    if "probabilities" in answer:
        ranked = ", ".join(f"{name} {share:.1%}" for name, share in answer["probabilities"].items())
        return f"{', '.join(said) or 'none' if isinstance(said, list) else said} ({ranked})"
    if isinstance(said, dict):
        return ", ".join(f"{name} {number:g}" for name, number in said.items())
    return " ".join(said) if isinstance(said, list) else json.dumps(_plain(said))


def main() -> int:
    """Predict for the files of the command line; those that cannot be read are told, and the others go on."""
    parser = argparse.ArgumentParser(description="Predict with the trained network in this folder.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--top", type=int, default=3, help="how many classes to tell")
    parser.add_argument("--device", default="cpu", help="such as cuda")
    parser.add_argument("--json", action="store_true", help="one JSON object for each answer")
    options = parser.parse_args()
    model = load(Path(__file__).resolve().parent, options.device)
    each = len(model.parts)
    if len(options.files) % each:
        parser.error(f"the network has {each} inputs: give so many files for each sample")
    failed = False
    for start in range(0, len(options.files), each):
        paths = [Path(name) for name in options.files[start : start + each]]
        try:
            found = model.predict(paths[0] if each == 1 else paths, options.top)
        except (ValueError, OSError) as error:
            print(f"{paths[0]}: {error}", file=sys.stderr)
            failed = True
            continue
        for answer in found if isinstance(found, list) else [found]:
            said = json.dumps({"file": str(paths[0]), **answer}, default=_plain, ensure_ascii=False)
            print(said if options.json else f"{paths[0]}: {_line(answer)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
