# The image for CPUs: docker build -t llm-svc . && docker run -d -p 8000:8000 llm-svc
# For NVIDIA GPUs:    docker build --build-arg VARIANT=cuda -t llm-svc:cuda . && docker run --gpus all …
# For CPUs, llama.cpp is compiled for the processor it is built on. For an image that other machines run, too:
#   docker build --build-arg CMAKE_ARGS=-DGGML_NATIVE=OFF -t llm-svc .

ARG VARIANT=cpu
ARG CUDA=12.8.1

# The two kinds of machines to build on and to run on: both are Ubuntu 24.04 with Python 3.12, and so the wheels fit.
FROM ubuntu:24.04 AS build-cpu
ENV BACKEND_ARGS=""

FROM nvidia/cuda:${CUDA}-devel-ubuntu24.04 AS build-cuda
# While an image is built there is no GPU to compile for, so it is compiled for all kinds; and the driver's library is
# not there, so that the linker gets its stub.
ENV BACKEND_ARGS="-DGGML_CUDA=on -DGGML_NATIVE=off -DCMAKE_EXE_LINKER_FLAGS=-Wl,--allow-shlib-undefined"
ENV LIBRARY_PATH=/usr/local/cuda/lib64/stubs

FROM ubuntu:24.04 AS run-cpu

FROM nvidia/cuda:${CUDA}-runtime-ubuntu24.04 AS run-cuda


# hadolint ignore=DL3006
FROM build-${VARIANT} AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential cmake git python3-dev python3-pip python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements.txt requirements-postgres.txt requirements-otel.txt ./
ARG CMAKE_ARGS=""
ARG PIP_ARGS=""
# llama.cpp's AMX kernels crash when GCC compiles them (ggml-org/llama.cpp#26954).
# hadolint ignore=SC2086
RUN if [ "$(uname -m)" = x86_64 ]; then export CFLAGS=-mno-amx-int8 CXXFLAGS=-mno-amx-int8; fi \
    && CMAKE_ARGS="$BACKEND_ARGS $CMAKE_ARGS" \
       python3 -m pip wheel --no-cache-dir --wheel-dir /wheels -r requirements-postgres.txt -r requirements-otel.txt $PIP_ARGS
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-index --find-links /wheels \
       -r requirements-postgres.txt -r requirements-otel.txt


# hadolint ignore=DL3006
FROM run-${VARIANT}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 python3 \
    && rm -rf /var/lib/apt/lists/* \
    && (userdel --remove ubuntu || true) \
    && useradd --create-home --uid 1000 llmsite
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
# All that the server writes: its database and secret key in data/, downloads in models/, temporary files in /tmp.
RUN python3 -m compileall -q . \
    && mkdir -p data models \
    && chown -R llmsite data models
USER 1000

ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CONFIG_PATH=/app/config/production.yml
VOLUME ["/app/data", "/app/models"]
EXPOSE 8000
# Ready when the models with `preload` are loaded. Without the proxy that the environment may name.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m CMD ["python", "-c", \
    "from urllib.request import *; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["sh", "-c", "python manage.py setup && exec python manage.py runserver --noreload 0.0.0.0:8000"]
