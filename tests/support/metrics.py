"""Figures of /metrics."""


def metric(service, name):
    """The first whose line begins so."""
    for line in service.client("").get("/metrics").body.decode().splitlines():
        if line.startswith(name):
            return int(line.split()[-1])
    raise AssertionError(f"no metric {name}")
