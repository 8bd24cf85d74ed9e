# The front door: `make help` lists the targets. Everything runs from .venv, made on first use.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.installed
COMPILE := $(BIN)/python -m piptools compile --quiet --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
# Commands that read the settings but talk to no database.
OFFLINE := SECRET_KEY=offline DATABASE_URL=postgres://offline@127.0.0.1:9/offline
WORKERS ?= 2
T ?= tests

.DEFAULT_GOAL := help
.PHONY: help run test prove lint fmt bench bench-web worker shell backup restore requirements

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): requirements.txt requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
		echo "Python's venv module is needed (on Debian and Ubuntu: the package python3-venv)." >&2; exit 1; }
	@echo "Installing the Python packages into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: $(STAMP) ## start everything and fill in demo data (HOST, PORT, DATA_DIR, DEMO=0)
	@exec $(BIN)/python -m tiktok_clone.launch

test: $(STAMP) ## run the tests (T=tests/feeds for some, PYTEST_ADDOPTS for pytest's options)
	@exec $(BIN)/python -m pytest -n $(WORKERS) $(T)

prove: $(STAMP) ## what takes too long for every change: all crash points, 1,000 sequences, 40 mutants a file
	@exec env LOOPY_CRASHES=all LOOPY_SEQUENCES=1000 LOOPY_MUTANTS=40 \
		$(BIN)/python -m pytest -n $(WORKERS) tests/crashing tests/videos/test_mutated.py

lint: $(STAMP) ## check style, types, layers, templates, migrations, vendored files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --check --quiet
	$(BIN)/djlint templates --lint --quiet
	$(OFFLINE) $(BIN)/mypy .
	$(OFFLINE) $(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	$(BIN)/python static/vendor/vendor.py check

fmt: $(STAMP) ## format the code and the templates
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	-$(BIN)/djlint templates --reformat --quiet

bench: $(STAMP) ## measure pages, media, notifications, the recommender … (B="hot_page" for one part)
	@exec $(BIN)/python -m tiktok_clone.embedded -- -m tests.benchmarks $(B)

bench-web: $(STAMP) ## measure the pages in Chromium (W="--only playback --data DIR"; needs npm, java)
	@exec $(BIN)/python -m tests.benchmarks.web $(W)

worker: $(STAMP) ## run one more worker
	@exec $(BIN)/python -m tiktok_clone.embedded --migrate -- manage.py procrastinate worker

shell: $(STAMP) ## open a Django shell on the data of `make run`
	@exec $(BIN)/python -m tiktok_clone.embedded --migrate -- manage.py shell

backup: $(STAMP) ## back up database and media into one file (FILE=…), while the site runs
	@exec $(BIN)/python -m tiktok_clone.embedded -- manage.py backup $(if $(FILE),"$(FILE)")

restore: $(STAMP) ## restore a backup: FILE=… (OVERWRITE=1 to replace a site that is not empty)
	@test -n "$(FILE)" || { echo "Which backup? make restore FILE=.data/backups/…" >&2; exit 1; }
	@exec $(BIN)/python -m tiktok_clone.embedded -- manage.py restore "$(FILE)" \
		$(if $(OVERWRITE),--overwrite)

requirements: $(STAMP) ## compile requirements*.txt from requirements*.in (UPGRADE=1 for newer versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) --output-file=requirements.txt requirements.in
	$(COMPILE) $(if $(UPGRADE),--upgrade) --output-file=requirements-dev.txt requirements-dev.in
