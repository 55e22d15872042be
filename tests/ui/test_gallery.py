"""Parts of the gallery that need no window: thumbnails, drawing, and the threads that make them."""

from __future__ import annotations

import threading

import numpy as np
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from studio.data import DataChoice, DataProblem, Remedy
from studio.data.listing import Box, Shown
from studio.ui import theme
from studio.ui.gallery.browser import thumb_of
from studio.ui.gallery.drawing import draw_picture, mask_pixels, name_color, ranges, to_image
from studio.ui.gallery.opened import CELLS, PICTURES, PLOTS, TEXTS, layout_of
from studio.ui.gallery.thumbs import Shelf, Style, Thumb, make_thumb
from studio.ui.newest import Overtaking
from studio.ui.panels.data_contents import unevenness
from studio.ui.panels.data_problems import heading, is_mended
from tests.ui.fake_data import FakeListing, picture


def test_the_shelf_forgets_what_was_not_looked_at_for_longest() -> None:
    thumb = Thumb("a", text="x" * 1000)
    shelf = Shelf(most_bytes=5 * thumb.size_bytes)
    for sample in range(5):
        shelf.put(sample, thumb)
    assert shelf.get(0) is thumb
    shelf.put(5, thumb)
    assert [sample for sample in range(6) if sample in shelf] == [0, 2, 3, 4, 5]
    shelf.put(5, thumb)
    assert len(shelf) == 5
    shelf.clear()
    assert len(shelf) == 0


def test_pictures_keep_their_proportions_and_their_pixels() -> None:
    small = np.zeros((2, 3, 3), np.uint8)
    small[0, 1] = (255, 0, 0)
    image = to_image(small, QSize(90, 90))
    assert (image.width(), image.height()) == (90, 60)
    assert [image.pixelColor(x, 10).red() for x in (10, 45, 80)] == [0, 255, 0]  # in clear squares
    large = to_image(np.full((4000, 2000, 4), 200, np.uint8), QSize(80, 80))
    assert (large.width(), large.height()) == (40, 80)
    assert large.pixelColor(20, 20).alpha() == 200


def test_what_has_no_class_is_not_coloured() -> None:
    colored = mask_pixels(np.array([[0, 1, -100, 11]]), theme.LIGHT)
    assert colored[0, 0].tolist() == colored[0, 2].tolist() == [0, 0, 0, 0]
    assert colored[0, 1].tolist() == colored[0, 3].tolist()
    assert colored[0, 1, 3] > 0


def test_boxes_stay_on_the_picture(qtbot: QtBot) -> None:
    image = QImage(200, 100, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    shown = Shown("a", picture=np.zeros((50, 50, 3), np.uint8), boxes=(Box("x" * 500, -10, 5, 1e6, 20),))
    painter = QPainter(image)
    target = draw_picture(painter, QRectF(0, 0, 200, 100), shown, theme.LIGHT)
    painter.end()
    assert target == QRectF(50, 0, 100, 100)
    assert {image.pixelColor(x, 40).alpha() for x in (10, 40, 160, 190)} == {0}
    assert image.pixelColor(100, 40).value() > 60


def test_marks_of_the_same_kind_have_one_colour() -> None:
    names = ("O", "B-PER", "I-PER", "B-LOC")
    colors = [name_color(name, names, theme.LIGHT) for name in ("B-PER", "I-PER", "PER", "LOC")]
    assert colors[0] == colors[1] == colors[2] != colors[3]
    assert name_color("unknown", names, theme.LIGHT) == name_color("I-unknown", (), theme.LIGHT)


def test_a_wave_is_reduced_to_what_can_be_seen() -> None:
    wave = np.zeros(100_000, np.float32)
    wave[50_000], wave[50_001], wave[7] = 3.0, -0.5, np.nan
    low, high = ranges(wave, 100)
    assert (len(low), high.index(1.0), low.index(-0.5)) == (100, 50, 50)
    assert ranges(np.array([1.0, -1.0]), 4) == ([1.0, 1.0, -1.0, -1.0], [1.0, 1.0, -1.0, -1.0])
    assert ranges(wave[:0], 100) == ([], [])


def test_what_a_sample_has_decides_how_it_is_laid_out() -> None:
    array = np.zeros((4, 4, 3), np.uint8)
    assert layout_of(Shown("a", picture=array, text="x")) == PICTURES
    assert layout_of(Shown("a", series=array[0])) == PLOTS
    assert layout_of(Shown("a", tags=(("a", "O"),), cells=(("a", "b"),))) == TEXTS
    assert layout_of(Shown("a", cells=(("a", "b"),))) == CELLS
    assert layout_of(None) == TEXTS


def test_a_thumbnail_takes_little_memory_whatever_the_sample_is(qtbot: QtBot) -> None:
    style = Style(QSize(80, 80), 2.0, theme.LIGHT)
    thumb = make_thumb(Shown("a", picture=picture(1, 1000), text="word \n" * 10_000, tags=(("a", "b"),) * 900), style)
    assert thumb.image is not None
    assert (thumb.image.width(), thumb.image.devicePixelRatio()) == (160, 2.0)
    assert len(thumb.text) <= 600
    assert thumb.size_bytes < 250_000


def test_a_sample_that_breaks_the_program_is_told_in_its_place(qtbot: QtBot) -> None:
    style = Style(QSize(80, 80), 1.0, theme.LIGHT)
    shown = Shown("a.png", picture=np.zeros((3, 3), np.uint8))
    for make in (lambda i, name: shown, lambda i, name: 1 / 0):
        assert "a fault in the program" in thumb_of(FakeListing(1, make), 0, style).problem
    empty = Shown("a.png", picture=np.zeros((0, 5, 3), np.uint8))
    assert thumb_of(FakeListing(1, lambda i, name: empty), 0, style).title == "a.png"


def test_a_newer_request_overtakes_one_that_takes_long() -> None:
    gate, done, began = threading.Event(), [], threading.Semaphore(0)

    def work(number: int) -> None:
        began.release()
        if number < 2:
            assert gate.wait(30)
        done.append(number)

    worker = Overtaking("test", work)
    for number in (0, 1, 2):
        worker.ask(number)
        assert began.acquire(timeout=30)
    while done != [2]:
        threading.Event().wait(0.001)
    gate.set()
    worker.close()
    assert sorted(done) == [0, 1, 2]


def test_there_are_never_more_threads_than_allowed() -> None:
    gate, done, began = threading.Event(), [], threading.Semaphore(0)
    before = threading.active_count()

    def work(number: int) -> None:
        began.release()
        assert gate.wait(30)
        done.append(number)

    worker = Overtaking("test", work)
    for number in range(50):
        worker.ask(number)
        assert number >= Overtaking.MOST or began.acquire(timeout=30)
    assert threading.active_count() - before <= Overtaking.MOST
    gate.set()
    while 49 not in done:
        threading.Event().wait(0.001)
    worker.close()
    assert len(done) <= Overtaking.MOST + 1


def test_problems_in_words() -> None:
    twice = DataProblem("a", remedies=(Remedy("b", exclude=(3,)), Remedy("c", balanced=True)))
    choice = DataChoice()
    assert not is_mended(twice, choice)
    assert is_mended(twice, choice.remedied(twice.remedies[0]))
    assert is_mended(twice, choice.remedied(twice.remedies[1]))
    assert heading((), 0) == "No problems were found in the data."
    assert heading((twice, twice), 1) == "2 warnings (1 mended)"


def test_how_uneven_classes_are() -> None:
    assert unevenness((10, 12)) == "All are about as frequent."
    assert unevenness((10, 45)) == "The most frequent has 4.5 times as many as the rarest."
    assert unevenness((10, 0, 0)) == "2 of the classes have no samples."
    assert unevenness(()) == unevenness((3,)) == ""
