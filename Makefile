# Two commands do everything on a machine with git, make, Python 3.11 or newer and a package index:
#   make lab      and      make test
# `make help` lists the rest. PYTHON=python3.12 chooses the interpreter; LAB_ARGS=--no-browser is for servers.

BIN := .venv/bin
LAB_ARGS ?=
PYTEST_ARGS ?=
PROOF_ARGS ?=
FUZZ_SECONDS ?= 300
LECTURES ?=
BENCH_ARGS ?=
# One BLAS thread a process: several processes with several threads each slow one another down by an order of magnitude.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PYTEST = $(ONE_THREAD) $(BIN)/python -m pytest -n auto --maxprocesses 4

.PHONY: help lab test test-all test-lectures gpu grade hostile build slides bench proof fuzz lint venv venv-dev
export PYTHON

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

lab: venv ## set up, build the notebooks, open JupyterLab on the lectures (LAB_ARGS=--no-browser on a server)
	@scripts/fast.sh
	$(BIN)/cnnlab build
	$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/lectures/00_start_here.ipynb $(LAB_ARGS)

test: venv-dev ## set up and run the tests (what the machine lacks is skipped, and said so)
	$(PYTEST) -m "not slow" $(PYTEST_ARGS)

test-all: venv-dev ## the tests, and those that take longer
	$(PYTEST) $(PYTEST_ARGS)

test-lectures: venv-dev ## run the lectures that `make test` leaves out, and compare what they print with what was asked for (test-all: in a browser, too)
	$(PYTEST) -m slow tests/lectures $(PYTEST_ARGS)

gpu: ## on a machine with an NVIDIA GPU: run the tests that need one, then the benchmark against PyTorch (GPU_PYTHON=python3: an environment that has CuPy)
	@PYTEST_ARGS="$(PYTEST_ARGS)" scripts/gpu.sh

grade: venv ## grade the sample classes in course/samples, and compare scores and named mistakes with what is expected
	$(BIN)/cnnlab build
	$(ONE_THREAD) $(BIN)/python scripts/grade_samples.py

hostile: venv ## grade the hostile and awkward samples: what each tried, must get and got, what leaked, what was left
	$(BIN)/cnnlab build
	$(ONE_THREAD) $(BIN)/python scripts/grade_hostile.py

build: venv ## build lectures, release notebooks and solutions from their sources
	$(BIN)/cnnlab build

slides: venv ## run the lectures and write them as slides into lectures/slides (LECTURES="01 02": only these)
	$(BIN)/cnnlab build
	$(BIN)/cnnlab slides $(LECTURES)

bench: venv-dev ## measure speed beside PyTorch: tables, CSV files and pictures (BENCH_ARGS="conv_speed --quick"; --list: what there is)
	$(BIN)/cnnlab bench $(BENCH_ARGS)

proof: venv-dev ## ask whether the checks notice mistakes and random wrong answers, and name them rightly; print the tables
	$(BIN)/python scripts/prove_checks.py --times $(PROOF_ARGS)

fuzz: venv-dev ## look for bytes that break the grader, FUZZ_SECONDS=300 for each of four targets, then many examples of the tests
	test -d .fuzz/packages/atheris || $(BIN)/pip install --quiet --target .fuzz/packages atheris
	for target in wire answer notebook zip; do \
	  (cd .fuzz && PYTHONPATH=packages ../$(BIN)/python ../scripts/fuzz_grader.py $$target --seconds $(FUZZ_SECONDS) --corpus corpus-$$target) || exit 1; \
	done
	CNNLAB_FUZZ=20 $(PYTEST) tests/grading/fuzz $(PYTEST_ARGS)

lint: venv-dev ## ruff (lint and format) and mypy --strict
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

venv:
	@scripts/venv.sh course

venv-dev:
	@scripts/venv.sh course,test,dev
