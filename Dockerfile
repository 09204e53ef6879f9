FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements requirements
RUN python -m pip install --no-cache-dir --require-hashes -r requirements/uv.txt \
 && uv venv --quiet /opt/bridge \
 && uv pip install --quiet --no-cache --python /opt/bridge --require-hashes -r requirements/notify.txt
COPY pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY bridge bridge
# dev.txt pins and hashes what builds the wheel; nothing else of it is installed.
RUN uv build --quiet --no-cache --wheel --build-constraints requirements/dev.txt --require-hashes \
 && uv pip install --quiet --no-cache --python /opt/bridge --no-deps dist/*.whl

# The same image again: the environment's python is a link to the image's own.
FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home bridge \
 && install --directory --owner bridge /var/lib/bridge
COPY --from=build /opt/bridge /opt/bridge
ENV PATH=/opt/bridge/bin:$PATH PYTHONUNBUFFERED=1 UV_CACHE_DIR=/tmp/uv
USER 10001
EXPOSE 8000
CMD ["bridge", "serve", "--host", "0.0.0.0", "--port", "8000"]
