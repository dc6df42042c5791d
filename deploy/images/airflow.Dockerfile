# The image of Airflow's components and of MLflow's server. Built by deploy/images/build.sh, after the lean image.
#
#   --target airflow   scheduler, DAG processor, triggerer, API server, MLflow
#   --target worker    the same with TensorFlow's environment: what a worker runs by itself, and what keys are made of
ARG PYTHON=python:3.11-slim-bookworm
ARG TENSORFLOW=litegate-tensorflow:latest

FROM ${TENSORFLOW} AS tensorflow

FROM ${PYTHON} AS build
ARG LOCK_SHA256
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build
COPY deploy/locks/distributed.txt lock.txt
COPY --from=tensorflow /opt/litegate/wheel wheel
RUN echo "${LOCK_SHA256}  lock.txt" | sha256sum --check; \
    python -m venv --without-pip /opt/litegate/airflow; \
    python -m pip --python /opt/litegate/airflow/bin/python install --no-cache-dir --no-deps --only-binary :all: \
        --require-hashes --requirement lock.txt; \
    python -m pip --python /opt/litegate/airflow/bin/python install --no-cache-dir --no-deps --no-index wheel/*.whl
# The official chart's probes and jobs call this.
RUN printf '#!/bin/sh\nexec "$@"\n' > /entrypoint; chmod 0755 /entrypoint

FROM ${PYTHON} AS airflow
ARG LOCK_SHA256
ARG REVISION=unknown
LABEL org.opencontainers.image.title="litegate-airflow" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}" \
      litegate.lock.sha256="${LOCK_SHA256}"
COPY --from=build /opt/litegate/airflow /opt/litegate/airflow
COPY --from=build /entrypoint /entrypoint
ENV AIRFLOW_HOME=/opt/airflow \
    LITEGATE_HOME=/var/lib/litegate \
    PATH=/opt/litegate/airflow/bin:/usr/local/bin:/usr/bin:/bin
# The user and the group that the official chart expects. Of the group root, which has no rights of root's.
RUN useradd --uid 50000 --gid 0 --home-dir /opt/airflow --create-home airflow \
    && install --directory --owner 50000 --group 0 --mode 0770 /var/lib/litegate /opt/airflow/dags /opt/airflow/logs
USER 50000:0
WORKDIR /opt/airflow
ENTRYPOINT ["/entrypoint"]
CMD ["airflow", "version"]

FROM airflow AS worker
COPY --from=tensorflow /opt/litegate/tensorflow /opt/litegate/tensorflow
ENV LITEGATE_TENSORFLOW_PYTHON=/opt/litegate/tensorflow/bin/python
