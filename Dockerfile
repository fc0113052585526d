# The image for CPUs: docker build -t llm-svc . && docker run -d -p 8000:8000 llm-svc
# llama.cpp is compiled for the processor it is built on. For an image that other machines run, too:
#   docker build --build-arg CMAKE_ARGS=-DGGML_NATIVE=OFF -t llm-svc .

FROM python:3.12-slim AS build

RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential cmake git \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
COPY requirements.txt .
ARG CMAKE_ARGS=""
ARG PIP_ARGS=""
# llama.cpp's AMX kernels crash when GCC compiles them (ggml-org/llama.cpp#26954).
RUN if [ "$(uname -m)" = x86_64 ]; then export CFLAGS=-mno-amx-int8 CXXFLAGS=-mno-amx-int8; fi \
    && pip install --no-cache-dir -r requirements.txt $PIP_ARGS


FROM python:3.12-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 llmsite
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
# The server writes its database and its secret key into data/, downloads into models/.
RUN mkdir -p data models && chown -R llmsite data models
USER llmsite

ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 CONFIG_PATH=/app/config/production.yml
VOLUME ["/app/data", "/app/models"]
EXPOSE 8000
# Without the proxy that the environment may name.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "from urllib.request import *; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/v1/health', timeout=4)"]
CMD ["sh", "-c", "python manage.py setup && exec python manage.py runserver --noreload 0.0.0.0:8000"]
