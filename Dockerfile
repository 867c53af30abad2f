# One image for both processes: `python -m api` (the default) and `python -m agents`, and for the `clinic-hub` command.
# It holds neither the embedded engines nor their dependencies: the extra `local` in pyproject.toml.
FROM python:3.11-slim@sha256:db3ff2e1800a8581e2c48a27c3995339d47bdf046da21c7627accd3d51053a93 AS build
WORKDIR /src
RUN python -m venv /venv
COPY requirements-production.lock ./
RUN /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-production.lock
COPY pyproject.toml README.md ./
COPY hub hub
COPY agents agents
COPY api api
# Installed, not only copied: Faust finds our transport through an entry point of the installed distribution.
RUN /venv/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim@sha256:db3ff2e1800a8581e2c48a27c3995339d47bdf046da21c7627accd3d51053a93
RUN useradd --system --create-home --uid 10001 clinic
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 CLINIC_ENV=production
USER clinic
WORKDIR /home/clinic
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["python", "-m", "api"]
