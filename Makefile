# Two commands matter: `make run` and `make test`. Each sets up everything it needs in .venv; once that is done, both
# work without a network. The stamp file holds the folder it was made in, so a moved or copied tree sets itself up anew.

PYTHON ?= python3
PY := .venv/bin/python
STAMP := .venv/.installed
MOVED := $(if $(wildcard $(STAMP)),$(shell [ "$$(cat $(STAMP))" = "$$PWD" ] || echo moved))
ROOMS := __init__.py __main__.py py.typed protocols agents grid scenarios

.PHONY: run test verify soak bench lint figures docs clean moved

run: $(STAMP)
	$(PY) -m gridpact run scenario-1-dso

test: $(STAMP)
	$(PY) -m pytest -n 3 --dist loadfile

verify: $(STAMP)
	$(PY) -m gridpact verify

soak: $(STAMP)
	$(PY) -m gridpact verify soak via-dso
	$(PY) -m pytest -m soak --timeout 3600 -s

bench: $(STAMP)
	$(PY) tests/bench/run.py build/bench.json --page build/performance.md

lint: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	@rm -rf .venv/typed && mkdir -p .venv/typed/gridpact
	@for room in $(ROOMS); do ln -s "$$PWD/$$room" .venv/typed/gridpact/$$room; done
	root="$$PWD"; cd .venv/typed && MYPYPATH=. "$$root/$(PY)" -m mypy --config-file "$$root/pyproject.toml" -p gridpact

figures: $(STAMP)
	$(PY) docs/figures.py

docs: $(STAMP)
	@$(PY) -c 'import sphinx, furo, myst_parser' 2>/dev/null || \
		$(PY) -m pip install --quiet --disable-pip-version-check --no-build-isolation -e ".[docs]"
	$(PY) -m sphinx -W --keep-going -q -b html docs build/site
	@echo "open build/site/index.html"

$(STAMP): pyproject.toml $(MOVED)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "gridpact needs Python 3.11 or newer, but $(PYTHON) is older: make PYTHON=/path/to/python3.11"; exit 1; }
	$(if $(MOVED),rm -rf .venv)
	@test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --upgrade "setuptools>=77" wheel
	$(PY) -m pip install --quiet --disable-pip-version-check --no-build-isolation -e ".[dev]"
	@printf '%s' "$$PWD" > $@

moved:

clean:
	rm -rf .venv build docs/_generated dist *.egg-info .mypy_cache .ruff_cache .hypothesis tests/.pytest_cache runs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
