"""The checks behind ``lprfast doctor``; each answers findings and raises nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lprfast.cli._common import CannotStart, make_reader

# int8 products on processors without these saturate, or are slow: the fp32 model is the better choice there.
_VNNI_FLAGS = ("avx512_vnni", "avx_vnni")

_DEFAULT_MODEL = "default"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor.

    Attributes:
        name: what was looked at.
        value: what was found.
        broken: whether lprfast cannot work, or not as it should.
        advice: what to do; empty where there is nothing.
    """

    name: str
    value: str
    broken: bool = False
    advice: str = ""


def version_findings() -> list[Finding]:
    """lprfast, Python and the libraries."""
    import lprfast

    findings = [
        Finding("lprfast", lprfast.__version__),
        Finding("Python", f"{platform.python_version()} {platform.machine()} {platform.system()}"),
    ]
    for name in ("numpy", "pillow"):
        findings.append(Finding(name, importlib.metadata.version(name)))
    return findings


def runtime_findings() -> list[Finding]:
    """ONNX Runtime: its wheels, its library, its providers, its telemetry."""
    from lprfast._core import OrtError, ort_info
    from lprfast._ort_library import installed_ort_wheels, ort_library_path

    findings = [_wheels(installed_ort_wheels())]
    try:
        library = ort_library_path()
        info: dict[str, Any] = dict(ort_info(library))
    except (OrtError, ValueError) as error:
        return [*findings, Finding("ONNX Runtime", "cannot be loaded", True, str(error))]
    findings.append(Finding("ONNX Runtime", f"{info['version']}, {library}"))
    findings.append(Finding("providers", ", ".join(info["providers"])))
    findings.append(_cuda(info["providers"]))
    off = os.environ.get("ORT_DISABLE_TELEMETRY") == "1"
    findings.append(
        Finding(
            "telemetry",
            "off" if off else "on",
            False,
            "" if off else "set ORT_DISABLE_TELEMETRY=1, or unset it",
        )
    )
    return findings


def _wheels(wheels: list[tuple[str, str]]) -> Finding:
    shown = ", ".join(f"{name} {version}" for name, version in wheels) or "none"
    if len(wheels) < 2:
        return Finding("onnxruntime wheels", shown)
    names = " ".join(name for name, _ in wheels)
    advice = (
        f"they overwrite one another's files: pip uninstall {names}, then install the one you want; "
        "or let LPRFAST_ORT_LIBRARY name a library"
    )
    return Finding("onnxruntime wheels", shown, True, advice)


def _cuda(providers: list[str]) -> Finding:
    if "CUDAExecutionProvider" in providers:
        return Finding("devices", "cpu, cuda (built in; --device cuda tells whether it starts)")
    return Finding("devices", "cpu")


def processor_findings() -> list[Finding]:
    """Instruction sets and how many threads may run."""
    from lprfast import _core

    available = ", ".join(_core.available_isas())
    return [
        Finding("kernels", f"{_core.best_isa()} (this processor and build: {available})"),
        Finding("int8", _vnni()),
        Finding("processors", f"{_core.usable_processors()} usable: {_affinity()}, {_quota()}"),
    ]


def _vnni() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "not known on this system"
    words = set(text.split())
    found = [flag for flag in _VNNI_FLAGS if flag in words] + (["asimddp"] if "asimddp" in words else [])
    return f"fast ({', '.join(found)})" if found else "no dot-product instructions: fp32 may be as fast"


def _affinity() -> str:
    if not hasattr(os, "sched_getaffinity"):
        return f"{os.cpu_count()} in the machine"
    return f"{len(os.sched_getaffinity(0))} by affinity of {os.cpu_count()} in the machine"


def _quota() -> str:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return "no cgroup limit" if quota == "max" else f"{int(quota) / int(period):g} by cgroup"
    except (OSError, ValueError, ZeroDivisionError):
        return "no cgroup limit found"


def variable_findings() -> list[Finding]:
    """The LPRFAST_ variables that are set."""
    return [
        Finding(name, value) for name, value in sorted(os.environ.items()) if name.startswith("LPRFAST_")
    ] or [Finding("LPRFAST_ variables", "none set")]


def reading_findings(model: str, device: str, threads: int | None) -> list[Finding]:
    """Loads the model and reads one demo crop."""
    try:
        reader = make_reader(model, device, threads)
    except CannotStart as error:
        return [Finding("model", model, True, error.message)]
    findings = [Finding("model", f"{reader.contract.name}, {reader.device}, {reader.threads} threads")]
    try:
        findings.append(_self_test(reader, bundled=model == _DEFAULT_MODEL))
    # Whatever goes wrong here is what the doctor is asked to tell.
    except Exception as error:
        findings.append(Finding("self-test", "failed", True, f"{type(error).__name__}: {error}"))
    return findings


def _self_test(reader: Any, bundled: bool) -> Finding:
    from lprfast.cli.demo import bundled_folder, demo_tracks
    from lprfast.data.images import load_image

    try:
        rows = next(iter(demo_tracks(bundled_folder()).values()))
    except CannotStart as error:
        advice = f"the package's example crops are missing ({error.message}); install lprfast again"
        return Finding("self-test", "not run", True, advice)
    row = max(rows, key=lambda row: row.width or 0)
    crop = load_image(row.path)
    first = _milliseconds(reader, crop)
    best = min(_milliseconds(reader, crop) for _ in range(20))
    result = reader.read(crop)
    timing = f"first read {first:.1f} ms, best of 20 {best:.2f} ms"
    if result.status != "ok":
        return Finding(
            "self-test", f"status {result.status}; {timing}", True, "the model cannot read a demo crop"
        )
    value = f"read {result.text} ({result.confidence:.3f}); {timing}"
    # Another model may have another alphabet or be made for other plates; ours must read its own example.
    if bundled and result.text != row.text:
        advice = (
            f"the demo crop shows {row.text}: the model file, the runtime or the build is damaged; install "
            "lprfast and onnxruntime again, and report it if that does not help"
        )
        return Finding("self-test", value, True, advice)
    return Finding("self-test", value)


def _milliseconds(reader: Any, crop: Any) -> float:
    start = time.perf_counter()
    reader.read(crop)
    return 1000 * (time.perf_counter() - start)
