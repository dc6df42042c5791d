#!/bin/sh
# chromium.sh: print where Chromium is, installing Debian's package if it is nowhere on the PATH.
# Only CI calls this; `make test` leaves the browser tests out where there is none.
set -eu
packages="chromium fonts-dejavu-core fonts-liberation"

find_chromium() { command -v chromium || command -v chromium-browser; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

find_chromium && exit 0
echo "chromium: installing $packages" >&2
export DEBIAN_FRONTEND=noninteractive
as_root apt-get -q update >&2
# shellcheck disable=SC2086
as_root apt-get -q install -y --no-install-recommends $packages >&2
find_chromium || {
    echo "chromium: expected one on the PATH once Debian's package is installed, got none" >&2
    exit 1
}
