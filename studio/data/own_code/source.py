"""A dataset in a Python file of the person's own: it runs only after they trusted exactly that content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studio import trust
from studio.data.base import DataSpec, Findings, MissingDataError, Samples, Source, Target, UntrustedDataError, registry
from studio.data.own_files import OwnFiles, located, printable
from studio.data.texts.rules import KINDS
from studio.fields import field
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    from studio.data.forms import RawForm
    from studio.data.listing import Listing

_UNREAD = 8  # numbers of a sample, before the file has run


@registry.add
class PythonFile(OwnFiles):
    """A class of torch.utils.data.Dataset, or a function that gives one, in a Python file."""

    kind: ClassVar[str] = "python-file"
    title: ClassVar[str] = "Python file"
    group: ClassVar[str] = "Your own"
    about: ClassVar[str] = (
        "Your own Python file with a class of torch.utils.data.Dataset, or a function that gives one, or one for each "
        "of train, validation and test. It is shown first, and runs only after you say that you trust it."
    )
    rank: ClassVar[int] = 80
    unnumbered: ClassVar[tuple[str, ...]] = ("tokens", "vocabulary", "max_length")

    path: str = field("", help="A Python file. All of the code must be in it: what it imports must be installed.")
    name: str = field("", help="A class or function in it; empty for the last one that looks like a dataset.")
    tokens: str = field(KINDS[0], choices=KINDS, help="Of texts: words, frequent pieces of words, or characters.")
    vocabulary: int = field(10_000, min=300, max=200_000, help="Of texts: the most tokens there may be.")
    max_length: int = field(200, min=1, max=100_000, unit="tokens", help="Of texts: longer ones are cut at the end.")

    @property
    def spec(self) -> DataSpec:
        """Nothing is known before the file has run."""
        return DataSpec((TensorSpec((_UNREAD,), "D"),), Target("classification", ()))

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """Arrays: how the file makes its samples nobody knows but the file, which does not run for this."""
        from studio.data.forms import plain_form

        why = "The samples came from a Python file, so give what it would give."
        return tuple(plain_form(tensor, why if len(tensor.dims) > 1 else "") for tensor in spec.inputs)

    def claim(self, path: Path) -> Source | None:
        """This source at a Python file in which something looks like a dataset. It is read and does not run."""
        from studio.data.own_code.names import has_dataset

        return self.at(path) if path.suffix.lower() == ".py" and path.is_file() and has_dataset(path) else None

    @property
    def code(self) -> str | None:
        """The content of the file, unless it is trusted. Raises DataError if it cannot be read."""
        if not self.path:
            return None
        from studio.data.own_code.names import read_code

        code = read_code(self._file)
        return None if trust.is_trusted(code) else code

    def look(self) -> Findings:
        """Run the file, if it is trusted, and look at the samples.

        Raises:
            UntrustedDataError: if nobody trusted it yet.
            DataError: if it cannot be used.
        """
        import dataclasses

        from studio.data.findings import describe
        from studio.data.own_code.samples import told

        samples = self._samples()
        assert samples.spec is not None
        found = describe(samples.spec, samples)
        return dataclasses.replace(found, summary=told(self._file, self.name, samples))

    def load(self, folder: Path | None = None) -> Samples:
        """Run the file, if it is trusted, and take all samples into memory. Raises UntrustedDataError, DataError."""
        source = self.at(folder) if folder is not None else self
        assert isinstance(source, PythonFile)
        return source._samples()

    def listing(self, folder: Path | None = None) -> Listing:
        """The samples as the file gives them. Raises UntrustedDataError, DataError."""
        from studio.data.listing import LoadedListing

        samples = self.load(folder)
        assert samples.spec is not None
        return LoadedListing(samples.spec, samples)

    @property
    def _file(self) -> Path:
        if not self.path:
            raise MissingDataError(
                "No Python file was chosen yet: choose one with a class of torch.utils.data.Dataset."
            )
        return located(self.path)

    def _samples(self) -> Samples:
        from studio.data.own_code.names import chosen, read_code
        from studio.data.own_code.run import datasets_of
        from studio.data.own_code.samples import samples_of
        from studio.data.texts.tokens import TokenRules

        code = read_code(self._file)
        if not trust.is_trusted(code):
            raise UntrustedDataError(
                f"{printable(str(self._file), 200)} is Python code, which would run to give its data. Read it, then "
                "say that you trust it (“--trust” on the command line). Nothing of it has run."
            )
        rules = TokenRules(self.tokens, self.vocabulary, self.max_length)
        found = chosen(code, self.name, self._file)
        with datasets_of(self._file, code, found) as parts:
            return samples_of(parts, rules, self._file)
