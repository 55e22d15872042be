"""A table of the person's own: rows of numbers, categories and dates, and a column to predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studio.data.base import DataSpec, Findings, MissingDataError, Samples, Source, Target, registry
from studio.data.own_files import OwnFiles
from studio.data.tables.rules import CATEGORIES, EMBEDDING, ONE_HOT, TASKS
from studio.data.texts.rules import ENCODINGS, FIND_OUT, JSON_SUFFIXES, SEPARATORS
from studio.fields import FieldError, field
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    from studio.data.listing import Listing
    from studio.data.tables.view import TableView

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".data", *JSON_SUFFIXES, ".parquet", ".pq", ".xlsx", ".xlsm")
# That networks take before the table was read; reading tells the true numbers.
UNREAD_FEATURES, UNREAD_CATEGORIES = 8, 4


@registry.add
class TableFile(OwnFiles):
    """A person's own table: separated values, JSON lines, Parquet or Excel."""

    kind: ClassVar[str] = "table"
    title: ClassVar[str] = "Table"
    group: ClassVar[str] = "Table"
    about: ClassVar[str] = (
        "Your own table: a CSV, TSV, JSON-lines, Parquet or Excel file with a sample in each row and a column to "
        "predict. Numbers, categories, orders and dates become features; missing values are filled in."
    )
    rank: ClassVar[int] = 50
    unnumbered: ClassVar[tuple[str, ...]] = ("categories", "most_categories")

    path: str = field("", help="A file with a table.")
    target: str = field("", help="Name of the column to predict, or names with commas between them; empty to find it.")
    task: str = field(
        FIND_OUT,
        choices=(FIND_OUT, *TASKS),
        help="A class; any of several labels (columns of 0 and 1, or one with ; or | between them); or numbers.",
    )
    ignored: str = field("", lines=True, help="Names of columns that the network does not get, one in each line.")
    types: str = field(
        "",
        lines=True,
        help="Types that were found wrong, one in each line as NAME: TYPE, with numeric, categorical, ordinal, date, "
        "tags, text or id; an order as NAME: ordinal low < medium < high. Columns of type text and id are not used.",
    )
    zeros: str = field(
        "", lines=True, help="Names of columns in which 0 means that there is no value, one in each line."
    )
    categories: str = field(
        ONE_HOT,
        choices=CATEGORIES,
        help="What categories become: one-hot gives each a feature of 0 or 1; embedding gives each column a token, in "
        "an input of their own, for an Embedding, which learns numbers for every category.",
    )
    most_categories: int = field(
        20,
        min=1,
        max=1_000,
        help="How many categories of a column get a feature or a token of their own; the rarer ones share one.",
    )
    missing: str = field(
        FIND_OUT, help="Texts that say that there is no value, with commas between them. Empty cells always do."
    )
    separator: str = field(FIND_OUT, choices=(FIND_OUT, *SEPARATORS), help="What stands between two columns.")
    header: str = field(FIND_OUT, choices=(FIND_OUT, "yes", "no"), help="Whether the first row names the columns.")
    decimal: str = field(FIND_OUT, choices=(FIND_OUT, "point", "comma"), help="The sign before decimal places.")
    encoding: str = field(FIND_OUT, choices=ENCODINGS, help="How the characters are written in the file.")
    sheet: str = field("", help="Name of a sheet of an Excel file; empty for the first one with anything in it.")

    def _check_fields(self) -> None:
        super()._check_fields()
        if not self.types:
            return
        from studio.data.tables.types import read_types

        try:
            read_types(self.types)
        except ValueError as error:
            raise FieldError("TableFile", "types", f"cannot be read: {error}") from error

    @property
    def spec(self) -> DataSpec:
        """Numbers in, and tokens if that was chosen, and what the task says; how many there are, only reading tells."""
        task = self.task if self.task != FIND_OUT else TASKS[0]
        tokens = (TensorSpec((UNREAD_CATEGORIES,), "D", "int"),) * (self.categories == EMBEDDING)
        return DataSpec((TensorSpec((UNREAD_FEATURES,), "D"), *tokens), Target(task, ()))

    def claim(self, path: Path) -> Source | None:
        """This source at a file whose beginning is a table with something to predict."""
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            return None
        from studio.data.tables.claim import looks_like_one

        return self.at(path) if looks_like_one(path) else None

    def look(self) -> Findings:
        """Columns, target, and what is wrong with them. Raises MissingDataError, DataError."""
        from studio.data.tables.look import findings

        return findings(self, self._view())

    def load(self, folder: Path | None = None) -> Samples:
        """Read all rows that have a target, from `folder` if that is given, or else from the path that is a setting."""
        source = self.at(folder) if folder is not None else self
        assert isinstance(source, TableFile)
        return source._view().samples()

    def listing(self, folder: Path | None = None) -> Listing:
        """The rows as they are in the file. Raises MissingDataError, DataError."""
        source = self.at(folder) if folder is not None else self
        assert isinstance(source, TableFile)
        return source._view().listing()

    def _view(self) -> TableView:
        from studio.data.tables.view import view

        if not self.path:
            raise MissingDataError("No table was chosen yet: choose a CSV, TSV, JSON-lines, Parquet or Excel file.")
        return view(self)
