# Python 3.11+, pip and make are all that is needed; uv lives in an environment of its own,
# so that a sync of .venv cannot remove it.
PYTHON ?= python3
UV := .bootstrap/bin/uv
MODHOST_CONFIG ?= config/host.toml
export MODHOST_CONFIG
# Trust the certificates of this machine, if it has any, as pip and curl do: behind a proxy with its own
# authority no others work.
UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),true,false)
export UV_SYSTEM_CERTS
# Tests start hundreds of processes, and where an image forbids compiled files each would compile again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo test test-all test-postgres chaos race steps fuzz check docs bench soak mutate release screenshots format clean simulate

run: .venv/.synced
	.venv/bin/modhost run

# DATABASE: an empty one, instead of var/demo.db, which is made anew. ARGUMENTS: --help for the others.
demo: .venv/.synced
	.venv/bin/python -m benchmarks.demo $(if $(DATABASE),--database "$(DATABASE)") $(ARGUMENTS)

test: .venv/.synced
	.venv/bin/pytest -n 5 --dist loadfile --no-loadscope-reorder -m "not exhaustive"

# The exhaustive sweeps too: before a release, and after a change of what one sweeps through.
test-all: .venv/.synced
	.venv/bin/pytest -n 5 --dist loadfile --no-loadscope-reorder

# Programs of other versions come from npm; without VERSION all that are promised are tested.
test-postgres: .venv/.synced
	PYTHONPATH=tests .venv/bin/python -m postgres_versions $(VERSION)

# MINUTES on each DATABASE (sqlite, postgres, pgbouncer, or all three), by default another SEED each time.
chaos: .venv/.synced
	PYTHONPATH=tests .venv/bin/python -m chaos $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(DATABASE),--database $(DATABASE)) $(if $(SEED),--seed $(SEED)) $(ARGUMENTS)

# ARGUMENTS: --jobs 20000 --database sqlite|postgresql|both; --help for the others.
race: .venv/.synced
	PYTHONPATH=tests .venv/bin/python -m processes.racing $(ARGUMENTS)

# ARGUMENTS: --steps 1000 --database sqlite|postgresql|both; --help for the others.
steps: .venv/.synced
	PYTHONPATH=tests .venv/bin/python -m processes.stepping $(ARGUMENTS)

# ARGUMENTS: --seeds 10000 --database sqlite|postgresql|both --minutes 30; --help for the others.
simulate: .venv/.synced
	PYTHONPATH=tests .venv/bin/python -m simulation $(ARGUMENTS)

# TARGET=api, pages, cron, configuration, data, csv, headers, cookies or tokens; DATABASE=sqlite or
# postgresql; MINUTES=10, of each database; SEED=1; INPUT: a file of inputs to try alone.
fuzz: .venv/.synced
	PYTHONPATH=tests .venv/bin/python -m fuzzing --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) \
		--target $(or $(TARGET),all) --database $(or $(DATABASE),both) $(if $(INPUT),--input $(INPUT))

check: .venv/.synced
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy -n 2
	.venv/bin/lint-imports

format: .venv/.synced
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# Generated parts of the pages anew, and all pages as a site in var/site.
docs: .venv/.synced
	PYTHONPATH=tests .venv/bin/python -m docs.generated.generate
	$(UV) sync --locked --quiet --group site --python $(PYTHON) --no-python-downloads
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet

# The peers are a group of their own, which only this installs.
bench: .venv/.synced
	$(UV) sync --locked --quiet --group bench --python $(PYTHON) --no-python-downloads
	.venv/bin/python -m benchmarks $(ARGUMENTS)

# ARGUMENTS: --areas cron --sample 100 --processes 2; --help for the others.
mutate: .venv/.synced
	$(UV) sync --locked --quiet --group mutation --python $(PYTHON) --no-python-downloads
	.venv/bin/python -m mutation $(ARGUMENTS)

# ARGUMENTS: --minutes 30; --help for the others.
soak: .venv/.synced
	.venv/bin/python -m benchmarks.soak $(ARGUMENTS)

# VERSION: that of all distributions, e.g. 0.2.0. They are left in dist/, and uploaded by nobody.
release: .venv/.synced
	UV=$(UV) .venv/bin/python -m release $(VERSION)

screenshots: .venv/.synced
	PYTHONPATH=tests .venv/bin/python -m pages.screenshots var/screenshots

clean:
	rm -rf .venv .bootstrap

$(UV):
	$(PYTHON) -m venv .bootstrap
	.bootstrap/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/.synced: $(UV) uv.lock pyproject.toml $(wildcard host/pyproject.toml modules/*/pyproject.toml)
	$(UV) sync --locked --quiet --compile-bytecode --python $(PYTHON) --no-python-downloads
	@touch $@
