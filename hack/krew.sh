#!/usr/bin/env bash
# Builds the archives of kubectl-oab and the Krew manifest that names them. VERSION is a tag such as v1.2.3; PLATFORMS are
# pairs os/arch. The archives are the same on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${VERSION:?a tag such as v1.2.3}
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}
out=out/krew
releases=${RELEASES:-https://github.com/oabridge/oabridge/releases/download}

rm -rf "$out"
mkdir -p "$out"
sed "s/VERSION/$version/" config/krew/oab.yaml >"$out/oab.yaml"
for platform in $platforms; do
	os=${platform%/*} arch=${platform#*/} bin=kubectl-oab
	[ "$os" = windows ] && bin=kubectl-oab.exe
	dir=$(mktemp -d)
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags "-s -w -X main.version=$version" -o "$dir/$bin" ./cmd/kubectl-oab
	cp LICENSE "$dir/"
	archive=kubectl-oab_${os}_${arch}.tar.gz
	tar -C "$dir" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - "$bin" LICENSE | gzip -n >"$out/$archive"
	rm -rf "$dir"
	cat >>"$out/oab.yaml" <<EOF
  - selector: {matchLabels: {os: $os, arch: $arch}}
    uri: $releases/$version/$archive
    sha256: $(sha256sum "$out/$archive" | cut -d' ' -f1)
    bin: $bin
EOF
done
echo "$out/oab.yaml"
