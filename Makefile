# `make run` serves, `make test` checks everything, `make help` lists the rest.
# PIP_ARGS goes to pip, CMAKE_ARGS to the compilation of llama-cpp-python (README: "Faster installs and GPUs").

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --disable-pip-version-check

# llama.cpp's AMX kernels crash when GCC compiles them (ggml-org/llama.cpp#26954): leave them out where the compiler
# knows the switch. `make install AMX=1` builds with them.
ifneq ($(AMX),1)
AMX_OFF := $(shell echo | $${CC:-cc} -mno-amx-int8 -E - >/dev/null 2>&1 && echo -mno-amx-int8)
endif
export CFLAGS := $(strip $(CFLAGS) $(AMX_OFF))
export CXXFLAGS := $(strip $(CXXFLAGS) $(AMX_OFF))

.PHONY: help install install-dev run test system-packages test-clients lint format messages soak fuzz bench screenshots clean

help:
	@echo "make install       create .venv and install what the server needs"
	@echo "make run           install, set up the database, serve"
	@echo "make test          install, then all checks and all tests"
	@echo "make test-clients  install LangChain and, with npm, the JavaScript clients; test the API with them"
	@echo "make lint          ruff, migrations and Django's checks only"
	@echo "make format        let ruff format the code"
	@echo "make messages      collect the texts to translate (gettext), compile their Russian translations"
	@echo "make soak          200 clients for 10 minutes, then 100 killed engines"
	@echo "make fuzz          thousands of requests that the schema allows or forbids, and 10,000 malformed bodies"
	@echo "make bench         measure throughput and latency over HTTP"
	@echo "make screenshots   take the pictures of the documentation anew, with Chromium"
	@echo "make clean         remove .venv and caches"

install: .venv/installed

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	@echo "Installing. Without a ready wheel, llama-cpp-python is compiled: 5 to 10 minutes on two cores, once."
	$(PIP) -r requirements.txt $(PIP_ARGS)
	@if [ -n "$(AMX_OFF)" ] && $(BIN)/python -m inference.engine.system_info | grep -q "AMX_INT8 = 1"; then \
		echo "The cached build of llama-cpp-python has AMX kernels that crash here; compiling it again."; \
		$(PIP) --force-reinstall --no-deps --no-cache-dir $$(grep llama-cpp-python requirements.txt) $(PIP_ARGS); \
	fi
	@touch $@

install-dev: .venv/installed-dev

.venv/installed-dev: .venv/installed requirements-dev.txt requirements-otel.txt requirements-postgres.txt
	$(PIP) -r requirements-dev.txt
	@touch $@

run: install
	$(BIN)/python manage.py setup
	$(BIN)/python manage.py runserver --noreload

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python manage.py makemigrations --check --dry-run --settings tests.settings
	$(BIN)/python manage.py check --fail-level WARNING --settings tests.settings

test: system-packages lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --cov --cov-report=

system-packages:
	.ci/system-packages

test-clients: .venv/installed-clients tests/clients/node_modules/.package-lock.json
	$(BIN)/python -m pytest tests/clients

.venv/installed-clients: .venv/installed-dev requirements-clients.txt
	$(PIP) -r requirements-clients.txt
	@touch $@

tests/clients/node_modules/.package-lock.json: tests/clients/package.json tests/clients/package-lock.json
	npm ci --prefix tests/clients --no-audit --no-fund
	@touch $@

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: install-dev
	$(BIN)/python manage.py makemessages --locale ru --no-location --no-obsolete --no-wrap --settings tests.settings \
		--ignore .venv --ignore tests --ignore docs --ignore deploy
	$(BIN)/python manage.py compilemessages --locale ru --ignore .venv --settings tests.settings

soak: install-dev
	$(BIN)/python -m tests.soak $(SOAK_ARGS)
	$(BIN)/python -m tests.faults.kills

fuzz: install-dev
	$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

bench: install
	$(BIN)/python manage.py bench $(BENCH_ARGS)

screenshots: install-dev
	$(BIN)/python -m tests.screenshots

clean:
	rm -rf .venv .pytest_cache .ruff_cache .coverage .coverage.* htmlcov tests/clients/node_modules
