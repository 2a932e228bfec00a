# The service as an image: built in one stage, run in another that has no compiler.
# Every builder can read this file: no mounts, no here-documents.
#
#     docker build --build-arg COMMIT=$(git rev-parse --short=12 HEAD) --tag holdfast:0.1.0 .
#
# The same commit and the same Debian packages give the same files, byte for byte; SOURCE_DATE_EPOCH is the time of our
# files. Two things differ: the times of files that apt installs, and over the months the packages, because bookworm-slim
# follows Debian's security updates on purpose. To fix these, too, pin the base by digest and point apt to
# snapshot.debian.org.

FROM debian:bookworm-slim AS build
WORKDIR /holdfast
COPY deploy/packages.sh deploy/packages.txt deploy/
RUN deploy/packages.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
ARG COMMIT=""
ARG SOURCE_DATE_EPOCH=0
RUN meson setup --buildtype=release -Dwerror=false --prefix=/usr --strip -Dcommit="$COMMIT" /build \
 && ninja -C /build holdfast \
 && DESTDIR=/image meson install -C /build --no-rebuild --strip \
 && find /image -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM debian:bookworm-slim
ARG SOURCE_DATE_EPOCH=0
COPY deploy/packages.sh deploy/packages.txt deploy/secrets.sh /usr/lib/holdfast/
# The image does not need apt's leftovers. A volume gets the owner of the directory that it is mounted on.
RUN /usr/lib/holdfast/packages.sh run \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache /var/lib/dpkg/*-old \
        /var/log/apt /var/log/dpkg.log /var/log/alternatives.log \
 && groupadd --gid 10001 holdfast \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin holdfast \
 && rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- \
 && install -d -o 10001 -g 10001 -m 0755 /run/secrets/holdfast /run/secrets/postgres /run/secrets/grafana /var/lib/holdfast
COPY LICENSE /usr/share/doc/holdfast/copyright
COPY --from=build /image /

ARG COMMIT=""
ARG VERSION="0.1.0"
LABEL org.opencontainers.image.title="Holdfast" \
      org.opencontainers.image.description="Order management with one truth about stock and orders" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"

USER 10001:10001
WORKDIR /
# The API on every interface of the container; probes and figures for the container only.
ENV HOLDFAST_LISTEN=0.0.0.0:8080 HOLDFAST_ADMIN_LISTEN=127.0.0.1:8081
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=6 CMD ["/usr/bin/holdfast", "healthcheck"]
ENTRYPOINT ["/usr/bin/holdfast"]
CMD ["serve"]
