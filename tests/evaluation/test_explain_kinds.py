"""Every method of explanation on every kind of data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from studio.evaluation.explain.explained import FEATURES, PICTURE, SERIES, WORDS, Question, convolutions, explain
from studio.evaluation.explain.methods import Method, registry
from studio.evaluation.trained import Trained
from studio.fields import replace as replace_fields
from studio.fields import specs
from tests.evaluation.kinds_of_data import KINDS

LOOKS = {
    "picture": (PICTURE,), "pixels": (PICTURE,), "vit": (PICTURE,), "text": (WORDS,), "next-token": (WORDS,),
    "translation": (WORDS, WORDS), "numbers": (FEATURES,), "columns": (FEATURES,), "embedded": (FEATURES, FEATURES),
    "series": (SERIES,), "sound": (SERIES,), "mask": (PICTURE,), "autoencoder": (PICTURE,),
}  # fmt: skip
FEW = {"samples": 12, "steps": 3, "parts": 9, "window": 6, "stride": 6}


def quick(kind: str) -> Method:
    """The method with settings that ask the network only a few times."""
    method = registry.get(kind)()
    known = {spec.name for spec in specs(type(method))}
    return replace_fields(method, **{name: value for name, value in FEW.items() if name in known})


@pytest.mark.parametrize("data", KINDS)
def test_every_method_explains_every_input(trained_on: Callable[[str], Trained], data: str) -> None:
    trained = trained_on(data)
    layers = convolutions(trained.model)
    assert len(LOOKS[data]) == len(trained.dataset.inputs)
    row = int(trained.dataset.splits["test"][0])
    for which, look in enumerate(LOOKS[data]):
        for method in registry:
            layer = layers[0] if method.kind == "grad-cam" and layers else ""
            if method.kind == "grad-cam" and not layers:
                continue
            found = explain(trained, Question(row, which=which, layer=layer), quick(method.kind))
            assert found.kind == look, method.kind
            assert np.isfinite(found.values).all(), method.kind
            assert np.isfinite(found.score)
            sizes = {PICTURE: 2, WORDS: 1, FEATURES: 1, SERIES: 1}
            assert found.values.ndim == sizes[look]
            if look in (WORDS, FEATURES):
                assert len(found.parts) == len(found.values)
            if look == SERIES:
                assert len(found.series) == len(found.values) == max(trained.dataset.inputs[which].shape[1:])
            if method.kind not in ("grad-cam", "lime"):  # whose values may all be 0
                assert np.abs(found.values).max() > 0, (method.kind, data)
