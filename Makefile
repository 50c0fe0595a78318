# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
BIN = .venv/bin
# Hundreds of child processes would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check long docs clean

demo: .venv/run
	$(BIN)/saga demo

test: .venv/dev
	$(BIN)/pytest -n 3 --dist worksteal

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports

# Soaks, kill suites and large sweeps. LONG narrows them: make long LONG='-k two_hundred_orders', make long LONG='-m slow -n 3'
long: .venv/dev
	$(BIN)/pytest -m 'long or slow' $(LONG)

docs: .venv/run
	$(BIN)/saga change --write docs/data/changes.json
	$(BIN)/python -m testbed.docs

clean:
	rm -rf .venv build *.egg-info

.venv/run: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -c 'import sys; sys.exit(sys.platform == "win32" and "saga runs on Linux and macOS: on Windows install WSL2 (wsl --install) and run it there")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

.venv/dev: .venv/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
