"""Recordings to try planner with: generated, seeded, in the official layout of each format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from planner.errors import InputError, near_miss
from planner.samples.alibaba_2017 import alibaba_2017
from planner.samples.alibaba_2018 import alibaba_2018
from planner.samples.alibaba_openb import alibaba_openb
from planner.samples.aws_migration_hub import aws_migration_hub
from planner.samples.azure_functions import azure_functions
from planner.samples.azure_functions_2021 import azure_functions_2021
from planner.samples.azure_migrate import azure_migrate
from planner.samples.azure_vm import azure_vm
from planner.samples.bitbrains import bitbrains
from planner.samples.cluster import cloudwatch, kubernetes, opencost, prometheus
from planner.samples.estate import Size
from planner.samples.focus import focus
from planner.samples.gcd_vms import gcd_vms
from planner.samples.google import google_2011, google_2019
from planner.samples.opendc import opendc
from planner.samples.own import planner
from planner.samples.planetlab import planetlab
from planner.samples.request_rates import request_rates
from planner.samples.rvtools import rvtools
from planner.samples.service_graph import service_graph

__all__ = ["SAMPLES", "Size", "write"]

_WRITERS: Final[Mapping[str, Callable[[Path, int, Size], tuple[Path, ...]]]] = {
    "planner": planner,
    "azure_vm": azure_vm,
    "bitbrains": bitbrains,
    "azure_functions": azure_functions,
    "azure_functions_2021": azure_functions_2021,
    "google_2011": google_2011,
    "google_2019": google_2019,
    "alibaba_2017": alibaba_2017,
    "alibaba_2018": alibaba_2018,
    "alibaba_openb": alibaba_openb,
    "planetlab": planetlab,
    "gcd_vms": gcd_vms,
    "opendc": opendc,
    "rvtools": rvtools,
    "prometheus": prometheus,
    "cloudwatch": cloudwatch,
    "kubernetes": kubernetes,
    "opencost": opencost,
    "azure_migrate": azure_migrate,
    "aws_migration_hub": aws_migration_hub,
    "focus": focus,
    "request_rates": request_rates,
    "service_graph": service_graph,
}

SAMPLES: Final[Mapping[str, Size]] = {
    "planner": Size(vms=300, days=14),
    "azure_vm": Size(vms=300, days=14, read_days=2),
    "bitbrains": Size(vms=5, days=3),
    "azure_functions": Size(functions=200, days=1),
    "azure_functions_2021": Size(functions=30, days=1),
    "google_2011": Size(vms=12, days=1),
    "google_2019": Size(vms=12, days=1),
    "alibaba_2017": Size(vms=12, days=1),
    "alibaba_2018": Size(vms=16, days=1),
    "alibaba_openb": Size(vms=400, days=1),
    "planetlab": Size(vms=12, days=2),
    "gcd_vms": Size(vms=20, days=1),
    "opendc": Size(vms=20, days=1),
    "rvtools": Size(vms=24),
    "prometheus": Size(vms=8),
    "cloudwatch": Size(vms=6),
    "kubernetes": Size(vms=40),
    "opencost": Size(vms=6),
    "azure_migrate": Size(vms=120, days=7),
    "aws_migration_hub": Size(vms=120, days=7),
    "focus": Size(vms=120),
    "request_rates": Size(functions=3, days=3),
    "service_graph": Size(vms=10, days=2),
}
"""Format -> the size of the sample that ships."""


def write(format: str, folder: Path, seed: int = 0, size: Size | None = None) -> tuple[Path, ...]:  # noqa: A002
    """Writes the sample of a format into `folder`; the same seed and size give the same content. Returns its files.

    Raises:
        InputError: there is no sample of that format, or the folder cannot be written.
    """
    if format not in _WRITERS:
        raise InputError(f"sample {format!r}: {near_miss(format, _WRITERS)}")
    try:
        return _WRITERS[format](folder, seed, size or SAMPLES[format])
    except OSError as error:
        raise InputError(f"{folder}: cannot write the sample ({error.strerror})") from None
