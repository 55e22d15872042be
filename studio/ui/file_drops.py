"""What becomes of files that are dropped on the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QTimer

from studio.data import registry as datasets
from studio.ui.own_data import OwnData
from studio.ui.project_files import ProjectFiles
from studio.ui.prompts import Prompts
from studio.ui.weights_choice import WeightsChoice

# What other programs keep models in. Most are refused there, with words that help.
MODEL_SUFFIXES = (
    ".pt", ".pth", ".ckpt", ".safetensors", ".onnx", ".pt2", ".pkl", ".pickle", ".joblib", ".keras", ".h5", ".pb",
    ".npy", ".npz", ".tflite", ".gguf",
)  # fmt: skip


class FileDrops(QObject):
    """A project file is opened, a model file gives its weights; anything else becomes the data, if it is any."""

    def __init__(
        self, files: ProjectFiles, own_data: OwnData, weights: WeightsChoice, prompts: Prompts, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._files = files
        self._own_data = own_data
        self._weights = weights
        self._prompts = prompts
        own_data.unknown.connect(self._look_further)

    def can_take(self, data: QMimeData) -> bool:
        """Whether files of this machine are dragged. What they are is looked at when they are dropped."""
        return bool(_paths(data))

    def take(self, data: QMimeData) -> None:
        """Use what was dropped, or say what could be."""
        paths = _paths(data)
        QTimer.singleShot(0, self, lambda: self._use(paths))  # a question must not hold up the sender

    def _use(self, paths: list[Path]) -> None:
        if len(paths) == 1 and paths[0].suffix == ".json" and not paths[0].is_dir():
            self._files.open_path(paths[0])
            return
        if len(paths) == 1 and paths[0].suffix.lower() in MODEL_SUFFIXES:
            self._weights.bring_in(paths[0])  # which tells by its content what it is
            return
        folders = {path if path.is_dir() else path.parent for path in paths}
        if len(folders) == 1:
            self._own_data.use(paths[0] if len(paths) == 1 or paths[0].is_dir() else next(iter(folders)))
        else:
            self._refuse(paths)

    def _look_further(self, path: Path) -> None:
        """What is no data may be weights: “.bin” is the suffix of both."""
        if path.suffix.lower() == ".bin":
            self._weights.bring_in(path)
        else:
            self._refuse([path])

    def _refuse(self, paths: list[Path]) -> None:
        from studio.data.recognize import advice  # not needed to show the window

        titles = [source.title for source in datasets if source.download_bytes]
        known = f"{', '.join(titles[:-1])} or {titles[-1]}"
        what = f"“{paths[0].name}” is" if len(paths) == 1 else f"These {len(paths)} files are"
        usable = (
            "Drop a project file (.studio.json) to open it. Or weights (.pt, .pth, .safetensors, .onnx). "
            "Or data: a table (CSV, Excel, Parquet, JSON lines), "
            "texts, pictures or sounds in a folder for each class, a time series, or a folder with the original files "
            f"of {known}; also as an archive (.zip, .tar.gz)."
        )
        told = [advice(paths[0]), usable] if len(paths) == 1 else [usable]
        self._prompts.tell(f"{what} nothing that can be used here.", " ".join(filter(None, told)))


def _paths(data: QMimeData) -> list[Path]:
    """The files that are dragged; none if something else is dragged along."""
    urls = data.urls()
    return [Path(url.toLocalFile()) for url in urls] if all(url.isLocalFile() for url in urls) else []
