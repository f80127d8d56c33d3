# Every target builds what it needs in $(VENV); a second run finds it there.
#
#   PYTHON   the interpreter to build the environment with (3.11 or newer)
#   VENV     where the environment goes
#   NNGRAD   what to install: this tree, or a wheel
#   EXTRAS   the optional dependencies to install with it, where a target's own are too few

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,$(if \
	$(shell $(p) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(p))))
VENV ?= .venv
NNGRAD ?= --editable=.
EXTRAS ?=
# worksteal hands out long runs of tests: what a worker caches for a file is made once or twice, and the
# time does not grow with the square of the number of tests, as in groups and scopes
PYTEST ?= -n auto --maxprocesses=8 --dist worksteal

BIN := $(abspath $(VENV))/bin

.PHONY: help install demo demo-pure demo-private demo-oscillator demo-newton demo-bayes test lint types imports bench clean

help:
	@echo "make demo       train a digits classifier, the imperative way"
	@echo "make demo-pure  the same through pure functions alone"
	@echo "make demo-private, demo-oscillator, demo-newton, demo-bayes"
	@echo "                pure pipelines: private training, a differential equation, a fit, a posterior"
	@echo "make test       run the tests"
	@echo "make lint       ruff, formatting, import contracts, and the types"
	@echo "make bench      time NNGrad beside whatever peers are installed"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "NNGrad needs Python 3.11 or newer: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)

# $(BIN)/has-test,demo stands for the package with the extras "test" and "demo"
$(BIN)/has-%: pyproject.toml | $(BIN)/python
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check '$(NNGRAD)[$*]'
	@touch '$@'

install: $(BIN)/has-$(or $(EXTRAS),test)

demo: $(BIN)/has-$(or $(EXTRAS),demo)
	$(BIN)/python -m examples.digits

demo-pure: $(BIN)/has-$(or $(EXTRAS),demo)
	$(BIN)/python -m examples.digits_pure

demo-private: $(BIN)/has-$(or $(EXTRAS),demo)
	$(BIN)/python -m examples.private_cnn

demo-oscillator: $(BIN)/has-$(or $(EXTRAS),demo)
	$(BIN)/python -m examples.oscillator

demo-newton: $(BIN)/has-$(or $(EXTRAS),demo)
	$(BIN)/python -m examples.diabetes_newton

demo-bayes: $(BIN)/has-$(or $(EXTRAS),demo)
	$(BIN)/python -m examples.bayes_hmc

# one thread a worker; `pytest`, not `python -m pytest`, so that what is installed is tested
test: $(BIN)/has-$(or $(EXTRAS),test)
	OMP_NUM_THREADS=1 $(BIN)/pytest $(PYTEST)

lint: $(BIN)/has-$(or $(EXTRAS),lint) imports types
	$(BIN)/ruff check
	$(BIN)/ruff format --check

imports: $(BIN)/has-$(or $(EXTRAS),lint)
	$(BIN)/lint-imports

# --verifytypes takes the first Python on the PATH, whatever --pythonpath says
types: $(BIN)/has-$(or $(EXTRAS),lint)
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	PATH='$(BIN)':"$$PATH" pyright --verifytypes nngrad --ignoreexternal

bench: $(BIN)/has-$(or $(EXTRAS),bench)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
