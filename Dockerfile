# The image of OA Bridge: one static binary, no shell, not root.
# `make images` makes the same image without a container engine.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY controllers controllers
COPY internal internal
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /oabridge ./cmd/oabridge

FROM gcr.io/distroless/static:nonroot
COPY --from=build /oabridge /oabridge
USER 65532:65532
ENTRYPOINT ["/oabridge"]
