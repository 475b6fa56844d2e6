# One image for all processes: `web` by default; `clock`, `socket`, `migrate`, and every other command as arguments.
# Every package comes from a lock file with hashes.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/contact-cleanup
ENV PATH=/opt/contact-cleanup/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt requirements-build.txt ./
RUN pip install --require-hashes --only-binary :all: -r requirements.txt
RUN python -m venv /build && /build/bin/pip install --require-hashes --only-binary :all: -r requirements-build.txt
COPY pyproject.toml README.md LICENSE manifest.yaml ./
COPY bot bot
RUN /build/bin/python -m hatchling build --target wheel && pip install --no-deps --no-index dist/*.whl

FROM python:3.13-slim
# For `cleanup-bot backup` and `restore`.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/contact-cleanup /opt/contact-cleanup
ENV PATH=/opt/contact-cleanup/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --create-home --home-dir /var/lib/contact-cleanup --shell /usr/sbin/nologin cleanup
USER cleanup
WORKDIR /var/lib/contact-cleanup
EXPOSE 3000
# Of `web`; compose.yaml turns it off for processes that serve no HTTP.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["cleanup-bot", "health"]
ENTRYPOINT ["cleanup-bot"]
CMD ["web"]
