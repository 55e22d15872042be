"""What blocks do with short samples that are filled up to the length of the others."""

from __future__ import annotations

from studio.blocks.base import Recorder, Value


def real_steps(rec: Recorder, tokens: Value) -> Value:
    """The mask (N, L) of tokens (N, L) of which 0 only fills up. The first step is always real: nothing is empty."""
    return _or_first(rec, rec.function("ne", tokens, 0))


def without_first(rec: Recorder, mask: Value, steps: int, count: int) -> Value:
    """A mask (N, T) of so many steps less the first few (N, T - count); again, its first step is always real."""
    return _or_first(rec, rec.function("narrow", mask, 1, count, steps - count)) if count else mask


def _or_first(rec: Recorder, mask: Value) -> Value:
    first = rec.function("eq", rec.function("cumsum", rec.function("ones_like", mask), dim=1), 1)
    return rec.function("logical_or", mask, first)


def beside(rec: Recorder, mask: Value, x: Value) -> Value:
    """A mask (N, T) with as many axes as x, T where x has it."""
    axis, dims = x.spec.padded, x.spec.dims
    shape = (-1, *[1] * (axis - 1), dims[axis - 1], *[1] * (len(dims) - axis))
    return rec.function("reshape", mask, shape)


def filled(rec: Recorder, x: Value, mask: Value, number: float) -> Value:
    """x with one number at every step that only fills up."""
    return rec.function("where", beside(rec, mask, x), x, number)


def length(rec: Recorder, mask: Value) -> Value:
    """How many steps of each sample are real (N, 1)."""
    return rec.function("sum", mask, dim=1, keepdim=True)


def last_step(rec: Recorder, x: Value, mask: Value) -> Value:
    """The last real step (N, D) of a sequence (N, T, D)."""
    index = rec.function("unsqueeze", rec.function("sub", length(rec, mask), 1), 2)
    return rec.function("squeeze", rec.function("take_along_dim", x, index, dim=1), 1)


def backwards(rec: Recorder, x: Value, mask: Value) -> Value:
    """A sequence (N, T, D) with its real steps in reverse order; what fills up stays at the end."""
    step = rec.function("sub", rec.function("cumsum", rec.function("ones_like", mask), dim=1), 1)
    turned = rec.function("sub", rec.function("sub", length(rec, mask), 1), step)
    index = rec.function("where", mask, turned, step)
    return rec.function("take_along_dim", x, rec.function("unsqueeze", index, 2), dim=1)
