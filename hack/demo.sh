#!/usr/bin/env bash
# demo.sh up | e2e | helm | down: what `make demo`, `make e2e`, `make helm-e2e` and `make demo-down` do. Everything needed is installed or built:
# as root on Debian by this script, elsewhere it says what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${CLUSTER:=own}" "${IMAGE:=oabridge/oabridge:dev}" "${SIM_IMAGE:=oabridge/oasim:dev}"

cluster() { (cd hack/cluster && go build -o ../../bin/cluster .) && bin/cluster "$@"; }

# A browser clicks the to-do; fonts, or Chinese is boxes.
need_browser() {
  command -v chromium >/dev/null && [ -n "$(fc-list :lang=zh 2>/dev/null | head -1)" ] && return
  if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
    echo "── install chromium and fonts (Debian packages) …"
    local log; log=$(mktemp)
    { apt-get -o DPkg::Lock::Timeout=300 update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
      install -y --no-install-recommends chromium fontconfig fonts-wqy-microhei fonts-noto-color-emoji; } >"$log" 2>&1 ||
      { tail -20 "$log" >&2; exit 1; }
  else
    echo "chromium with a Chinese font is needed for the click: install chromium and fonts-wqy-microhei (or what your system calls them)" >&2
    exit 1
  fi
}

use_cluster() {
  case $CLUSTER in
  own)
    cluster up
    local state=${XDG_STATE_HOME:-$HOME/.local/state}/oabridge/cluster
    export KUBECONFIG=$state/kubeconfig AUDIT_LOG=$state/logs/audit.log
    PATH=$(bin/cluster build --print-assets 2>/dev/null):$PATH
    export PATH
    echo "── build the images …"
    make --no-print-directory build >/dev/null
    mkdir -p out
    # A tag from the content, so that changed programs are rolled out and unchanged ones are left alone.
    IMAGE=${IMAGE%:*}:$(sha256sum bin/oabridge | cut -c1-12)
    SIM_IMAGE=${SIM_IMAGE%:*}:$(sha256sum bin/oasim | cut -c1-12)
    export IMAGE SIM_IMAGE
    bin/cluster image --binary bin/oabridge --name "$IMAGE" --out out/oabridge.tar
    bin/cluster image --binary bin/oasim --name "$SIM_IMAGE" --out out/oasim.tar
    bin/cluster load out/oabridge.tar out/oasim.tar
    ;;
  current)
    command -v kubectl >/dev/null || { echo "kubectl is needed with CLUSTER=current" >&2; exit 1; }
    case " $IMAGE $SIM_IMAGE " in *" oabridge/"*":dev "*)
      echo "CLUSTER=current pulls its images: build them (make docker-build, Dockerfile), push them where the cluster can pull them, and name them with IMAGE=… SIM_IMAGE=…" >&2
      exit 1 ;;
    esac
    ;;
  *) echo "CLUSTER is own or current, not '$CLUSTER'" >&2; exit 1 ;;
  esac
}

# The release before this one, for an upgrade from it: its chart and samples in out/previous, and its image. PREVIOUS names its
# tag or commit; by default it is the last tag, or the first commit with a whole chart. Where there is no history (a shallow
# clone, an archive) it is this version once more, under another number.
previous() {
  local source ref=${PREVIOUS:-$(git describe --tags --abbrev=0 HEAD^ 2>/dev/null || git rev-parse --verify --quiet 'f46ff83^{commit}' 2>/dev/null)}
  source=$(mktemp -d)
  if [ -n "$ref" ]; then
    git archive "$ref" | tar -x -C "$source"
  else
    tar -c --exclude=./out --exclude=./bin --exclude=./.git . | tar -x -C "$source"
  fi
  echo "── the previous release is ${ref:-this version once more} …"
  rm -rf out/previous && mkdir -p out/previous
  mv "$source/config/samples" out/previous/
  bin/helm package "$source/charts/oabridge" --version 0.0.1 --destination out/previous >/dev/null
  if [ "$CLUSTER" = own ]; then
    (cd "$source" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=previous' -o bin/oabridge ./cmd/oabridge)
    PREVIOUS_IMAGE=${IMAGE%:*}:previous-$(sha256sum "$source/bin/oabridge" | cut -c1-12)
    bin/cluster image --binary "$source/bin/oabridge" --name "$PREVIOUS_IMAGE" --out out/previous/oabridge.tar
    bin/cluster load out/previous/oabridge.tar
  fi
  export PREVIOUS_IMAGE=${PREVIOUS_IMAGE:-$IMAGE}
  rm -rf "$source"
}

case ${1:-} in
up)
  need_browser
  use_cluster
  go run ./hack/demo
  ;;
e2e)
  need_browser
  use_cluster
  [ -z "${CI:-}" ] || trap 'cluster down' EXIT # nobody looks at it afterwards
  [ "$CLUSTER" = own ] || make --no-print-directory build >/dev/null # the plugin is tested too
  OABRIDGE_E2E=1 go test -count=1 -timeout 40m -v ./test/e2e/
  # What the dispatcher promises, from outside and without the cluster; the long runs are make chaos, chaos-nats, outage.
  OABRIDGE_E2E=1 go test -count=1 -timeout 10m -v -run Short ./test/chaos/
  ;;
helm)
  use_cluster
  [ -z "${CI:-}" ] || trap 'cluster down' EXIT
  make --no-print-directory "$PWD/bin/helm"
  previous
  OABRIDGE_HELM=$PWD/bin/helm go test -count=1 -timeout 25m -v ./test/e2e/helm/
  ;;
down)
  if [ "$CLUSTER" = own ]; then
    cluster down
  else
    # Connectors first, while the operator still runs to end them.
    if kubectl get crd oaconnectors.oabridge.dev >/dev/null 2>&1; then
      kubectl -n crm patch oac hq --type=merge -p '{"spec":{"onDelete":{"policy":"Abandon"}}}' || true
      kubectl -n crm delete oac --all --timeout=120s
      kubectl -n oas delete oac --all --timeout=120s --ignore-not-found
      kubectl -n crowd delete oac --all --timeout=120s --ignore-not-found
      kubectl delete namespace oas crowd --ignore-not-found
    fi
    for part in samples simulators default; do kubectl delete --ignore-not-found --timeout=180s -k config/$part; done
  fi
  ;;
*) echo "usage: demo.sh up|e2e|helm|down" >&2; exit 2 ;;
esac
