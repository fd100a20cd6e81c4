# Two commands do it: `make demo` and `make test`. They need Python 3.11+ and make, and use uv where it is there.

PYTHON ?= $(shell for v in python3.13 python3.12 python3.11 python3; do \
	$$v -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$v; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
WAIT ?= 1
KILLS ?= 42

.PHONY: help demo fraud canary test truth faults faults-data faults-monitor check format bench bench-features bench-serving bench-data bench-train bench-monitor bench-quality docs clean

help:  ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile

$(VENV)/.installed: pyproject.toml hatch_build.py src/drivetrain/features/online/_kernel.c src/drivetrain/features/online/_events.c src/drivetrain/data/privacy/_kernel.c
	@test -n "$(PYTHON)" || { echo "drivetrain needs Python 3.11 or newer; none was found. Install it, or say PYTHON=/path/to/python."; exit 2; }
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --clear --python "$(PYTHON)" $(VENV) && \
		uv pip install --quiet --python $(BIN)/python --compile-bytecode -e . --group dev; \
	else \
		"$(PYTHON)" -m venv $(VENV) && $(BIN)/python -m pip install --quiet --upgrade pip && \
		$(BIN)/python -m pip install --quiet -e . --group dev; \
	fi
	@touch $@

MLFLOW := mlflow-skinny==3.17.2 pandas scikit-learn lightgbm xgboost skops
.mlflowenv/ready:  # MLflow's own client, for tests: it needs pandas, which our environment must do without
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --clear --python "$(PYTHON)" .mlflowenv && \
		uv pip install --quiet --python .mlflowenv/bin/python --compile-bytecode $(MLFLOW); \
	else \
		"$(PYTHON)" -m venv .mlflowenv && .mlflowenv/bin/python -m pip install --quiet $(MLFLOW); \
	fi
	@touch $@

MLFLOW_SERVER := mlflow==3.17.2 lightgbm
.mlflowserver/ready:  # MLflow's own server, for tests that are skipped without it: 860 MB, a minute and a half by pip
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --clear --python "$(PYTHON)" .mlflowserver && \
		uv pip install --quiet --python .mlflowserver/bin/python --compile-bytecode $(MLFLOW_SERVER); \
	else \
		"$(PYTHON)" -m venv .mlflowserver && .mlflowserver/bin/python -m pip install --quiet $(MLFLOW_SERVER); \
	fi
	@touch $@

demo: $(VENV)/.installed  ## the flights project end to end; WAIT=0 stops it at the end
	@$(BIN)/python examples/flights/demo.py $(if $(filter 0,$(WAIT)),--no-wait)

fraud: $(VENV)/.installed  ## card fraud at scale: the handbook's figures, and a day of payments scored and pushed live
	@$(BIN)/python examples/fraud/demo.py

canary: $(VENV)/.installed  ## two canaries of the flights model under traffic: one is ended, one becomes champion
	@$(BIN)/python examples/flights/canary.py

test: $(VENV)/.installed  ## every test
	@$(BIN)/python -m pytest -n 2

truth: $(VENV)/.installed  ## what statistics promise, simulated: rates of false alarms to a million rows, coverage, power; TRUTH=long for the tables of the docs
	@TRUTH=$(TRUTH) $(BIN)/python -m pytest -n 2 -m truth tests -o log_cli=true -o log_cli_level=INFO

faults: $(VENV)/.installed  ## the inference server under every fault; FAULTS=long for the full figures (half an hour)
	@FAULTS=$(FAULTS) $(BIN)/python -m pytest -n 0 tests/serve/faults -o log_cli=true -o log_cli_level=INFO

faults-data: $(VENV)/.installed  ## kill -9 at a hundred instants of taking in, for every kind of source; KILLS=42 rounds of three (half an hour)
	@DRIVETRAIN_TESTING_KILLS=$(KILLS) $(BIN)/python -m pytest -n 0 tests/data -k killed_anywhere_and_two -o log_cli=true -o log_cli_level=INFO

faults-monitor: $(VENV)/.installed  ## the watch under every fault: killed, told nonsense, two at once, clocks that jump, sinks, tables and labels that fail
	@$(BIN)/python -m pytest -n 2 tests/loop/test_watch_killed.py tests/loop/test_kill.py tests/loop/alerting tests/loop/watching tests/loop/test_guarding.py \
	  tests/loop/test_following.py tests/loop/test_maturing.py tests/monitor/alerting tests/monitor/test_broken.py tests/monitor/tables tests/monitor/comparison

check: $(VENV)/.installed  ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy examples/fraud
	@$(BIN)/lint-imports

format: $(VENV)/.installed  ## mend what can be mended by machine
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: bench-features bench-serving bench-data bench-train bench-monitor  ## every benchmark, each a table with ratios
	@for file in runner engine leakage auc_bootstrap fairness; do $(BIN)/python benchmarks/$$file.py || exit 1; done

bench-features: $(VENV)/.installed  ## what features cost, beside their peers, and one table of their budgets
	@$(BIN)/python benchmarks/features.py

bench-serving: $(VENV)/.installed  ## the inference server beside its peers, and one table of its budgets
	@$(BIN)/python benchmarks/serving.py

bench-data: $(VENV)/.installed  ## contracts, ingestion and the search for personal data, and one table of their budgets
	@$(BIN)/python benchmarks/data.py

bench-train: $(VENV)/.installed  ## tuning beside bare Optuna, MLflow's clients beside MLflow, and one table of the budgets
	@$(BIN)/python benchmarks/train.py

bench-monitor: $(VENV)/.installed  ## what watching costs: drift beside Evidently and NannyML, sketches, estimates, and one table of the budgets
	@$(BIN)/python benchmarks/monitor.py
	@$(BIN)/python benchmarks/monitor_cbpe.py

bench-quality: $(VENV)/.installed  ## figures on public data: Adult's log loss beside its published ones, SMS spam, ranking beside LightGBM itself
	@for file in adult adult_tuned ranking sms; do $(BIN)/python benchmarks/quality/$$file.py || exit 1; done

clean:  ## forget what was built and run
	rm -rf $(VENV) examples/*/.drivetrain examples/*/raw
