# The default installation: web server and worker in one container, SQLite, models, uploads and keys in /data.
FROM python:3.11-slim AS build
WORKDIR /src
# Where torch's smaller build without CUDA comes from another index, name it: --build-arg PIP_EXTRA_INDEX_URL=…
ARG PIP_EXTRA_INDEX_URL
RUN python -m venv /opt/frontdesk
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY chatbot chatbot
COPY ingest ingest
COPY web web
COPY migrations migrations
RUN /opt/frontdesk/bin/pip install --no-cache-dir --constraint constraints.txt '.[postgres,redis]'

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data frontdesk
COPY --from=build /opt/frontdesk /opt/frontdesk
ENV PATH="/opt/frontdesk/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    FRONTDESK_DATA=/data \
    FRONTDESK_HOST=0.0.0.0 \
    PORT=5000
USER frontdesk
WORKDIR /data
VOLUME /data
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
CMD ["frontdesk", "serve", "--host", "0.0.0.0"]
