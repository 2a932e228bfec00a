# The service as an image: built in one stage, run in another that has no compiler.
# Every builder can read this file: no mounts, no here-documents.

FROM debian:bookworm-slim AS build
WORKDIR /holdfast
COPY deploy/packages.sh deploy/packages.txt deploy/
RUN deploy/packages.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
ARG COMMIT=""
RUN meson setup --buildtype=release -Dwerror=false --prefix=/usr --strip -Dcommit="$COMMIT" /build \
 && ninja -C /build holdfast \
 && DESTDIR=/image meson install -C /build --no-rebuild

FROM debian:bookworm-slim
COPY deploy/packages.sh deploy/packages.txt deploy/secrets.sh /usr/lib/holdfast/
RUN /usr/lib/holdfast/packages.sh run && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log \
 && groupadd --gid 10001 holdfast \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin holdfast \
 && install -d -o 10001 -g 10001 -m 0755 /run/secrets/holdfast /run/secrets/postgres
COPY LICENSE /usr/share/doc/holdfast/copyright
COPY --from=build /image /

ARG COMMIT=""
LABEL org.opencontainers.image.title="Holdfast" \
      org.opencontainers.image.description="Order management with one truth about stock and orders" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="$COMMIT"

USER 10001:10001
WORKDIR /
# The API on every interface of the container; probes and figures for the container only.
ENV HOLDFAST_LISTEN=0.0.0.0:8080 HOLDFAST_ADMIN_LISTEN=127.0.0.1:8081
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=6 CMD ["/usr/bin/holdfast", "healthcheck"]
ENTRYPOINT ["/usr/bin/holdfast"]
CMD ["serve"]
