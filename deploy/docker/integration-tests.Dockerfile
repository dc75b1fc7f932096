# docker build -f deploy/docker/integration-tests.Dockerfile -t ghcr.io/sentinel-sdc/integration-tests:0.1.0-alpha .
# What every image is built from is the same text in each of these files, so that builders share its layers.

FROM golang:1.26-bookworm AS health-probe
RUN CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' github.com/grpc-ecosystem/grpc-health-probe@v0.4.62

FROM node:24-bookworm-slim AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
COPY scripts/toolchain/ /opt/toolchain/
RUN npm ci --prefix /opt/toolchain --omit=optional --ignore-scripts --no-audit --no-fund
ENV PATH=/opt/toolchain/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SENTINEL_NODEDIR=/usr/local
WORKDIR /build
COPY pnpm-lock.yaml pnpm-workspace.yaml ./
RUN pnpm fetch
# Slow to compile and seldom changed: before everything else of ours.
COPY native-probes/ native-probes/
RUN pnpm install --offline --frozen-lockfile --filter @sentinel/native-probes \
  && node native-probes/scripts/build.mjs
COPY proto/ proto/
COPY packages/ packages/
COPY package.json tsconfig.base.json ./
RUN pnpm install --offline --frozen-lockfile \
      --filter sentinel --filter '@sentinel/correlation-engine...' --filter '@sentinel/audit-ledger...' --filter '@sentinel/probe-agent...' \
      --filter '@sentinel/training-monitor...' --filter '@sentinel/inference-monitor...' --filter '@sentinel/sidecar-injector...' \
  && pnpm --filter @sentinel/contracts run generate \
  && node_modules/.bin/tsc -b packages/correlation-engine packages/audit-ledger packages/probe-agent \
      packages/training-monitor packages/inference-monitor packages/sidecar-injector
COPY deploy/docker/lean.sh ./

FROM debian:bookworm-slim AS runtime
ENV NODE_ENV=production SENTINEL_LOG_FORMAT=json
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=health-probe /go/bin/grpc-health-probe /usr/local/bin/grpc_health_probe
COPY config/ /etc/sentinel/config/
RUN cp /etc/sentinel/config/sentinel.default.yaml /etc/sentinel/config/sentinel.yaml \
  && groupadd --gid 1000 sentinel \
  && useradd --uid 1000 --gid sentinel --home-dir /var/lib/sentinel --no-create-home --shell /usr/sbin/nologin sentinel \
  && install -d -o sentinel -g sentinel /var/lib/sentinel /run/sentinel /run/sentinel/secrets
LABEL org.opencontainers.image.vendor="SENTINEL" \
      org.opencontainers.image.source="https://github.com/sentinel-sdc/sentinel" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0-alpha"

# The image's own part: the built workspace with its development dependencies, for deploy/docker-compose.test.yml; never published.

FROM build
COPY tests/ tests/
RUN pnpm install --offline --frozen-lockfile --filter '@sentinel/tests...' \
  && node_modules/.bin/tsc -b tests
COPY config/ config/
USER 1000:1000
WORKDIR /build/tests
CMD ["node", "--test", "--enable-source-maps", "dist/compose/integration.js"]
