# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
BIN = .venv/bin
# A folder made by `make offline`: everything is installed from it, and nothing from a network.
OFFLINE ?=
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
      $(if $(OFFLINE),--no-index --find-links "$(OFFLINE)/wheels")
# Ends with one line if the kit does not serve this Python, or the one that .venv was made with.
KIT_SERVES = $(if $(OFFLINE),python=$(BIN)/python; test -x $$python || python=$(PYTHON); $$python testbed/offline_kit.py "$(OFFLINE)")
ifneq ($(OFFLINE),)
# No index, and no setting of this machine, has a say.
export PIP_CONFIG_FILE = /dev/null
unexport PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CONSTRAINT PIP_REQUIRE_VIRTUALENV
endif
# Hundreds of child processes would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check long docs offline clean

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
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site

# Soaks, kill suites and large sweeps. LONG narrows them: make long LONG='-k two_hundred_orders', make long LONG='-m slow -n 3'
long: .venv/dev
	$(BIN)/pytest -m 'long or slow' $(LONG)

docs: .venv/dev
	$(BIN)/python -m testbed.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# A folder for a USB stick: `make demo OFFLINE=FOLDER` needs no network. KIT narrows it: make offline KIT="--platform linux-x86_64 --without-tests"
offline: .venv/dev
	$(BIN)/python -m testbed.offline $(KIT)

clean:
	rm -rf .venv build *.egg-info

.venv/run: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -c 'import sys; sys.exit(sys.platform == "win32" and "saga runs on Linux and macOS: on Windows install WSL2 (wsl --install) and run it there")'
	@$(KIT_SERVES)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --editable .
	touch $@

.venv/dev: .venv/run
	@$(if $(OFFLINE),$(KIT_SERVES) tests)
	$(PIP) --editable '.[dev]'
	touch $@
