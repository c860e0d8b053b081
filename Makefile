# Everything runs in .venv with the OpenCode in .opencode; `make setup` makes both, and every target does so first.
# Another Python: make test PYTHON=python3.13. A provider of your own: make demo MODEL=provider/model.
# Windows without make: `python scripts/setup.py`, then for instance `.venv\Scripts\python -m pytest`.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup test check format demo bench attack

setup:
	@$(PYTHON) scripts/setup.py

# Each worker has an OpenCode of its own. A machine too slow for a deadline gets another try, and the summary says so.
test: check
	$(BIN)/pytest --numprocesses=auto --dist=worksteal --reruns=2

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

demo: setup
	@$(BIN)/python examples/demo.py $(if $(MODEL),--model $(MODEL))

bench: setup
	@$(BIN)/python -m benchmarks

# Hostile messages, mixed load, and all rounds of faults: half an hour.
attack: setup
	@$(BIN)/python -m benchmarks fuzz
	@$(BIN)/python -m benchmarks soak
	@FAULT_SEEDS=all $(BIN)/pytest tests/integration/test_faults.py
