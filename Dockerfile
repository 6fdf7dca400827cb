# The image: one static binary, and the notices of those whose work is in it.
#
#   docker build --build-arg COMMIT=$(git rev-parse HEAD) -t rancher-route53 .
#   buildah bud --format docker --build-arg COMMIT=$(git rev-parse HEAD) -t rancher-route53 .
#
# With --platform linux/arm64 it is the image for arm64, built on whatever machine this is. Docker
# needs BuildKit for that, which is its default since version 23. Docker of Rancher 1.x's
# time can't pull what buildah pushes in any format but `docker`.
#
# Whoever has built the binary already puts it in the place of the first stage, which is then
# not run. The binary's architecture is in its folder's name, so that a build for another platform
# doesn't find it and fails. .ci/release does this:
#
#   .ci/image-content amd64 out
#   buildah bud --format docker --platform linux/amd64 --build-context build=out \
#       -t rancher-route53 .

# On the builder's own architecture: a compiler for another one is as good, and needs no emulation.
# The digest is that of the tag's manifest list, which names the images of all architectures: a tag
# can be moved. Whoever raises the version looks it up: docker buildx imagetools inspect rust:TAG
FROM --platform=$BUILDPLATFORM rust:1.95-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
# The C compilers and musl are for all that is linked; Rust's standard library is built from its source.
RUN case $(dpkg --print-architecture) in \
        amd64) other=gcc-aarch64-linux-gnu ;; \
        arm64) other=gcc-x86-64-linux-gnu ;; \
    esac && \
    dpkg --add-architecture amd64 && dpkg --add-architecture arm64 && apt-get update && \
    apt-get install -y --no-install-recommends \
        libcap2-bin python3 "${other:?this image builds on amd64 and arm64}" \
        musl-dev:amd64 musl-dev:arm64
RUN rustup component add rust-src
WORKDIR /src
COPY Cargo.toml Cargo.lock NOTICES ./
COPY .ci .ci
COPY src src
COPY tests tests
# What --version shows; the image's build has no repository to ask.
ARG COMMIT=
# The architecture of the image, which the builder says.
ARG TARGETARCH
RUN : "${TARGETARCH:?this builder says no architecture: take BuildKit or buildah}" && \
    .ci/image-content "$TARGETARCH" /

# Of the image's platform, said in words: some builders (buildah issue 5968) would go on with the
# platform of the stage before.
FROM --platform=$TARGETPLATFORM scratch
ARG TARGETARCH
COPY --from=build /image-$TARGETARCH /
# Nobody in particular; numeric, since there is no /etc/passwd to look a name up in.
USER 65532:65532
# Health checks: rancher/external-dns answered them on 1000, external-dns-sync on 10000.
EXPOSE 1000 10000
LABEL org.opencontainers.image.title="rancher-route53" \
      org.opencontainers.image.description="Keeps an Amazon Route 53 hosted zone equal to the services of a Rancher 1.x environment" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["/rancher-route53"]
