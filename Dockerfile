# The image: one static binary and nothing else.
#
#   docker build --build-arg COMMIT=$(git rev-parse HEAD) -t rancher-route53 .
#   buildah bud --build-arg COMMIT=$(git rev-parse HEAD) -t rancher-route53 .
#
# Whoever has built the binary already puts it in the place of the first stage, which is then
# not run:
#
#   .ci/build out/rancher-route53 && setcap cap_net_bind_service=+ep out/rancher-route53
#   buildah bud --build-context build=out -t rancher-route53 .

# For amd64 only: elsewhere the compiler's linker doesn't know all that .ci/build asks of it.
FROM --platform=linux/amd64 rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libcap2-bin
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .ci .ci
COPY src src
COPY tests tests
# Docker before 20.10, which most of Rancher's hosts have, keeps ports below 1024 from a user
# who isn't root; with this the binary may listen on 1000 all the same. A container that drops
# all capabilities must keep NET_BIND_SERVICE, or the kernel refuses to start the binary.
#
# What --version shows; the image's build has no repository to ask.
ARG COMMIT=
RUN .ci/build /rancher-route53 && setcap cap_net_bind_service=+ep /rancher-route53

FROM scratch
COPY --from=build /rancher-route53 /rancher-route53
# Nobody in particular; numeric, since there is no /etc/passwd to look a name up in.
USER 65532:65532
# Health checks: rancher/external-dns answered them on 1000, external-dns-sync on 10000.
EXPOSE 1000 10000
LABEL org.opencontainers.image.title="rancher-route53" \
      org.opencontainers.image.description="Keeps an Amazon Route 53 hosted zone equal to the services of a Rancher 1.x environment" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["/rancher-route53"]
