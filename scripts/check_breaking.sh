#!/usr/bin/env bash
# Compares proto/ with the last release, or with the main branch where there is none (`make check`).
#
# Services may not break their sources (FILE), stored events may not break a byte (see proto/).
set -euo pipefail
cd "$(dirname "$0")/.."

reference() {
  local candidate
  for candidate in "$(git describe --tags --abbrev=0 2>/dev/null || true)" origin/main main; do
    if [ -n "$candidate" ] && git cat-file -e "$candidate:proto/buf.yaml" 2>/dev/null; then
      git rev-parse "$candidate^{commit}"
      return
    fi
  done
}

commit=$(reference)
if [ -z "$commit" ]; then
  echo "breaking: nothing to compare with yet"
  exit 0
fi
# An export, not a clone: works in shallow clones and in worktrees too.
old=$(mktemp -d)
trap 'rm -rf "$old"' EXIT
git archive "$commit" proto | tar -x -C "$old"
scripts/buf.sh breaking proto --against "$old/proto"
