# docker build -t latchkey . && docker run --rm -p 127.0.0.1:6379:6379 -v latchkey:/data latchkey
#
# Inside, the server listens on all addresses, since a container's loopback is reached by nobody.
# Protected mode stays on: without a password it answers only connections from the container
# itself, so give it one (docker run latchkey --requirepass SECRET), or say --protected-mode no
# where the network is yours alone.

FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends make
WORKDIR /src
COPY Makefile ./
COPY tools/install-deps tools/
RUN make build/deps/build
COPY base base
COPY resp resp
COPY storage storage
COPY conf conf
COPY server server
RUN make -j"$(nproc)" && strip -o /latchkey build/latchkey

# libevent and jemalloc are linked in; libc, libm and libgcc_s are what Debian's smallest image has.
# The clients of the databases bring too much with them to be linked in.
FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libsqlite3-0 libpq5 libmariadb3 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --user-group --home-dir /data --no-create-home latchkey \
    && install -d -o latchkey -g latchkey -m 750 /data
COPY --from=build /latchkey /usr/local/bin/latchkey
COPY conf/latchkey.conf /etc/latchkey/latchkey.conf
USER latchkey
WORKDIR /data
VOLUME /data
EXPOSE 6379
STOPSIGNAL SIGTERM
ENTRYPOINT ["latchkey", "/etc/latchkey/latchkey.conf", \
    "--bind", "*", "-::*", "--dir", "/data", "--daemonize", "no"]
