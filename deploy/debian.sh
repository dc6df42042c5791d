# debian.sh: to be read by other scripts. Unpacks Debian's packages into a folder: nothing is installed, and nobody
# need be root.

is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# An apt of its own: the system's sources and packages stay as they are, and what is installed is not fetched again.
own_apt() {
    apt-get -q -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o Dir::Etc::sourceparts=- \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Debug::NoLocking=1 "$@"
}

# Of each release: the lines that name where the system has its own packages.
sources() {
    for release in "$@"; do
        case $release in
            *-security) site=$(apt-get indextargets --format '$(CODENAME) $(SITE)' | sed -n "s/^$release //p" | head -n 1) ;;
            *) site=$(apt-get indextargets --format '$(CODENAME) $(SITE)' | sed -n 's/^bookworm //p' | head -n 1) ;;
        esac
        [ -z "$site" ] || echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $release main"
    done
}

# unpack FOLDER RELEASES PACKAGES: FOLDER is there whole or not at all; the last of RELEASES is preferred.
unpack() {
    folder=$1 releases=$2 packages=$3
    command -v apt-get >/dev/null || {
        echo "$(basename "$0"): expected Debian's apt-get to fetch $packages, got none" >&2
        return 1
    }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
    # shellcheck disable=SC2086
    sources $releases >"$work/sources.list"
    own_apt update >&2
    # shellcheck disable=SC2086
    own_apt install -y --download-only --no-install-recommends -t "${releases##* }" $packages >&2
    for package in "$work"/cache/archives/*.deb; do
        is_installed "$(dpkg-deb -f "$package" Package)" || dpkg -x "$package" "$work/root"
    done
    mkdir -p "$(dirname "$folder")"
    rm -rf "$folder"
    mv "$work/root" "$folder"
}
