# Every command sets up .venv by itself, and again only when the lock changed.
# Only make, git and Python 3.11-3.14 have to be here before.

PY := .venv/bin/python
READY := .venv/.ready
LOCK := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

.PHONY: help sandbox test check bench lock
.DEFAULT_GOAL := help

help:
	@echo "make sandbox   try everything on this machine: http://127.0.0.1:3000"
	@echo "make test      every test, on a real PostgreSQL; browser tests where Chromium is installed"
	@echo "make check     style, types, import floors"
	@echo "make bench     how fast the doors are on this machine"
	@echo "make lock      compile the locks again from pyproject.toml"

sandbox: $(READY)
	@exec $(PY) -m bot.cli sandbox

test: $(READY)
	$(PY) -m pytest --numprocesses 4

check: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

bench: $(READY)
	$(PY) -m pytest -s -o python_files="bench_*.py" tests/bench

lock: $(READY)
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) --group dev --constraints requirements.txt pyproject.toml --output-file requirements-dev.txt

# A Python that can make a virtual environment is searched for; what is missing is said in one line.
$(READY): requirements-dev.txt
	@found=; \
	for name in python3.13 python3.12 python3.11 python3.14 python3; do \
		if "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; then \
			found=$$name; "$$name" -c 'import venv, ensurepip' 2>/dev/null && break; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Python 3.11, 3.12, 3.13 or 3.14 is needed and was not found. Install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.13)." >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$found cannot make virtual environments. Install its venv package (Debian, Ubuntu: apt-get install $$found-venv)." >&2; exit 1; \
	fi; \
	echo "Setting up .venv with $$($$found --version) (once, about a minute)..."; \
	$(PY) -c '' 2>/dev/null || "$$found" -m venv --clear .venv || { echo "No virtual environment could be made in .venv (above: why). Is there space left, and may you write here?" >&2; exit 1; }; \
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.txt \
		&& $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e . \
		|| { echo "The packages of requirements-dev.txt could not be installed (above: which and why). Is there a network, or a proxy to set?" >&2; exit 1; }; \
	touch $@
