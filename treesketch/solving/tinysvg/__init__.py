"""The solver of tinysvg: a judge with a picture in; programs that draw it tried, made of what the picture shows."""

from treesketch.solving.tinysvg.solve import solve

__all__ = ["solve"]
