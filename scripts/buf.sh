#!/usr/bin/env bash
# Runs buf in the pinned version: the one npm installed, else a `buf` on PATH (macOS, say).
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
wanted=$(sed -n 's/.*"@bufbuild\/buf-linux-x64": "\(.*\)".*/\1/p' "$root/package.json")
for candidate in "$root"/node_modules/@bufbuild/buf-*/bin/buf "$(command -v buf || true)"; do
  if [ -x "$candidate" ] && [ "$("$candidate" --version)" = "$wanted" ]; then
    exec "$candidate" "$@"
  fi
done
echo "buf $wanted is missing: npm has it for Linux, elsewhere put it on PATH" >&2
exit 1
