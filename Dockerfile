# The images of OA Bridge (default) and of the simulators (--target oasim): static binaries, no shell, not root.
# `make images` makes the same images without a container engine. The same source and Go release give the same programs.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY config config
COPY controllers controllers
COPY docs docs
COPY internal internal
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/ ./cmd/...

FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
USER 65532:65532

FROM base AS oasim
COPY --from=build /out/oasim /oasim
ENTRYPOINT ["/oasim"]

FROM base AS oabridge
COPY --from=build /out/oabridge /oabridge
ENTRYPOINT ["/oabridge"]
