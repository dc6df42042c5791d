#!/bin/sh
# lavapipe.sh: print the shell variables by which a Vulkan device is found: none if there is one already, else those of
# Mesa's software device, unpacked from Debian's packages into a folder of its own. Nothing is installed.
# Use: eval "$(deploy/lavapipe.sh)". CI and `make test` call this where they can; tests of the GPU are left out without.
set -eu
here=$(dirname "$0")
. "$here/debian.sh"
suite=bookworm-backports  # Mesa 22 of Debian 12 itself has no device that LiteRT can use
folder=${LITEGATE_LAVAPIPE:-${XDG_CACHE_HOME:-$HOME/.cache}/litegate-lavapipe}
python=$here/../.venv/bin/python

has_device() { "$python" -m litegate.runtimes.vulkan 2>/dev/null | grep -q '"name"'; }

variables() {
    echo "export VK_DRIVER_FILES='$(find "$folder/usr/share/vulkan/icd.d" -name 'lvp_icd*.json' | head -n 1)'"
    libraries=$(dirname "$(find "$folder/usr/lib" -name libvulkan_lvp.so | head -n 1)")
    echo "export LD_LIBRARY_PATH='$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}'"
}

has_device && exit 0
if [ ! -d "$folder" ]; then
    echo "lavapipe: unpacking Debian's mesa-vulkan-drivers into $folder" >&2
    unpack "$folder" "bookworm $suite" "mesa-vulkan-drivers libvulkan1"
fi
found=$(variables)
eval "$found"
has_device || {
    echo "lavapipe: expected a Vulkan device by the driver in $folder, got none" >&2
    exit 1
}
echo "$found"
