# Everything a person needs here: make run, make test. Each verb creates or refreshes .venv first.
# Needs Python >= 3.11, a C compiler and make; Postgres and Redis come with the Python packages.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
KILLS ?= 200
JOURNAL ?= 20000
SCHEDULES ?= 10000
EXAMPLES ?= 100
FUZZ ?= 1000000

.PHONY: build run test check bench faults clients conformance schema fuzz sanitize referee clean help

help:            ## list the verbs
	@grep -E '^[a-z]+: .*##' Makefile | sed -E 's/:[^#]*## /\t/'

.venv/stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "setuptools>=77" "cython>=3.1" "numpy>=2" wheel
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e ".[dev]"
	@touch $@

build: .venv/stamp  ## compile the native modules in place
	@$(BIN)/python setup.py --quiet build_ext --inplace

run: build  ## start a venue with demo accounts and simulated traders (ARGS="--data DIR" to keep it elsewhere)
	$(BIN)/buttonwood up --demo $(ARGS)

test: build  ## run all tests (ARGS="tests/core -k fok" to choose)
	$(BIN)/python -m pytest $(ARGS)

check: build  ## formatters, linters, types, house rules
	$(BIN)/ruff check .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cython-lint engine gateway bench referee
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_tidy.py

bench: build  ## every benchmark, one after the other
	for name in core journal recovery ledger ledger_lag verify gateway feed replay; do $(BIN)/python -m bench.$$name $(ARGS) || exit 1; done

faults: build   ## kill, stall and interrupt a trading venue, damage journals, simulate crashes (KILLS=200 JOURNAL=20000 SCHEDULES=10000)
	$(BIN)/python -m tests.system.faults --kills $(KILLS) --journal $(JOURNAL) --schedules $(SCHEDULES) $(ARGS)

clients: build  ## ccxt, ccxt.pro, python-binance, binance-sdk-spot in environments of their own trade a day (ARGS="ccxt --seconds 5")
	$(BIN)/python -m tests.clients $(ARGS)

conformance: build  ## the Autobahn test suite's cases on the WebSocket listeners (gateway/CONFORMANCE.md)
	$(BIN)/python -m tests.conformance $(ARGS)

schema: build   ## schemathesis asks a live venue what its OpenAPI document promises (EXAMPLES=100)
	$(BIN)/python -m tests.system.schema_run --examples $(EXAMPLES) $(ARGS)

fuzz: build     ## coverage-guided inputs to all that reads what clients send (FUZZ=1000000)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "atheris>=3"
	$(BIN)/python -m tests.fuzz.run --inputs $(FUZZ) $(ARGS)

sanitize: build  ## the native code's tests under PYTHONMALLOC=debug and under ASan and UBSan
	$(BIN)/python -m tests.sanitize

referee: .venv/stamp  ## build/libbuttonwood_referee.so: the core as a public judge of matching engines loads it
	@$(BIN)/python -m referee.build

clean:           ## remove what build and test made (not .venv)
	rm -rf build *.egg-info .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -path ./.venv -prune -o \( -name '__pycache__' -prune -o -name '*.so' -o -name '*.c' \) -print | xargs -r rm -rf
