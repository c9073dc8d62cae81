"""The processes and the device of a run: one process, or several under torchrun."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from lprfast import _core


@dataclass
class World:
    """This process's place in the run, and whether it was asked to stop."""

    rank: int
    size: int
    device: torch.device
    stop: bool = False

    @property
    def first(self) -> bool:
        """Whether this process logs, validates and writes files."""
        return self.rank == 0

    def agree(self, progress: float) -> tuple[float, bool]:
        """The first process's progress, and whether any was asked to stop: all leave the loop together."""
        if self.size == 1:
            return progress, self.stop
        values = torch.tensor([progress if self.first else 0.0, float(self.stop)], dtype=torch.float64)
        values = values.to(self.device)
        dist.all_reduce(values)
        return float(values[0]), bool(values[1] > 0)

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model whose gradients are averaged over all processes."""
        if self.size == 1:
            return model
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices)

    def close(self) -> None:
        """Leaves the process group once every process is here: for runs that came to their end.

        A process that failed must not call it: the others never come, and torchrun ends them only when
        the failed one has left.
        """
        if self.size > 1:
            dist.barrier()
            dist.destroy_process_group()


def start_world(threads: int | None) -> World:
    """Reads torchrun's environment, picks the device, and turns SIGINT and SIGTERM into an orderly stop."""
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
        torch.cuda.set_device(device)
    torch.set_num_threads(threads or max(1, _core.usable_processors() // local_size()))
    if size > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    world = World(rank, size, device)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        world.stop = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return world


def local_size() -> int:
    """Processes of this run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def default_workers(device: torch.device) -> int:
    """A GPU wants every core to draw plates; beside training on the CPU one core in eight keeps up."""
    share = _core.usable_processors() // local_size()
    return max(1, share - 1) if device.type == "cuda" else max(1, share // 8)


def resolve_precision(precision: str, device: torch.device) -> str:
    """Turns "auto" into bf16 where the processor multiplies bf16 itself, else into fp32."""
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text(encoding="utf-8").split()) if cpuinfo.is_file() else set()
    return "bf16" if flags & {"avx512_bf16", "amx_bf16"} else "fp32"
