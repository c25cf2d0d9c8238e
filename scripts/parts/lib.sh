# shellcheck shell=sh disable=SC2034 # used by those that source it
# SPDX-License-Identifier: MIT
#
# lib.sh - what the scripts share: paths, colours, error messages, installing
# missing tools, and the build. A script in scripts/ sources it.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
me=$(basename -- "$0")
# As the Makefile has it.
case ${BUILD:-build} in
/*) build=$BUILD ;;
*) build=$root/${BUILD:-build} ;;
esac
[ -z "${SANITIZE:-}" ] || build=$build/sanitize

# Use colours only on a terminal, or if CLICOLOR_FORCE asks for them; never if
# NO_COLOR is set (https://no-color.org).
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
    CLICOLOR_FORCE=1
fi
if [ -n "${CLICOLOR_FORCE:-}" ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
    red=$(printf '\033[31m') green=$(printf '\033[32m')
    yellow=$(printf '\033[33m') blue=$(printf '\033[34m')
    magenta=$(printf '\033[35m') cyan=$(printf '\033[36m')
else
    bold='' dim='' plain='' red='' green='' yellow='' blue='' magenta='' cyan=''
fi
# Not every script uses every colour.
: "$bold$dim$plain$red$green$yellow$blue$magenta$cyan"

fail() {
    printf '%s: %s\n' "$me" "$*" >&2
    exit 1
}

bad_usage() {
    printf "%s: %s\nTry 'scripts/%s --help'.\n" "$me" "$*" "$me" >&2
    exit 2
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# The help text of a script is its header comment, from the fourth line on.
print_help() {
    sed -n '4,/^$/ s/^# \{0,1\}//p' "$0"
}

# The width of the terminal, or 80 without one. (Inside $(...) stdout is never a
# terminal; the colours above tell whether the script's own stdout is one.)
terminal_width() {
    wide=''
    [ -z "$bold" ] || wide=$(stty size 2>/dev/null </dev/tty) || wide=''
    wide=${wide#* }
    printf '%s\n' "${wide:-${COLUMNS:-80}}"
}

# --- Tools -------------------------------------------------------------------

# A compiler alone is not enough: the C library's headers must be there as well.
compiler_works() {
    have "${CC:-cc}" &&
        printf '#include <sys/socket.h>\n' | "${CC:-cc}" -fsyntax-only -x c - 2>/dev/null
}

# Print those of compiler, make, diff, awk, bats that are missing. $1: demo or test.
missing_tools() {
    compiler_works || echo compiler
    for tool in make diff awk; do
        have "$tool" || echo "$tool"
    done
    [ "$1" != test ] || find_bats || echo bats
}

# Sets bats: the system's if it is 1.7 or newer, otherwise the one from npm.
find_bats() {
    for bats in bats "$root/build/npm/node_modules/.bin/bats"; do
        "$bats" --version 2>/dev/null |
            awk '{ split($2, v, "."); new = v[1] > 1 || v[2] >= 7 } END { exit !new }' && return
    done
    return 1
}

package_manager() {
    for manager in apt-get dnf apk pacman zypper brew; do
        have "$manager" && echo "$manager" && return
    done
    return 1
}

# The packages of package manager $1 that contain the tool $2.
packages_for() {
    case $2:$1 in
    compiler:apt-get) echo gcc libc6-dev ;;
    compiler:dnf) echo gcc glibc-devel libasan libubsan ;;
    compiler:zypper) echo gcc glibc-devel ;;
    compiler:apk) echo gcc musl-dev ;;
    compiler:*) echo gcc ;;
    diff:*) echo diffutils ;;
    awk:*) echo gawk ;;
    bats:brew) echo bats-core ;;
    *) echo "$2" ;;
    esac
}

install_command() {
    case $1 in
    apt-get) echo "apt-get install -y --no-install-recommends" ;;
    dnf) echo "dnf install -y" ;;
    apk) echo "apk add" ;;
    pacman) echo "pacman -Sy --noconfirm --needed" ;;
    zypper) echo "zypper --non-interactive install" ;;
    brew) echo "brew install" ;;
    esac
}

# Installing needs root or sudo, except with brew.
may_install() {
    [ "$(id -u)" -eq 0 ] || [ "$manager" = brew ] || have sudo
}

# Run a command of the package manager, with sudo if it needs root.
as_installer() {
    if [ "$(id -u)" -eq 0 ] || [ "$manager" = brew ]; then
        "$@" </dev/null >&2
    else
        sudo "$@" </dev/null >&2
    fi
}

# get_ready demo|test: if tools are missing, name them and install them with the
# system's package manager; if that is not possible, say how to and exit.
get_ready() {
    missing=$(missing_tools "$1" | tr '\n' ' ')
    [ -n "$missing" ] || return 0

    printf '%s: these tools are missing: %s\n' "$me" "$missing" >&2
    manager=$(package_manager) ||
        fail "no package manager found (apt-get, dnf, apk, pacman, zypper, brew): install these by hand: $missing"
    may_install || {
        install_plan "$missing"
        fail "cannot install them without root or sudo; as root, run: $plan"
    }
    # An old system may have no bats package; install the others without it.
    install_packages "$(printf '%s' "$missing" | sed 's/bats //')"
    case $missing in
    *bats*)
        install_packages bats
        find_bats || bats_from_npm
        ;;
    esac
    missing=$(missing_tools "$1" | tr '\n' ' ')
    [ -z "$missing" ] || fail "still missing after installing: $missing"
}

# Sets packages to those that contain the tools $1, and plan to the command that
# installs them.
install_plan() {
    packages=''
    for tool in $1; do
        packages="$packages $(packages_for "$manager" "$tool")"
    done
    plan="$(install_command "$manager")$packages"
    [ "$manager" != apt-get ] || plan="apt-get update -q && $plan"
}

# Install the packages that contain the tools $1, if there are any.
install_packages() {
    [ -n "$1" ] || return 0
    install_plan "$1"
    printf '%s: installing: %s\n' "$me" "$plan" >&2
    if [ "$manager" = apt-get ]; then
        as_installer apt-get update -q || fail "'apt-get update -q' failed"
    fi
    # shellcheck disable=SC2046,SC2086 # words on purpose
    as_installer $(install_command "$manager") $packages
}

bats_from_npm() {
    have npm || install_packages npm
    printf '%s: installing bats with npm into build/npm\n' "$me" >&2
    npm install --silent --no-save --no-package-lock \
        --prefix "$root/build/npm" bats@1.13.0 </dev/null >&2
}

# --- Build -------------------------------------------------------------------

# build_programs TARGET...: run make; print its output only if it fails.
build_programs() {
    mkdir -p "$root/build"
    if ! make -C "$root" -j 2 "$@" >"$root/build/make.log" 2>&1; then
        cat "$root/build/make.log" >&2
        fail "the build failed; see the compiler's messages above"
    fi
}

# --- Pairs -------------------------------------------------------------------

# The pairs: first and second program and their limits, a line each.
pairs() {
    grep -v -e '^#' -e '^$' "$root/demos/pairs"
}

# --- Measuring ---------------------------------------------------------------

# Sets on_first and on_second, prefixes that run a server and its load on two
# different processors. Otherwise the scheduler sometimes puts both on one, and
# latencies jump by a factor of ten.
pin() {
    on_first='' on_second=''
    if have taskset && taskset -c 0 true 2>/dev/null && taskset -c 1 true 2>/dev/null; then
        on_first='taskset -c 0' on_second='taskset -c 1'
    fi
}

# --- Recording ---------------------------------------------------------------

# Sets recorder: the path of the recorder, for LD_PRELOAD. The loader splits
# LD_PRELOAD at spaces and colons and expands '$' (ld.so(8)); if the path has one
# of these, make a symbolic link with a harmless name. drop_recorder removes it.
find_recorder() {
    [ -z "${recorder:-}" ] || return 0
    recorder=$build/trace/recorder.so
    case $recorder in
    *[[:space:]:\$]*) ;;
    *) return 0 ;;
    esac
    for folder_of_link in /tmp /var/tmp /dev/shm; do
        folder_of_link=$(mktemp -d "$folder_of_link/wouldblock-XXXXXX" 2>/dev/null) &&
            ln -s "$recorder" "$folder_of_link/recorder.so" &&
            recorder=$folder_of_link/recorder.so && return
    done
    fail "cannot preload $recorder: its path has a space, a colon or a dollar sign, and no link to it can be made in /tmp, /var/tmp or /dev/shm"
}

drop_recorder() {
    [ -z "${folder_of_link:-}" ] || rm -rf "$folder_of_link"
}
