# UNTESTED: there is no container runtime where this repository is developed. What it does is what the README says for a bare Debian.
FROM debian:bookworm-slim
# Installing RabbitMQ would start a server; runs start their own.
RUN printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
    && apt-get update \
    && apt-get install -y --no-install-recommends make git python3 python3-venv rabbitmq-server chromium \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /saga
COPY . .
RUN make .venv/run
ENV PATH=/saga/.venv/bin:$PATH
CMD ["saga", "demo"]
