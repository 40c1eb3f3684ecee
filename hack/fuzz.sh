#!/usr/bin/env bash
# fuzz.sh [DURATION [PACKAGE…]]: runs every fuzz target for DURATION (default 10s), one after the other. What a target finds
# is written to testdata/fuzz beside it and is from then on a case of the ordinary tests: commit it with the repair.
set -euo pipefail
cd "$(dirname "$0")/.."

duration=${1:-10s}
shift || true
[ $# -gt 0 ] || set -- ./api/... ./cmd/... ./controllers/... ./internal/...

failed=0
while read -r dir; do
  while read -r target; do
    echo "== ${dir#"$PWD"/} $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" "$dir" || failed=1
  done < <(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go)
done < <(go list -f '{{.Dir}}' "$@" | while read -r d; do grep -lq '^func Fuzz' "$d"/*_test.go 2>/dev/null && echo "$d" || true; done)
exit $failed
