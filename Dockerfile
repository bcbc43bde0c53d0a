# Headwater in one process with one writer; its data live in the volume /data.
#
#     docker build -t headwater .
#     docker run --rm -p 8321:8321 -v headwater-data:/data headwater
#     docker run --rm -p 8321:8321 headwater headwater demo
#
# A server that listens beyond loopback takes no writes until there is a token:
#     docker run --rm -v headwater-data:/data headwater headwater token create NAME --scope write --data /data

FROM python:3.12-slim AS build
WORKDIR /build
RUN python -m venv /opt/headwater && python -m venv /opt/builder
# The locked packages come first: this layer is only made anew when a lock changes.
COPY requirements-runtime.lock requirements.lock ./
RUN /opt/headwater/bin/pip install --no-cache-dir --require-hashes -r requirements-runtime.lock \
 && /opt/builder/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY ontology ontology
COPY shapes shapes
COPY queries queries
COPY examples examples
RUN /opt/builder/bin/python -m build --no-isolation --wheel --outdir dist \
 && /opt/headwater/bin/pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.12-slim
# Pictures as PNG are drawn here, not in a browser: without a font they would have no words.
RUN apt-get update \
 && apt-get install -y --no-install-recommends fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 10001 headwater \
 && useradd --system --uid 10001 --gid headwater --home-dir /data --no-create-home headwater \
 && mkdir /data \
 && chown headwater:headwater /data
COPY --from=build /opt/headwater /opt/headwater
# Beyond loopback, so that the published port reaches it.
ENV PATH=/opt/headwater/bin:$PATH PYTHONUNBUFFERED=1 HEADWATER_HOST=0.0.0.0
USER headwater
WORKDIR /data
VOLUME /data
EXPOSE 8321
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8321/health/live', timeout=4).close()"]
CMD ["headwater", "serve", "--host", "0.0.0.0", "--data", "/data"]
