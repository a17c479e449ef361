#!/bin/bash
# A release as a machine without any of its libraries would run it.
#
# Usage: Tests/Release/run.sh TARBALL      as root, or as a user who may make user namespaces; needs python3
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ $# -eq 1 && -f $1 ]] || { echo "usage: $0 oriel-VERSION-linux-ARCH.tar.gz, as .ci/make-release makes it" >&2; exit 2; }
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/release.py" "$1"
