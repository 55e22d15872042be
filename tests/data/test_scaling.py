"""Scalings, against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from studio.data import DataError, scaling
from studio.data.scaling import Scaling, measure

RNG = np.random.default_rng(0)
IMAGES = (RNG.integers(0, 256, (300, 3, 5, 7)) // np.array([1, 2, 4])[:, None, None]).astype(np.uint8)
TABLE = (RNG.normal(size=(300, 4)) * [1, 100, 1e-2, 3] + [0, 1e4, 5, -2]).astype(np.float32)
ROWS = np.arange(0, 300, 2)


@pytest.mark.parametrize("chunk_bytes", [1, 5000, 2**22])
@pytest.mark.parametrize(("values", "axes"), [(IMAGES, "CHW"), (TABLE, "D")])
def test_standardize(values: np.ndarray, axes: str, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "CHUNK_BYTES", chunk_bytes)
    measured = measure("standardize", values, axes, ROWS)
    x = values[ROWS].astype(np.float64)
    over = (0, 2, 3)[: values.ndim - 1] if axes == "CHW" else 0
    assert np.allclose(measured.shift, x.mean(over), rtol=1e-9)
    assert np.allclose(measured.scale, 1 / x.std(over), rtol=1e-6)
    y = measured.apply(torch.from_numpy(values[ROWS]))
    assert y.dtype == torch.float32
    assert y.shape == values[ROWS].shape
    assert torch.allclose(y.double().mean(over), torch.zeros(values.shape[1]).double(), atol=2e-3)
    assert torch.allclose(y.double().std(over, correction=0), torch.ones(values.shape[1]).double(), atol=2e-3)


@pytest.mark.parametrize(("values", "axes"), [(IMAGES, "CHW"), (TABLE, "D")])
def test_unit_range(values: np.ndarray, axes: str) -> None:
    y = measure("unit range", values, axes, ROWS).apply(torch.from_numpy(values[ROWS])).transpose(0, 1).flatten(1)
    assert torch.allclose(y.amin(1), torch.zeros(len(y)))
    assert torch.allclose(y.amax(1), torch.ones(len(y)))


def test_none_only_makes_real_numbers() -> None:
    y = measure("none", IMAGES, "CHW", ROWS).apply(torch.from_numpy(IMAGES))
    assert torch.equal(y, torch.from_numpy(IMAGES).float())


@pytest.mark.parametrize("method", ["standardize", "unit range", "none"])
def test_tokens_stay_as_they_are(method: str) -> None:
    tokens = RNG.integers(0, 50, (300, 6))
    measured = measure(method, tokens, "L", ROWS)
    assert measured == Scaling()
    assert measured.apply(torch.from_numpy(tokens)).dtype == torch.int64


def test_each_number_of_the_steps_of_a_series_has_its_own_scaling() -> None:
    values = RNG.normal((3, 300), (2, 5), (300, 8, 2)).astype(np.float32)
    measured = measure("standardize", values, "TD", ROWS)
    assert measured.shift == pytest.approx(values[ROWS].mean(axis=(0, 1), dtype=np.float64).tolist())
    scaled = measured.apply(torch.from_numpy(values))[torch.from_numpy(ROWS)]
    assert scaled.mean(dim=(0, 1)).tolist() == pytest.approx([0, 0], abs=1e-4)
    assert scaled.std(dim=(0, 1)).tolist() == pytest.approx([1, 1], abs=1e-3)
    assert Scaling.from_json(measured.to_json()) == measured
    with pytest.raises(DataError, match="cannot be read"):
        Scaling.from_json({**measured.to_json(), "last": False})


def test_a_series_in_unit_range() -> None:
    values = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    scaled = measure("unit range", values, "TD", np.arange(2)).apply(torch.from_numpy(values))
    assert scaled[:2].amin((0, 1)).tolist() == [0, 0]
    assert scaled[:2].amax((0, 1)).tolist() == [1, 1]
    assert float(scaled[2].max()) > 1


@pytest.mark.parametrize("method", ["standardize", "unit range"])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6, 1e30])
def test_a_constant_column_becomes_zero_and_no_more(method: str, constant: float) -> None:
    values = np.full((300, 1), constant, np.float32)
    measured = measure(method, values, "D", ROWS)
    assert measured.scale == (1.0,)
    assert torch.isfinite(measured.apply(torch.from_numpy(values))).all()
    assert float(measured.apply(torch.from_numpy(values)).abs().max()) == 0.0


def test_only_the_given_rows_are_measured() -> None:
    values = TABLE.copy()
    values[1::2] = 1e9
    assert measure("standardize", values, "D", ROWS) == measure("standardize", TABLE, "D", ROWS)


def test_a_large_mean_does_not_hide_a_small_spread() -> None:
    values = (1e6 + RNG.normal(size=(100_000, 1))).astype(np.float32)
    measured = measure("standardize", values, "D", np.arange(len(values)))
    assert 1 / measured.scale[0] == pytest.approx(values.astype(np.float64).std(), rel=1e-6)


def test_apply_changes_no_input_and_keeps_channels_last() -> None:
    x = torch.rand(4, 3, 5, 7).contiguous(memory_format=torch.channels_last)
    before = x.clone()
    y = Scaling((1.0, 2.0, 3.0), (2.0, 2.0, 2.0)).apply(x)
    assert torch.equal(x, before)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(y[:, 1], (x[:, 1] - 2) * 2)


def test_json_there_and_back() -> None:
    measured = measure("standardize", TABLE, "D", ROWS)
    assert Scaling.from_json(measured.to_json()) == measured
    assert Scaling.from_json(Scaling().to_json()) == Scaling()


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"shift": [1.0]},
        {"shift": [1.0], "scale": []},
        {"shift": ["1"], "scale": [1.0]},
        {"shift": [True], "scale": [1.0]},
        {"shift": [float("nan")], "scale": [1.0]},
        {"shift": [10**399], "scale": [1.0]},
        {"shift": 1.0, "scale": 1.0},
        {"shift": [1.0], "scale": [1.0], "more": 1},
    ],
)
def test_other_json_is_refused(data: object) -> None:
    with pytest.raises(DataError):
        Scaling.from_json(data)
