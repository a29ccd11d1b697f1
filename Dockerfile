# Build: docker build -t lanekeeper --build-arg VERSION=v1.2.3 .
# Once:  docker run --rm -v "$PWD/data:/data" lanekeeper -e -c /data/config.yaml
#        docker run --rm -v "$PWD/data:/data" lanekeeper -g -c /data/config.yaml -r /data/registration.yaml
# Run:   docker run -d --restart unless-stopped -p 127.0.0.1:29340:29340 -v "$PWD/data:/data" lanekeeper
# The directory must belong to user 1337 (chown 1337:1337 data), or add --user. In there, localhost is the container: name the
# homeserver and the database in config.yaml as they are called from it, and in appservice.address the container.

FROM --platform=$BUILDPLATFORM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -tags goolm -trimpath -ldflags "-s -w -X main.tag=$VERSION" -o /out/lanekeeper ./cmd/lanekeeper
# SQLite wants a directory for temporary files.
RUN mkdir -p /out/data /out/tmp && chmod 1777 /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/tmp /tmp
COPY --from=build --chown=1337:1337 /out/data /data
COPY --from=build /out/lanekeeper /usr/bin/lanekeeper

# In a container, 127.0.0.1 would be reached by nobody.
ENV LANEKEEPER_APPSERVICE_HOSTNAME=0.0.0.0 \
    LANEKEEPER_METRICS_HOSTNAME=0.0.0.0

USER 1337:1337
WORKDIR /data
VOLUME /data
EXPOSE 29340
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s \
    CMD ["/usr/bin/lanekeeper", "health", "-c", "/data/config.yaml"]
ENTRYPOINT ["/usr/bin/lanekeeper"]
CMD ["-c", "/data/config.yaml"]
