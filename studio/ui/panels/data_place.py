"""The Data place: sources, samples, what they hold, how they are prepared, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSplitter, QTabWidget, QVBoxLayout, QWidget

from studio.data import DataProblem, Findings, Remedy, Source
from studio.ui.document import Document

if TYPE_CHECKING:
    from studio.data.listing import Listing
    from studio.ui.data_reader import DataReader
    from studio.ui.gallery.browser import DataBrowser
    from studio.ui.gallery.problem_search import ProblemSearch
    from studio.ui.gallery.samples_panel import SamplesPanel
    from studio.ui.panels.data_contents import DataContents
    from studio.ui.panels.data_preparation import DataPreparation
    from studio.ui.panels.data_problems import DataProblems
    from studio.ui.panels.data_section import DataSection
    from studio.ui.panels.source_list import SourceList
    from studio.ui.panels.transforms_section import TransformsSection
    from studio.ui.transform_trials import TransformTrials

_LEFT_WIDTH, _RIGHT_WIDTH, _PROBLEMS_HEIGHT = 260, 300, 150  # pixels, at first
_SECTION_HEIGHT = 280
_WIDEST_LEFT = 380
_MOST_SEARCHED = 10_000  # samples that are looked through without being asked to: more take seconds


class DataPlace(QWidget):
    """Places the panels and connects them. They are made when the place is looked at first."""

    source_wanted = Signal(object)  # Source that is to be the project's
    place_wanted = Signal(object)  # Source that needs a file or folder of the person's, before it is chosen
    hub_wanted = Signal()  # a dataset of Hugging Face, which may lie on its hub
    file_wanted = Signal()  # of any kind
    folder_wanted = Signal()
    own_file_wanted = Signal()  # for the dataset of the project
    own_folder_wanted = Signal()
    download_wanted = Signal(object)  # Source
    network_wanted = Signal(object)  # Source with other inputs, for which a network is to be found
    trust_wanted = Signal(object)  # Source whose code is to be read, and then perhaps runs

    sources: SourceList
    section: DataSection
    samples: SamplesPanel
    contents: DataContents
    preparation: DataPreparation
    problems: DataProblems
    transforms: TransformsSection

    def __init__(
        self, document: Document, browser: DataBrowser, reader: DataReader, search: ProblemSearch,
        trials: TransformTrials, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setObjectName("dataPlace")
        self._document = document
        self._browser = browser
        self._reader = reader
        self._search = search
        self._trials = trials
        self._filled = False
        self._searched: Listing | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def _fill(self) -> None:
        from studio.ui.gallery.samples_panel import SamplesPanel  # none of this is needed to show the window
        from studio.ui.panels.data_contents import DataContents
        from studio.ui.panels.data_preparation import DataPreparation
        from studio.ui.panels.data_problems import DataProblems
        from studio.ui.panels.data_section import DataSection
        from studio.ui.panels.source_list import SourceList
        from studio.ui.panels.transforms_section import TransformsSection

        self._filled = True
        self.sources = SourceList(self)
        self.section = DataSection(self)
        self.samples = SamplesPanel(self._document, self._browser, self)
        self.contents = DataContents(self._document, self)
        self.preparation = DataPreparation(self._document, self)
        self.transforms = TransformsSection(self._document, self._trials, self)
        self.preparation.add_section("Augmentation", "settingsTransforms", self.transforms)
        self.problems = DataProblems(self)
        self._arrange()
        self._connect()
        self._show()
        self._show_opened()

    def _arrange(self) -> None:
        self._scroll = _SectionScroll(self.section, self)
        left = _splitter(Qt.Orientation.Vertical, "splitter_sources", self.sources, self._scroll)
        left.setStretchFactor(0, 1)
        left.setSizes([1000, _SECTION_HEIGHT])
        self._centre = _splitter(Qt.Orientation.Vertical, "splitter_data_problems", self.samples, self.problems)
        self._centre.setStretchFactor(0, 1)
        self._share_room(problems=False)
        tabs = QTabWidget(self)
        tabs.setObjectName("dataTabs")
        tabs.setAccessibleName("What the data holds, and how it is prepared")
        tabs.setDocumentMode(True)
        tabs.tabBar().setObjectName("dataTabBar")
        tabs.tabBar().setAccessibleName("Contents or preparation")
        tabs.addTab(self.contents, "Contents")
        tabs.addTab(self.preparation, "Preparation")
        columns = _splitter(Qt.Orientation.Horizontal, "splitter_data", left, self._centre, tabs)
        columns.setStretchFactor(1, 1)
        columns.setSizes([_LEFT_WIDTH, 1000, _RIGHT_WIDTH])
        layout = self.layout()
        assert layout is not None
        layout.addWidget(columns)

    def _connect(self) -> None:
        self._document.project_changed.connect(self._show)
        self._browser.changed.connect(self._show_opened)
        self._browser.described.connect(self._show_findings)
        self._reader.found.connect(self._show_findings)
        self.sources.source_chosen.connect(self._choose_source)
        self.sources.file_wanted.connect(self.file_wanted)
        self.sources.folder_wanted.connect(self.folder_wanted)
        self.section.edited.connect(self._edit_source)
        empty = self.samples.empty
        empty.file_wanted.connect(self.own_file_wanted)
        empty.folder_wanted.connect(self._find_folder)
        empty.trust_wanted.connect(lambda: self.trust_wanted.emit(self._source))
        empty.download_wanted.connect(lambda: self.download_wanted.emit(self._source))
        self.contents.class_chosen.connect(self.samples.filters.show_class)
        self.problems.samples_wanted.connect(self.samples.show_problem)
        self.problems.remedy_chosen.connect(self._apply)
        self.problems.room_changed.connect(lambda any_: self._share_room(problems=any_))
        self.problems.search_wanted.connect(self._search.search)
        self.problems.stop_wanted.connect(self._search.stop)
        self._search.changed.connect(self._show_problems)

    def _share_room(self, *, problems: bool) -> None:
        """Without problems the samples get all the height."""
        self._centre.setSizes([10_000, _PROBLEMS_HEIGHT if problems else 1])

    @property
    def _source(self) -> Source:
        return self._document.project.data.source

    @property
    def _findings(self) -> Findings | None:
        """What a look at the project's data told; None if nobody looked yet."""
        return self._reader.findings_of(self._source) if self._source.needs_place else self._browser.findings

    @Slot(object)
    def _choose_source(self, source: Source) -> None:
        data = self._document.project.data
        if type(source) is type(data.source) and (not source.needs_place or data.source.place):
            return
        if source.kind == "huggingface":
            self.hub_wanted.emit()
        elif source.needs_place:
            self.place_wanted.emit(source)
        else:
            self.source_wanted.emit(source)
        self.sources.show_source(self._source)  # the old one, until another is there

    @Slot()
    def _find_folder(self) -> None:
        (self.own_folder_wanted if self._source.needs_place else self.folder_wanted).emit()

    @Slot(object, str)
    def _edit_source(self, source: Source, name: str) -> None:
        from studio.ui.widgets.declared_form import step_name

        if source.place and len(source.spec.inputs) != len(self._source.spec.inputs):
            self.network_wanted.emit(source)  # what takes other inputs is another network
            return
        choice = self._document.project.data.with_source(source)
        self._document.choose_data(choice, f"{step_name(name)} of the data")

    @Slot(object)
    def _apply(self, remedy: Remedy) -> None:
        self._document.choose_data(self._document.project.data.remedied(remedy), remedy.text, own_step=True)

    @Slot()
    def _show(self) -> None:
        """Follow the project."""
        self.sources.show_source(self._source)
        self.section.show_source(self._source)
        self._scroll.fit_width()
        self.contents.show_choice()
        self.preparation.show_choice()
        self._show_findings()

    @Slot()
    def _show_findings(self) -> None:
        found, source = self._findings, self._source
        if found is not None:
            self.section.show_findings(source, found)
        known = found or Findings(source.spec)
        self.contents.show_findings(known)
        self.contents.show_counts(self._browser.opened, known)
        self._show_problems()

    @Slot()
    def _show_problems(self) -> None:
        """What the source told, and what was found in the samples beside that."""
        told = self._findings.problems if self._findings is not None else ()
        search = self._search
        more = [problem for problem in search.found or () if problem not in told]
        self.problems.show_problems((*told, *more), self._document.project.data)
        searched = search.found is not None
        self.problems.show_search(self._search_text(told), searching=search.searching, searched=searched)

    def _search_text(self, told: tuple[DataProblem, ...]) -> str:
        if self._search.searching:
            done, total = self._search.progress
            return f"Looking for problems: check {done + 1} of {total}…" if done < total else "Looking for problems…"
        if self._search.refusal:
            return self._search.refusal
        return "" if told or self._search.found is not None else "The samples were not looked through for problems yet."

    @Slot()
    def _show_opened(self) -> None:
        self._follow_samples()
        self.preparation.show_opened(self._browser.opened)
        self.contents.show_counts(self._browser.opened, self._findings or Findings(self._source.spec))

    def _follow_samples(self) -> None:
        """Other samples: what was found in the last ones is forgotten; a few in memory are looked through at once."""
        opened = self._browser.opened
        listing = opened.listing if opened is not None else None
        if listing is not self._searched:
            self._searched = listing
            self._search.stop()
            if listing is not None and listing.in_memory and listing.count <= _MOST_SEARCHED:
                self._search.search()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._filled:
            self._fill()
        self._browser.set_looking(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._browser.set_looking(False)


class _SectionScroll(QScrollArea):
    """Scrolls the settings of the dataset up and down, and is never too narrow for them."""

    def __init__(self, section: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dataSectionScroll")
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = QWidget(self)
        column = QVBoxLayout(self._content)
        column.setContentsMargins(8, 4, 4, 8)
        column.addWidget(section)
        column.addStretch()
        self.setWidget(self._content)

    def fit_width(self) -> None:
        """The settings may be other ones."""
        bar = self.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(min(_WIDEST_LEFT, self._content.minimumSizeHint().width() + bar))


def _splitter(orientation: Qt.Orientation, name: str, *widgets: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setObjectName(name)
    splitter.setChildrenCollapsible(False)
    for widget in widgets:
        splitter.addWidget(widget)
    return splitter
