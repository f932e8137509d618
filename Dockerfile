# syntax=docker/dockerfile:1
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libc6-dev cmake ninja-build pkg-config libmicrohttpd-dev libjansson-dev libpq-dev libssl-dev zlib1g-dev libcjose-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake -S . -B /build -G Ninja -DASSAY_TESTS=OFF && ninja -C /build assayd

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        curl libmicrohttpd12 libjansson4 libpq5 libssl3 zlib1g libcjose0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/assay --shell /usr/sbin/nologin assay \
    && install -d -o assay -g assay -m 0711 /var/lib/assay
COPY --from=build /build/assayd /usr/local/bin/assayd
USER assay
WORKDIR /var/lib/assay
VOLUME /var/lib/assay
# There is no PostgreSQL in here: ASSAY_DATABASE_URL has to name one.
ENV ASSAY_LISTEN=0.0.0.0:8080 ASSAY_HOME=/var/lib/assay
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["assayd"]
CMD ["serve"]
