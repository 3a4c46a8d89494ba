FROM python:3.11-slim
RUN useradd --create-home --uid 10001 nxcat
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY ingest ingest
COPY api api
COPY migrations migrations
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
RUN install --directory --owner=nxcat /data
USER nxcat
ENV NXCAT_DATA=/data NXCAT_API_HOST=0.0.0.0
VOLUME /data
EXPOSE 8000
CMD ["nxcat", "serve"]
