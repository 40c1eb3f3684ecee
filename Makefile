# OA Bridge. `make help` lists what there is; `make demo` and `make test` work on a fresh machine.

SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

CACHE    := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/oabridge
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# CLUSTER=own brings up a cluster from source on this machine; CLUSTER=current uses the one kubectl points at.
CLUSTER  ?= own
# With CLUSTER=current, images that the cluster can pull: make demo CLUSTER=current IMAGE=… SIM_IMAGE=…
IMAGE     ?= oabridge/oabridge:dev
SIM_IMAGE ?= oabridge/oasim:dev
# The image of a release, without its tag.
IMAGE_REPOSITORY ?= oabridge/oabridge

# A busy machine takes more than envtest's 20 s to start an API server.
export KUBEBUILDER_CONTROLPLANE_START_TIMEOUT ?= 3m
export KUBEBUILDER_CONTROLPLANE_STOP_TIMEOUT ?= 1m

HELM_VERSION      := v3.22.0
HELM_DOCS_VERSION := v1.14.2

BIN     := $(CURDIR)/bin
LDFLAGS := -s -w -X main.version=$(VERSION)
# The race detector needs a C compiler.
RACE    := $(if $(shell command -v gcc),-race)
TOOLS   := cd hack/tools &&
KUBE    := cd hack/cluster && go run .

##@ Try it

.PHONY: demo
demo: ## Bring up a cluster, install OA Bridge and the simulators, push 200 events, click one to-do
	CLUSTER=$(CLUSTER) IMAGE=$(IMAGE) SIM_IMAGE=$(SIM_IMAGE) hack/demo.sh up

.PHONY: demo-down
demo-down: ## Take away everything that `make demo` started
	CLUSTER=$(CLUSTER) hack/demo.sh down

##@ Check it

.PHONY: test
test: assets ## Unit tests, golden files, and the controllers against a real API server
	KUBEBUILDER_ASSETS="$$($(KUBE) build --print-assets)" go test $(RACE) -timeout 15m $(TESTFLAGS) ./api/... ./cmd/... ./controllers/... ./internal/... ./hack/... ./docs/... ./test/conformance/ ./test/chaos/ ./test/perf/ ./test/gitops/
	hack/fuzz.sh 2000x
	cd hack/cluster && go test ./...
	KUBEBUILDER_ASSETS="$$($(KUBE) build --print-assets)" && cd hack/chart && KUBEBUILDER_ASSETS="$$KUBEBUILDER_ASSETS" go test ./...
	cd hack/cluster/addons && CGO_ENABLED=0 go test -trimpath ./...

.PHONY: conformance
conformance: ## One suite over every type of OA and each protocol, against the simulators; prints a table
	go test -c -o $(BIN)/conformance ./test/conformance
	cd test/conformance && $(BIN)/conformance

.PHONY: e2e
e2e: ## The whole on a real cluster: install, push, kill, rotate, click, delete
	CLUSTER=$(CLUSTER) IMAGE=$(IMAGE) SIM_IMAGE=$(SIM_IMAGE) hack/demo.sh e2e

.PHONY: helm-e2e
helm-e2e: ## helm install, upgrade from PREVIOUS, rollback, uninstall on a real cluster, with to-dos before, during and after
	CLUSTER=$(CLUSTER) IMAGE=$(IMAGE) SIM_IMAGE=$(SIM_IMAGE) hack/demo.sh helm

.PHONY: attack
attack: ## Every attack of the list against every sign-in mode and every login issuer, over real HTTP
	go run ./test/attack

.PHONY: browser
browser: ## People sign in with every login issuer in a headless Chromium, on a PC and on a phone; pictures in out/browser
	OABRIDGE_SCREENSHOTS=$(CURDIR)/out/browser go test -count=1 ./internal/gateway/ -run Browser

.PHONY: chaos
chaos: ## 100,000 events while the dispatcher is killed, the OA fails and the disk fills (ARGS='-events 20000 -seed 7')
	go run ./test/chaos $(ARGS)

.PHONY: chaos-nats
chaos-nats: ## The same over three NATS servers and three dispatchers, which are killed in turn (ARGS=…)
	go run ./test/chaos -nats $(ARGS)

.PHONY: outage
outage: ## 20,000 changes of 4,000 to-dos while the OA is down: what it gets when it is back (ARGS=…)
	go run ./test/chaos -outage $(ARGS)

.PHONY: fuzz
fuzz: ## Every fuzz target for DURATION (default 1m), one after the other; what is found becomes a case
	hack/fuzz.sh $(or $(DURATION),1m)

.PHONY: bench
bench: ## The dispatcher's throughput beside a bare HTTP loop, its costs, and a backlog of a million (ARGS=-quick)
	go run ./test/bench $(ARGS)

.PHONY: perf
perf: assets ## The operator with 1,000 and 10,000 connectors: requests, times and memory against their goals (ARGS=-quick)
	KUBEBUILDER_ASSETS="$$($(KUBE) build --print-assets)" go run ./test/perf $(ARGS)

.PHONY: verify
verify: generate lint ## Generated files are up to date, modules are tidy, the linters are content
	go mod tidy
	cd hack/chart && go mod tidy
	@git diff --exit-code -- api charts config docs go.mod go.sum hack/chart || { echo 'generated files are out of date: run `make generate`, look at the change, commit it'; exit 1; }

.PHONY: lint
lint: $(BIN)/golangci-lint ## golangci-lint with kube-api-linter on api/
	$(BIN)/golangci-lint run ./...

##@ Build it

.PHONY: build
build: ## Static binaries into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...

.PHONY: krew
krew: ## Archives of kubectl-oab and its Krew manifest into out/krew; VERSION=v1.2.3, KREW_PLATFORMS="linux/amd64 …"
	VERSION=$(VERSION) PLATFORMS="$(KREW_PLATFORMS)" hack/krew.sh

.PHONY: images
images: build ## Image tars into out/, made without a container engine
	mkdir -p out
	$(KUBE) image --binary $(BIN)/oabridge --name $(IMAGE) --out $(CURDIR)/out/oabridge.tar
	$(KUBE) image --binary $(BIN)/oasim --name $(SIM_IMAGE) --out $(CURDIR)/out/oasim.tar

.PHONY: docker-build
docker-build: ## The same images with Docker or any other builder of Dockerfiles
	docker build --build-arg VERSION=$(VERSION) -t $(IMAGE) .
	docker build --build-arg VERSION=$(VERSION) --target oasim -t $(SIM_IMAGE) .

.PHONY: generate
generate: $(BIN)/controller-gen $(BIN)/helm-docs ## Deep copies, CRDs, RBAC, the chart's copies and README, reference pages
	$(BIN)/controller-gen object:headerFile=hack/boilerplate.go.txt \
		crd:maxDescLen=1024 paths=./api/v1alpha1 output:crd:dir=config/crd/bases
	rm -rf api/applyconfiguration && $(BIN)/controller-gen applyconfiguration:headerFile=hack/boilerplate.go.txt paths=./api/v1alpha1
	$(BIN)/controller-gen rbac:roleName=oabridge-manager paths=./controllers/... output:rbac:dir=config/rbac
	rm -f charts/oabridge/files/crds/* && cp config/crd/bases/*.yaml charts/oabridge/files/crds/
	cp config/rbac/role.yaml charts/oabridge/files/role.yaml
	cp config/components/dashboards/*.json charts/oabridge/files/dashboards/
	{ cat hack/boilerplate.alerts.yaml; sed 's/^./  &/' charts/oabridge/files/alerts.yaml; } > config/components/monitoring/alerts.yaml
	$(BIN)/helm-docs --chart-search-root charts --log-level warning
	go generate ./...

.PHONY: install
install: ## Install the CRDs, the operator and the presets into the cluster that kubectl points at
	kubectl apply --server-side -k config/default

.PHONY: dist
dist: ## What a release has: dist/install.yaml and the chart's archive (VERSION=v1.2.3 IMAGE_REPOSITORY=…)
	cd hack/chart && go run ./dist -version $(VERSION) -repository $(IMAGE_REPOSITORY) -out $(CURDIR)/dist

.PHONY: assets
assets: ## Build the Kubernetes binaries once into the cache (kube-apiserver, etcd, kubectl, …)
	$(KUBE) build --only envtest

.PHONY: clean
clean: ## Remove bin/ and out/ (the cache in ~/.cache/oabridge stays)
	rm -rf bin out

$(BIN)/controller-gen: hack/tools/go.mod
	$(TOOLS) go build -o $@ sigs.k8s.io/controller-tools/cmd/controller-gen

$(BIN)/helm-docs:
	GOBIN=$(BIN) go install github.com/norwoodj/helm-docs/cmd/helm-docs@$(HELM_DOCS_VERSION)

$(BIN)/helm:
	GOBIN=$(BIN) CGO_ENABLED=0 go install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)

$(BIN)/golangci-lint: hack/tools/go.mod hack/tools/golangci-lint/main.go
	$(TOOLS) go build -o $@ ./golangci-lint

##@ Help

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z0-9_-]+:.*##/ {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
