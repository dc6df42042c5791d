#!/bin/sh
# lavapipe.sh: print the shell variables by which a Vulkan device is found: none if there is one already, else those of
# Mesa's software device, unpacked from Debian's packages into a folder of its own. Nothing is installed.
# Use: eval "$(deploy/lavapipe.sh)". CI and `make test` call this where they can; tests of the GPU are left out without.
set -eu
suite=bookworm-backports  # Mesa 22 of Debian 12 itself has no device that LiteRT can use
folder=${LITEGATE_LAVAPIPE:-${XDG_CACHE_HOME:-$HOME/.cache}/litegate-lavapipe}
python=$(dirname "$0")/../.venv/bin/python

has_device() { "$python" -m litegate.runtimes.vulkan 2>/dev/null | grep -q '"name"'; }

variables() {
    echo "export VK_DRIVER_FILES='$(find "$folder/usr/share/vulkan/icd.d" -name 'lvp_icd*.json' | head -n 1)'"
    libraries=$(dirname "$(find "$folder/usr/lib" -name libvulkan_lvp.so | head -n 1)")
    echo "export LD_LIBRARY_PATH='$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}'"
}

# An apt of its own: the system's sources and packages stay as they are, and what is installed is not fetched again.
own_apt() {
    apt-get -q -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o Dir::Etc::sourceparts=- \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Debug::NoLocking=1 "$@"
}

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# From where the system has its own packages.
unpack() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
    mirror=$(apt-get indextargets --format '$(CODENAME) $(SITE)' | sed -n 's/^bookworm //p' | head -n 1)
    for each in bookworm $suite; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $each main"
    done >"$work/sources.list"
    own_apt update >&2
    own_apt install -y --download-only --no-install-recommends -t $suite mesa-vulkan-drivers libvulkan1 >&2
    for package in "$work"/cache/archives/*.deb; do
        is_installed "$(dpkg-deb -f "$package" Package)" || dpkg -x "$package" "$work/root"
    done
    mkdir -p "$(dirname "$folder")"
    rm -rf "$folder"
    mv "$work/root" "$folder"
}

has_device && exit 0
if [ ! -d "$folder" ]; then
    echo "lavapipe: unpacking Debian's mesa-vulkan-drivers into $folder" >&2
    unpack
fi
found=$(variables)
eval "$found"
has_device || {
    echo "lavapipe: expected a Vulkan device by the driver in $folder, got none" >&2
    exit 1
}
echo "$found"
