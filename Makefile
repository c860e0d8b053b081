# Everything runs in .venv with the OpenCode in .opencode; `make setup` makes both, and every target does so first.
# Another Python: make test PYTHON=python3.13. A provider of your own: make demo MODEL=provider/model.
# The demo on OpenCode 2: make demo OPENCODE=2.
# Windows without make: `python scripts/setup.py`, then for instance `.venv\Scripts\python -m pytest`.

PYTHON ?= python3
# pytest keeps the tests as it has rewritten them: doing that anew in each worker takes longer than the fast tests.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
OVER_HTTP := runs/test_runs asking/test_asking protocol/test_tasks protocol/test_resources protocol/test_subscriptions protocol/test_bad_input
PARALLEL := --numprocesses=auto --dist=worksteal

.PHONY: setup basics test pytest eras both http fast check lint types format demo bench attack

setup:
	@$(PYTHON) scripts/setup.py

# Without what only the tests need: the oldest OpenCode and the conformance suite, 300 MB.
basics:
	@$(PYTHON) scripts/setup.py --basics

# The types are checked while the tests wait for OpenCode.
test: setup lint
	@$(MAKE) --no-print-directory --jobs=2 types pytest

# Each worker has an OpenCode of its own. A machine too slow for a deadline gets another try, and the summary says so.
pytest:
	$(BIN)/pytest $(PARALLEL) --reruns=2

# All that needs no running OpenCode: about 75 seconds.
fast: basics
	$(BIN)/ruff check
	$(BIN)/pytest $(PARALLEL) -m "not integration"

check: lint types

lint: basics
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.check_complexity

types:
	nice $(BIN)/pyright

format: basics
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# OPENCODE=2 runs it with the OpenCode 2 of the tests, which only the whole set-up installs.
demo: $(if $(filter 2,$(OPENCODE)),setup,basics)
	@$(BIN)/python examples/demo.py $(if $(MODEL),--model $(MODEL)) $(if $(OPENCODE),--opencode $(OPENCODE))

# On both generations of OpenCode; the whole set-up installs OpenCode 2, where there is one for this machine.
bench: setup
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks --opencode 2

# Every test over HTTP of the modules of which `make test` runs a part over HTTP: half an hour.
http: setup
	$(BIN)/pytest $(PARALLEL) --reruns=2 --over-http tests/http tests/conformance $(OVER_HTTP:%=tests/integration/%.py)

# In both protocol eras, the tests of which `make test` takes one, since their results are the same.
eras: setup
	$(BIN)/pytest $(PARALLEL) --reruns=2 --all-eras -m either_era tests/integration

# Every test for both generations on OpenCode 2, of which `make test` takes a part: half an hour.
both: setup
	$(BIN)/pytest $(PARALLEL) --reruns=2 --all-generations -m on_opencode2

# Hostile messages, mixed load, all rounds of faults, and texts of a megabyte: half an hour.
attack: setup
	@$(BIN)/python -m benchmarks fuzz
	@$(BIN)/python -m benchmarks soak
	@FAULT_SEEDS=all $(BIN)/pytest tests/integration/outages/test_faults.py tests/integration/outages/test_newer_opencode2.py
	@FAULT_SEEDS=all $(BIN)/pytest $(PARALLEL) tests/integration/delegation/test_batches.py -k killed
	@LOAD=large $(BIN)/pytest tests/http/test_load.py
	@TEXTS=long $(BIN)/pytest $(PARALLEL) -m "not integration" --hypothesis-profile=default
