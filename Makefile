# make run            set up, then open the studio (without a screen: train the default network)
# make run HEADLESS=1 set up, then train the default network on the command line
# make test           set up, then run every check and test
# make bench          benchmarks; never part of the tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEMPLATE ?= digits-cnn

.PHONY: setup run test lint types contracts unit window e2e machine bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml packaging/constraints.txt packaging/system-packages.sh
	sh packaging/system-packages.sh
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint packaging/constraints.txt --editable '.[dev,export]'
	$(BIN)/python -m compileall -q studio
	touch $(STAMP)

# A window needs a display, and on Linux that is named by one of these two.
HAS_SCREEN := $(if $(HEADLESS),,$(if $(filter Linux,$(shell uname -s)),$(DISPLAY)$(WAYLAND_DISPLAY),yes))

run: setup
ifeq ($(HAS_SCREEN),)
	$(BIN)/studio train --template $(TEMPLATE)
else
	$(BIN)/studio
endif

test: lint types contracts unit window e2e

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports

# The core's tests run with Qt made unimportable, two at a time: with one thread each they do not wait for each other.
unit: setup
	STUDIO_TESTS_WITHOUT_QT=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -p no:pytest-qt --numprocesses 2 \
		--dist worksteal --ignore=tests/ui --ignore=tests/e2e

# A warning of Qt is a failure, as one of Python is; but for one by which the offscreen platform tells of itself.
QT_TESTS := $(BIN)/python -m pytest -o qt_api=pyside6 -o qt_log_level_fail=WARNING \
	-o qt_log_ignore='This plugin does not support'

window: setup
	QT_QPA_PLATFORM=offscreen $(QT_TESTS) tests/ui

e2e: setup
	$(QT_TESTS) tests/e2e

# Ten thousand histories of edits, with undo and redo; `make test` runs five hundred.
machine: setup
	STUDIO_MACHINE_EXAMPLES=10000 $(BIN)/python -m pytest -p no:pytest-qt tests/graph/test_machine.py

bench: setup
	for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
