# The autoscaler as an image: `make image` puts the wheels into build/wheels and builds it. Nothing is fetched in here.
# BASE is any image with Python 3.11 or newer and its pip, whose version is that of the wheels.
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
COPY build/wheels /wheels
# Commands are lists, so that a base without a shell does.
RUN ["python3", "-m", "venv", "--without-pip", "/opt/autoscaler"]
RUN ["python3", "-m", "pip", "--python=/opt/autoscaler/bin/python3", "--disable-pip-version-check", "install", "--quiet", "--root-user-action=ignore", "--no-cache-dir", "--no-index", "--find-links=/wheels", "formation-autoscaler"]

FROM ${BASE}
LABEL org.opencontainers.image.title="formation-autoscaler" \
      org.opencontainers.image.description="A controller that keeps a twelve-factor process formation at the size its load needs"
COPY --from=build /opt/autoscaler /opt/autoscaler
ENV PATH=/opt/autoscaler/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1
# Nobody's number: the name of no user is needed, and Kubernetes sees that it is not root.
USER 65532:65532
WORKDIR /
# It is process 1 and ends by TERM within a second. What commands of a configuration leave behind it does not see to its end:
# where there are such, start it with `docker run --init`.
STOPSIGNAL SIGTERM
ENTRYPOINT ["autoscaler"]
CMD ["run", "-c", "/etc/autoscaler/autoscaler.yaml"]
