"""What of the window's parts tells what to which other one, as far as data goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.ui.main_window import MainWindow


def connect_data(window: MainWindow) -> None:
    """The Data place, and whatever else gives or takes data."""
    place, files, browser = window.data_place, window.data_files, window.data_browser
    for wanted in (window.run_bar.place_wanted, place.place_wanted):
        wanted.connect(window.data_places.choose)
    for chosen in (window.run_bar.source_wanted, place.source_wanted, window.data_places.chosen):
        chosen.connect(window.own_data.use)
    place.hub_wanted.connect(window.find_on_hub)
    place.own_file_wanted.connect(window.data_places.choose_file)
    place.own_folder_wanted.connect(window.data_places.choose_folder)
    place.file_wanted.connect(files.find_file)
    place.folder_wanted.connect(files.find_folder)
    place.download_wanted.connect(files.download)
    place.trust_wanted.connect(window.own_data.use)
    place.network_wanted.connect(window.own_data.use)
    files.found.connect(window.own_data.use)
    files.downloaded.connect(browser.reread)
    files.downloaded.connect(window.transform_trials.reread)
    files.failed.connect(lambda reason: window.prompts.tell("Nothing was downloaded.", reason))
    window.data_reader.found.connect(window.analyzer.take_findings)
    window.own_data.message.connect(window.show_message)
    window.own_data.adopted.connect(browser.refresh)
    window.own_data.adopted.connect(window.transform_trials.refresh)
    for trusted in (window.own_data.trusted, window.run_control.trusted):
        trusted.connect(window.data_reader.start)
        trusted.connect(browser.reread)
        trusted.connect(window.transform_trials.reread)
    for part in (window.data_reader, window.own_data, browser, window.transform_trials):
        window.loader.ready.connect(part.start)


def connect_samples(window: MainWindow) -> None:
    """What one sample looks like on the canvas."""
    place = window.build_place
    window.samples.seen.connect(lambda sighting: place.scene.show_pictures(sighting.pictures))
    window.samples.seen.connect(place.inspector.show_sighting)
    place.inspector.next_sample_wanted.connect(window.samples.show_next)
    window.analyzer.analyzed.connect(window.samples.follow_analysis)
    window.session.state_changed.connect(lambda state: window.samples.follow_run(state, window.session.checkpoint))
    window.loader.completed.connect(window.samples.start)
