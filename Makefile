# Each command sets up .venv on its first run, and again when the lock file changes.
# It needs make, git, and Python 3.11 to 3.14.

PY := .venv/bin/python
READY := .venv/.ready
LOCK := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

.PHONY: help sandbox test check bench wheel sbom release lock
.DEFAULT_GOAL := help

help:
	@echo "make sandbox   try everything on this machine: http://127.0.0.1:3000"
	@echo "make test      every test, on a real PostgreSQL; browser tests where Chromium is installed"
	@echo "make check     style, types, import layers"
	@echo "make bench     benchmarks of this machine"
	@echo "make wheel     build dist/contact_cleanup-*.whl"
	@echo "make sbom      list the packages of a release in dist/sbom.json (CycloneDX)"
	@echo "make release   check, test, build, and say what is left to do"
	@echo "make lock      compile the lock files again from pyproject.toml"

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

wheel: $(READY)
	$(PY) -m hatchling build --target wheel

sbom: $(READY)
	@mkdir -p dist
	$(PY) -W ignore -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --output-file dist/sbom.json

release: check test wheel sbom
	@echo "Before the release of $$($(PY) -c 'import bot; print(bot.__version__)'):"
	@echo "1. CHANGELOG.md has this version with its date; bot/__init__.py has the same number."
	@echo "2. Try an upgrade: restore a backup of the last version, run migrate, and the last version's web and clock on it."
	@echo "3. Build the image (docker build .), and start web, clock, and migrate from it."
	@echo "4. Tag the commit, and publish dist/*.whl with dist/sbom.json."

lock: $(READY)
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) --group build --output-file requirements-build.txt
	$(LOCK) --group dev --extra sandbox --constraints requirements.txt pyproject.toml --output-file requirements-dev.txt

# Finds a Python that can create a virtual environment, or names in one line what is missing.
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
		echo "$$found cannot create virtual environments. Install its venv package (Debian, Ubuntu: apt-get install $$found-venv)." >&2; exit 1; \
	fi; \
	echo "Setting up .venv with $$($$found --version) (once, about a minute)..."; \
	$(PY) -c '' 2>/dev/null || "$$found" -m venv --clear .venv || { echo "Could not create a virtual environment in .venv (the reason is above). Check the free space and the permissions of this folder." >&2; exit 1; }; \
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.txt \
		&& $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e . \
		|| { echo "Could not install the packages of requirements-dev.txt (the reason is above). Check the network and its proxy." >&2; exit 1; }; \
	touch $@
