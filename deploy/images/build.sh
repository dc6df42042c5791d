#!/bin/sh
# build.sh [TAG]: build litegate-tensorflow:TAG, litegate-airflow:TAG and litegate-worker:TAG by Docker, from what git
# has of this checkout. PYTHON names the base image, by its digest: python:3.11-slim-bookworm@sha256:...
set -eu
cd "$(dirname "$0")/../.."
tag=${1:-latest}
python=${PYTHON:-python:3.11-slim-bookworm}
revision=$(git rev-parse HEAD)

build() {  # NAME FILE LOCK [OPTION...]
    name=$1 file=$2 lock=$3
    shift 3
    git archive --format=tar HEAD | docker build --file "deploy/images/$file" --tag "$name:$tag" \
        --build-arg "PYTHON=$python" --build-arg "REVISION=$revision" \
        --build-arg "LOCK_SHA256=$(git show "HEAD:deploy/locks/$lock" | sha256sum | cut -d ' ' -f 1)" "$@" -
}

build litegate-tensorflow tensorflow.Dockerfile tensorflow.txt
for target in airflow worker; do
    build "litegate-$target" airflow.Dockerfile distributed.txt \
        --build-arg "TENSORFLOW=litegate-tensorflow:$tag" --target "$target"
done
