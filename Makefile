# Everything from a bare clone: each target makes .venv/ first when it has to.
#   make demo       the whole pipeline on the bundled patient
#   make test       the test suite (minutes)          make test-slow   the long tests
#   make lint       style, types, layers, manifest    make bench       benchmarks
#   make constraints  renew constraints.txt           make clean       remove what was built (make distclean: .venv too)
# Another Python: make PYTHON=python3.12 …
SHELL := /bin/bash
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL := $(PIP) --constraint constraints.txt --editable ".[all]"
USERS := .venv/.installed
DEVELOPERS := .venv/.installed-dev
WORKERS ?= logical

.PHONY: demo test test-slow lint format bench constraints clean distclean system system-for-tests
.DELETE_ON_ERROR:

demo: system $(USERS)
	$(BIN)/msqsm demo

test: system-for-tests $(DEVELOPERS)
	MSQSM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

# pytest's status 5 means that it collected no test: right only while no test is marked slow
test-slow: system-for-tests $(DEVELOPERS)
	@status=0; $(BIN)/python -m pytest -n 0 -m slow || status=$$?; \
	if [ $$status = 5 ] && ! grep -rqE "mark\.slow" tests; then echo "There are no slow tests."; status=0; fi; \
	exit $$status

lint: $(DEVELOPERS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/npe2 validate napari-msqsm

format: $(DEVELOPERS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: system-for-tests $(DEVELOPERS)
	$(BIN)/python -m pytest benchmarks -n 0 -o "python_files=bench_*.py" -o "python_functions=bench_*" --benchmark-only --benchmark-autosave

constraints: .venv/bin/python
	$(BIN)/python tools/renew_constraints.py

$(DEVELOPERS): $(USERS)
	$(INSTALL) --group dev
	touch $@

$(USERS): .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL)
	touch $@

.venv/bin/python:
	python=$$(PYTHON="$(PYTHON)" bash tools/find_python.sh) && "$$python" -m venv .venv
	$(PIP) --upgrade "pip>=25.1"

# Qt's libraries on Debian and Ubuntu. The demo runs without them (then it opens no window); the tests do not.
system:
	@bash tools/system_packages.sh || echo "Going on without them: the demo may not be able to open its window."

system-for-tests:
	@bash tools/system_packages.sh

clean:
	rm -rf build dist out_* msqsm-demo .benchmarks .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -exec rm -rf {} +

distclean: clean
	rm -rf .venv
