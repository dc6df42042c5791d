# The lean image: TensorFlow's environment and litegate, for the pods of steps. Built by deploy/images/build.sh.
#
# What is installed is pinned by the lock file's hashes, and the image says which lock file that was. The base image is
# pinned by whoever builds: PYTHON=python:3.11-slim-bookworm@sha256:...
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ARG LOCK_SHA256
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build
COPY deploy/locks/tensorflow.txt lock.txt
# Wheels alone: nothing is compiled, so no compiler is needed, and none is left.
RUN echo "${LOCK_SHA256}  lock.txt" | sha256sum --check; \
    python -m venv --without-pip /opt/litegate/tensorflow; \
    python -m pip --python /opt/litegate/tensorflow/bin/python install --no-cache-dir --no-deps --only-binary :all: \
        --require-hashes --requirement lock.txt
COPY pyproject.toml README.md LICENSE ./
COPY components components
COPY operators operators
COPY dags dags
# One wheel for both images: results are stored by litegate's source, which must be the same in both.
RUN python -m pip --python /opt/litegate/tensorflow/bin/python wheel --no-deps --no-build-isolation --no-index \
        --wheel-dir /opt/litegate/wheel .; \
    python -m pip --python /opt/litegate/tensorflow/bin/python install --no-cache-dir --no-deps --no-index \
        /opt/litegate/wheel/*.whl

FROM ${PYTHON}
ARG LOCK_SHA256
ARG REVISION=unknown
LABEL org.opencontainers.image.title="litegate-tensorflow" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}" \
      litegate.lock.sha256="${LOCK_SHA256}"
COPY --from=build /opt/litegate /opt/litegate
ENV LITEGATE_TENSORFLOW_PYTHON=/opt/litegate/tensorflow/bin/python \
    PATH=/opt/litegate/tensorflow/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1
RUN useradd --uid 65532 --user-group --home-dir /tmp --no-create-home litegate && mkdir /litegate
USER 65532:65532
WORKDIR /litegate
ENTRYPOINT ["/opt/litegate/tensorflow/bin/python", "-m", "litegate.remote"]
