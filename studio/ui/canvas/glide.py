"""Blocks glide to their new places, so that the eye can follow where each went."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEasingCurve, QObject, QPointF, QVariantAnimation, Slot
from PySide6.QtWidgets import QApplication, QStyle

from studio.ui.canvas.scene import GraphScene

_MS = 220


class Glide(QObject):
    """Shows nodes on their way from where they were to where the graph says. The graph itself has changed already."""

    def __init__(self, scene: GraphScene) -> None:
        super().__init__(scene)
        self._scene = scene
        self._from: dict[str, QPointF] = {}
        self._animation = QVariantAnimation(self)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._show)
        self._animation.finished.connect(self.finish)
        scene.changing.connect(self.finish)

    def start(self, places: Mapping[str, QPointF]) -> None:
        """Begin at these places. Where the desktop wants no animations, there is none."""
        self.finish()
        hint = QStyle.StyleHint.SH_Widget_Animation_Duration
        if places and QApplication.style().styleHint(hint) > 0:
            self._from = dict(places)
            self._show(0.0)
            self._animation.setDuration(_MS)
            self._animation.start()

    @Slot()
    def finish(self) -> None:
        """Be there now."""
        moved, self._from = self._from, {}
        self._animation.stop()
        self._scene.show_in_place(moved)

    def _show(self, share: float) -> None:
        nodes = self._scene.document.shown.by_id
        self._scene.show_at(
            {
                path: start + (QPointF(nodes[path].x, nodes[path].y) - start) * share
                for path, start in self._from.items()
                if path in nodes
            }
        )
