# docker build .                 everything in one image: web server, worker, training (the last stage)
# docker build --target web .    the web server alone, without torch: about a gigabyte less
FROM python:3.11-slim AS build
WORKDIR /src
# Where torch's smaller build without CUDA comes from another index, name it: --build-arg PIP_EXTRA_INDEX_URL=…
# For training on a GPU leave it out: the default wheels bring CUDA along; run with --gpus all.
ARG PIP_EXTRA_INDEX_URL
RUN python -m venv /opt/frontdesk
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY chatbot chatbot
COPY ingest ingest
COPY web web
COPY migrations migrations
RUN /opt/frontdesk/bin/pip install --no-cache-dir --constraint constraints.txt '.[postgres,redis,documents]'

# Serving imports none of these (tests/test_imports.py holds it): they are for training and for new encoders.
FROM build AS build-web
RUN /opt/frontdesk/bin/pip freeze --exclude-editable \
    | sed -n -E 's/^((torch|triton|nvidia-[a-z0-9-]+|sentence-transformers|transformers|accelerate|onnxscript|onnx|onnx-ir)) ?[=@].*/\1/p' \
    | xargs /opt/frontdesk/bin/pip uninstall --yes

FROM python:3.11-slim AS runtime
# pg_dump and pg_restore for frontdesk backup; of the server's version or newer
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /data frontdesk
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

FROM runtime AS web
COPY --from=build-web /opt/frontdesk /opt/frontdesk
CMD ["frontdesk", "serve", "--web-only", "--host", "0.0.0.0"]

FROM runtime AS frontdesk
COPY --from=build /opt/frontdesk /opt/frontdesk
CMD ["frontdesk", "serve", "--host", "0.0.0.0"]
