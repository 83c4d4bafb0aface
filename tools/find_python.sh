#!/usr/bin/env bash
# Print the first Python >= 3.11 that can make virtual environments, or say what is missing and end with status 1.
set -u
too_old="" no_venv=""
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))' 2>/dev/null)
  if [ $? -ne 0 ]; then [ -n "$version" ] && too_old="$too_old $python ($version)"; continue; fi
  if "$python" -c 'import ensurepip, venv' 2>/dev/null; then echo "$python"; exit 0; fi
  no_venv="$python$version"
  package="python$version-venv"
done
if [ -n "$no_venv" ]; then
  echo "$no_venv has no venv module; on Debian and Ubuntu: sudo apt-get install $package" >&2
else
  echo "Python 3.11 or newer was not found${too_old:+ (too old:$too_old)}; install it or name it: make PYTHON=/path/to/python3.12" >&2
fi
exit 1
