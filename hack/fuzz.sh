#!/usr/bin/env bash
# fuzz.sh [HOW-LONG [PACKAGE…]]: runs every fuzz target for HOW-LONG, a duration (default 10s) or a number of inputs (2000x),
# one after the other. What a target finds is written to testdata/fuzz beside it and is from then on a case of the ordinary
# tests: commit it with the repair.
set -euo pipefail
cd "$(dirname "$0")/.."

long=${1:-10s}
shift || true
[ $# -gt 0 ] || set -- ./api/... ./cmd/... ./controllers/... ./internal/...

# An input that reaches new code is made smaller for up to a minute, and those tries count as inputs. Where a number is asked for,
# it is to be of different inputs.
smaller=60s
[[ $long == *x ]] && smaller=1x

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The end of a duration can fall into an input that is being tried; go test then fails with this and writes no input down.
time_was_over() { grep -q '^ *context deadline exceeded$' "$log" && ! grep -q 'Failing input written to' "$log"; }

failed=0
while read -r dir; do
  while read -r target; do
    echo "== ${dir#"$PWD"/} $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$long" -fuzzminimizetime "$smaller" "$dir" 2>&1 </dev/null | tee "$log" || time_was_over || failed=1
  done < <(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go)
done < <(go list -f '{{.Dir}}' "$@" | while read -r d; do grep -lq '^func Fuzz' "$d"/*_test.go 2>/dev/null && echo "$d" || true; done)
exit $failed
