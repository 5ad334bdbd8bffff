# One image for every process of a venue; docker-compose.yml says which one a container runs.
FROM python:3.12-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY pyproject.toml setup.py README.md LICENSE ./
COPY engine engine
COPY gateway gateway
COPY workers workers
COPY buttonwood buttonwood
RUN ENGINE_ARCH=portable pip wheel --wheel-dir /wheels .

FROM python:3.12-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels buttonwood-exchange && rm -r /wheels \
    && useradd --uid 10001 --no-create-home buttonwood && install --directory --owner buttonwood --mode 0700 /data
USER buttonwood
VOLUME /data
ENTRYPOINT ["buttonwood"]
CMD ["up", "--data", "/data"]
