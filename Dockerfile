# One image for all services, `python -m auth|gateway|media|rooms`. What runs is nobody's who could write to it.
FROM python:3.13-slim-trixie AS made
# What compiles the native packet loop; it stays behind in this stage.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev
COPY requirements-image.lock /
RUN python3 -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: -r /requirements-image.lock \
 && /venv/bin/pip uninstall --yes --quiet pip
WORKDIR /app
COPY . .
# The root is read-only when it runs: bytecode is made here or never.
RUN /venv/bin/python -m media.native.build && /venv/bin/python -m compileall -q /app && install -d -m 700 /empty

FROM python:3.13-slim-trixie
COPY --from=made /venv /venv
COPY --from=made /app /app
# A new volume takes its owner from here.
COPY --from=made --chown=10001:10001 /empty /var/lib/cwrkplanet
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
