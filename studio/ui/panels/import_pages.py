"""Where an imported network comes from: the two pages of the import dialog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from studio.ui.prompts import Prompts
from studio.ui.wording import size

if TYPE_CHECKING:
    from studio.importing.origins import Origin

_FIRST_SHOWN = "resnet18"


class TorchvisionPage(QWidget):
    """A network of torchvision by its name, with learned weights or fresh ones."""

    tokens = False

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._name = QComboBox(self)
        self._pretrained = QCheckBox("Learned weights", self)
        self._about = QLabel(self)
        self._name.setObjectName("importName")
        self._name.setAccessibleName("Network")
        self._name.setEditable(True)
        self._name.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._pretrained.setObjectName("importPretrained")
        self._about.setObjectName("importAbout")
        self._about.setWordWrap(True)
        self._name.currentTextChanged.connect(self._describe)
        self._pretrained.toggled.connect(self._describe)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow("Network", self._name)
        layout.addRow("", self._pretrained)
        layout.addRow("", self._about)

    def show_names(self, names: object) -> None:
        """Offer these networks; called once torchvision is loaded."""
        assert isinstance(names, list)
        self._name.addItems(names)
        self._name.setCurrentText(_FIRST_SHOWN)

    @Slot()
    def _describe(self) -> None:
        """What would be fetched from the internet, before it is."""
        name = self._name.currentText().strip()
        text = "Fresh weights: nothing is fetched."
        if self._pretrained.isChecked() and self._name.findText(name) >= 0:
            from studio.importing.origins import learned_file  # loaded by now

            file = learned_file(name)
            text = f"{size(file.download_bytes)} are fetched once, and kept in torch’s own cache."
            if file.is_there():
                text = "They are on this machine already: nothing is fetched."
        self._about.setText(text)

    def request(self) -> Callable[[], Origin]:
        """What makes the network. Raises ValueError if none is chosen."""
        name, pretrained = self._name.currentText().strip(), self._pretrained.isChecked()
        if not name:
            raise ValueError("Choose a network.")

        def make() -> Origin:
            from studio.importing.origins import from_torchvision

            return from_torchvision(name, pretrained=pretrained)

        return make


class PythonFilePage(QWidget):
    """A class in a Python file, which is shown and runs only after the person trusts it."""

    def __init__(self, prompts: Prompts, parent: QWidget) -> None:
        super().__init__(parent)
        self._prompts = prompts
        self._path: Path | None = None
        self._source = ""
        self._file = QLabel("No file is chosen.", self)
        self._choose = QPushButton("Choose…", self)
        self._code = QPlainTextEdit(self)
        self._class = QLineEdit(self)
        self._tokens = QCheckBox("Samples are token numbers", self)
        self._trust = QCheckBox("I have read this code and trust it: run it", self)
        self._name_controls()
        self._build()

    def _name_controls(self) -> None:
        for widget, name, accessible in (
            (self._choose, "importChooseFile", "Choose the Python file"),
            (self._code, "importCode", "The code of the file"),
            (self._class, "importClass", "Class or function"),
            (self._tokens, "importTokens", "Samples are token numbers"),
            (self._trust, "importTrust", "Trust this code"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(accessible)

    def _build(self) -> None:
        self._file.setTextFormat(Qt.TextFormat.PlainText)
        self._code.setReadOnly(True)
        self._code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._code.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._code.setPlaceholderText("What the file would run is shown here before it runs.")
        self._class.setPlaceholderText("the only one in the file")
        self._trust.setEnabled(False)
        self._choose.clicked.connect(self._choose_file)
        row = QHBoxLayout()
        row.addWidget(self._file, 1)
        row.addWidget(self._choose)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow("File", row)
        layout.addRow(self._code)
        layout.addRow("", self._trust)
        layout.addRow("Class", self._class)
        layout.addRow("", self._tokens)

    @property
    def tokens(self) -> bool:
        """Whether the network takes whole numbers."""
        return self._tokens.isChecked()

    @Slot()
    def _choose_file(self) -> None:
        path = self._prompts.open_python_file()
        if path is None:
            return
        from studio.importing.origins import read_source  # loads torch, which is there by now
        from studio.storage import StorageError

        self._trust.setChecked(False)
        try:
            self._path, self._source = path, read_source(path)
        except (StorageError, ValueError) as error:
            self._prompts.tell("The file was not opened.", str(error))
            return
        self._file.setText(path.name)
        self._file.setToolTip(str(path))
        self._code.setPlainText(self._source)
        self._trust.setEnabled(True)

    def request(self) -> Callable[[], Origin]:
        """What makes the network. Raises ValueError if no file is chosen, or it is not trusted."""
        path, source, name = self._path, self._source, self._class.text().strip()
        if path is None:
            raise ValueError("Choose a Python file.")
        if not self._trust.isChecked():
            raise ValueError("Importing runs the code of the file. Read it, and say that you trust it.")

        def make() -> Origin:
            from studio.importing.origins import from_python_file

            return from_python_file(path, name, source)

        return make
