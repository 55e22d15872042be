#!/bin/sh
# Installs what Qt and the tests need from the system, where that can be done without a question.
# On other systems, and without the rights, it says what is missing and goes on: Qt may find everything anyway.
set -u

[ "$(uname -s)" = Linux ] || exit 0

qt="libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0
libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xkb1 libxkbcommon-x11-0 libx11-xcb1 libegl1 libgl1 libdbus-1-3
libfontconfig1"
tests="xvfb xdotool openbox fonts-noto-core"

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Not a Debian or Ubuntu system: if the window does not open, install the libraries that Qt needs" \
         "(libxcb-cursor, xkbcommon, EGL, fontconfig) with the system's package manager." >&2
    exit 0
fi

missing=""
for package in $qt $tests python3-venv; do
    case "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" in
        installed) ;;
        *) missing="$missing $package" ;;
    esac
done
# A Python that was not installed by the system brings its own venv.
python3 -c 'import venv, ensurepip' 2>/dev/null && missing=$(echo "$missing" | sed 's/ python3-venv//')
# Newer releases renamed this library.
dpkg-query -W libglib2.0-0t64 >/dev/null 2>&1 || dpkg-query -W libglib2.0-0 >/dev/null 2>&1 ||
    missing="$missing libglib2.0-0"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root="sudo -n"
else
    echo "Some system packages are missing. If the window does not open, run:" >&2
    echo "    sudo apt-get install$missing" >&2
    exit 0
fi

echo "Installing system packages:$missing"
# shellcheck disable=SC2086
$as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    echo "They could not all be installed; going on without." >&2
