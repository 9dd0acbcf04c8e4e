# docker build .                 web server, worker and training on the CPU in one image (the last stage)
# docker build --target web .    the web server alone, without torch: about a gigabyte less
# docker build --target gpu .    a worker that trains on an NVIDIA GPU; run it with --gpus all
FROM python:3.11-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/frontdesk
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY chatbot chatbot
COPY ingest ingest
COPY web web
COPY migrations migrations
RUN /opt/frontdesk/bin/pip install --constraint constraints.txt '.[postgres,redis,documents]'

FROM build AS build-train
# Where torch's smaller build without CUDA comes from another index, name it: --build-arg PIP_EXTRA_INDEX_URL=…
ARG PIP_EXTRA_INDEX_URL
RUN /opt/frontdesk/bin/pip install --constraint constraints.txt '.[train,postgres,redis,documents]'

FROM build AS build-gpu
# The default wheels of torch bring CUDA along; only the driver is the host's.
RUN /opt/frontdesk/bin/pip install --constraint constraints.txt '.[train,postgres,redis,documents]'

FROM python:3.11-slim AS runtime
# pg_dump and pg_restore for frontdesk backup; of the server's version or newer
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /data frontdesk
ENV PATH="/opt/frontdesk/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    FRONTDESK_DATA=/data \
    FRONTDESK_HOST=0.0.0.0 \
    PORT=5000
# by number, so that a cluster that forbids root can see that it is not root
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]

FROM runtime AS web
COPY --from=build /opt/frontdesk /opt/frontdesk
CMD ["frontdesk", "serve", "--web-only", "--host", "0.0.0.0"]

FROM runtime AS gpu
COPY --from=build-gpu /opt/frontdesk /opt/frontdesk
ENV FRONTDESK_DEVICE=cuda
HEALTHCHECK NONE
CMD ["frontdesk", "worker"]

FROM runtime AS frontdesk
COPY --from=build-train /opt/frontdesk /opt/frontdesk
CMD ["frontdesk", "serve", "--host", "0.0.0.0"]
