"""Shows the code of a file, read-only, and asks whether it may run."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from studio.ui.widgets.plain_text import PlainLabel


class CodeDialog(QDialog):
    """Accepted if the person says that they have read the code and trust it.

    Args:
        name: of the file.
        code: its content, which is what would run.
    """

    def __init__(self, name: str, code: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("codeDialog")
        self.setWindowTitle("Run this code?")
        asked = PlainLabel(
            f"{name} is Python code. To take its data, all of it runs, and may do whatever you may do. Read it first.",
            self,
        )
        self.code = QPlainTextEdit(code, self)
        self.code.setObjectName("codeToTrust")
        self.code.setAccessibleName("The code of the file")
        self.code.setReadOnly(True)
        self.code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.code.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        buttons = QDialogButtonBox(self)
        self.trust = buttons.addButton("I have read it and trust it: run it", QDialogButtonBox.ButtonRole.AcceptRole)
        self.refuse = buttons.addButton("Do not run it", QDialogButtonBox.ButtonRole.RejectRole)
        for button, button_name in ((self.trust, "trustDataCode"), (self.refuse, "refuseDataCode")):
            button.setObjectName(button_name)
            button.setAutoDefault(False)  # Enter must not run anything
        self.refuse.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (asked, self.code, buttons):
            layout.addWidget(widget)
        self.resize(720, 520)
