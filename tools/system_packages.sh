#!/usr/bin/env bash
# System libraries that Qt and OpenGL need on Debian and Ubuntu, and Xvfb for tests without a screen.
# Installs what is missing when it may (root, or sudo without a password); otherwise prints the line to run and ends
# with status 1. Needs no network when nothing is missing. Does nothing on systems without apt.
set -eu
command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || exit 0

# a|b: newer releases use the first name, older ones the second
wanted="xvfb xauth libegl1 libgl1 libgl1-mesa-dri libdbus-1-3 libfontconfig1 libglib2.0-0t64|libglib2.0-0
libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
python_is_fit=$(bash "$(dirname "$0")/find_python.sh" 2>/dev/null || true)
[ -n "$python_is_fit" ] || wanted="$wanted python3 python3-venv"

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
missing=""
for names in $wanted; do
  found=""
  for name in ${names//|/ }; do if installed "$name"; then found=yes; fi; done
  [ -n "$found" ] || missing="$missing $names"
done
[ -n "$missing" ] || exit 0

known() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]; }
resolve() { # the first name that this release has
  for names in $missing; do
    chosen=${names##*|}
    for name in ${names//|/ }; do if known "$name"; then chosen=$name; break; fi; done
    printf ' %s' "$chosen"
  done
}

if [ "$(id -u)" = 0 ]; then as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root="sudo"
else
  echo "These system libraries are missing and installing them needs more rights. Please run:" >&2
  echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$(resolve)" >&2
  exit 1
fi
echo "Installing system libraries:$missing" >&2
$as_root apt-get update -qq
# shellcheck disable=SC2046  # one word per package
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(resolve) >/dev/null
