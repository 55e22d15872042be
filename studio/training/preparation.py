"""What someone needs to use a trained network on raw inputs."""

from __future__ import annotations

from typing import Any

from studio.compile.plan import Plan
from studio.data.choice import INPUT
from studio.data.dataset import Dataset


def describe_preparation(dataset: Dataset, plan: Plan) -> dict[str, Any]:
    """What someone needs to use the network on raw inputs: what was learned of them and their scaling, names and
    places of the answers, and how these are scaled.

    Where token numbers stand for characters, or numbers have names, these are given, too; where the input is to be
    predicted, the answers are in the units of its scaling.
    """
    target = dataset.spec.target
    return {
        "inputs": [
            {
                "name": name,
                "dims": list(spec.dims),
                "axes": spec.axes,
                "dtype": spec.dtype,
                "scaling": scaling.to_json(),
                **({learned.key: learned.to_json()} if learned is not None else {}),
                **({"characters": dataset.spec.characters} if dataset.spec.characters else {}),
                **({"features": list(dataset.spec.features)} if dataset.spec.features and learned is None else {}),
            }
            for (name, spec), scaling, learned in zip(plan.inputs, dataset.scalings, dataset.learned, strict=True)
        ],
        "task": target.task,
        "names": list(target.names),
        **({"answers": dataset.answers.to_json()} if dataset.answers.shift else {}),
        **({"target": INPUT} if target.is_input else {"places": list(target.dims)} if target.dims else {}),
    }
