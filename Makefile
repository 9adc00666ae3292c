# Two commands do all set-up: `make demo` and `make test`. Both build .venv from the hashed lock files.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# The lock files are complete, so nothing is left to resolve; bytecode is made when first imported.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile
export MLFLOW_DISABLE_TELEMETRY = true
export DO_NOT_TRACK = true
export FEAST_USAGE = False
export MLFLOW_ALLOW_PICKLE_DESERIALIZATION = false

.PHONY: demo test nightly lint contracts lock bench clean
.DEFAULT_GOAL := demo

$(VENV)/.installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Tijdig needs $(PYTHON); install Python 3.11 or run: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(INSTALL) -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.installed            ## an invented region, from deliveries to the web page
	$(BIN)/tijdig demo $(DEMO)

# A test that dies or hangs ends the run and says where: a replaced worker would wait for ever.
ENDS := --max-worker-restart 0 -o faulthandler_timeout=900 -o faulthandler_exit_on_timeout=true

test: $(VENV)/.installed-dev lint   ## everything CI runs
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow" $(ENDS)

nightly: $(VENV)/.installed-dev     ## long versions: scale, fuzz, long property tests
	$(BIN)/pytest -m slow --hypothesis-profile=long

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

contracts: $(VENV)/.installed       ## after a change to features: their example contracts, approved again
	$(BIN)/tijdig privacy contracts --approve-again

bench: $(VENV)/.installed-dev       ## measured ratios, printed as a table
	$(BIN)/python -m experiments.benchmarks.run

lock:                               ## resolve again; the lock files name no index
	$(PYTHON) -m venv .lock-venv && .lock-venv/bin/pip install --quiet uv
	.lock-venv/bin/uv pip compile pyproject.toml --extra build --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --quiet -o requirements.lock
	.lock-venv/bin/uv pip compile pyproject.toml --extra dev -c requirements.lock --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --quiet -o requirements-dev.lock
	rm -rf .lock-venv

clean:
	rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
