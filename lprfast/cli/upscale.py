"""``lprfast upscale``: crops enlarged by a super-resolution model, as PNG files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lprfast.cli._common import EXIT_FAILED, CannotStart, complain, count, progress

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lprfast.data.label_rows import Box
    from lprfast.super_resolution import SuperResolver

_CHUNK_CROPS = 64
_CHUNK_PIXELS = 4 << 20


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="PATH...")
@click.option("--model", required=True, help="Super-resolution: bundled model or ONNX file.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to; it is made if it is not there.",
)
@click.option(
    "--below",
    type=click.IntRange(1, 100_000),
    metavar="PX",
    help="Enlarge crops narrower than this only; wider ones are left out.",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Worker threads [default: all usable].")
def upscale(
    inputs: tuple[str, ...], model: str, out: Path, below: int | None, device: str, threads: int | None
) -> None:
    """Enlarge crops with a super-resolution model and write them as PNG files.

    PATH is an image, a folder (searched with its subfolders), a glob in quotes, or a label file. The files
    keep their names and their places below the folder that is common to all of them; of images named as in
    CCPD the plate is cut out. To read enlarged crops,
    'lprfast read --sr MODEL' needs no files; whether that helps tells 'lprfast compare-sr'.
    """
    from lprfast.data.paths import InputError, expand

    try:
        expanded = expand(inputs)
    except InputError as error:
        raise click.UsageError(str(error)) from None
    resolver = make_resolver(model, device, threads)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"--out: {out}: cannot be made: {error.strerror or error}") from None
    problems = list(expanded.problems)
    complain(problems)
    targets = target_paths([source.path for source in expanded.sources], out)
    refuse_own_inputs(targets)
    boxes = [source.box for source in expanded.sources]
    written = left_out = 0
    with progress("enlarging", len(targets)) as step:
        for source, target, answer in _enlarge(resolver, targets, boxes, below, step):
            if answer is None:
                left_out += 1
            elif isinstance(answer, str) or (answer := write_png(target, answer)):
                problems.append(f"{source}: {answer}")
                complain(problems[-1:])
            else:
                written += 1
    wide = f", {count(left_out, 'crop')} of {below} px and more left out" if below else ""
    click.echo(f"{count(written, 'crop')} written to {out}{wide}", err=True)
    if problems:
        sys.exit(EXIT_FAILED)


def make_resolver(model: str, device: str, threads: int | None) -> SuperResolver:
    """The super-resolver of every command, in the order of colours that ``load_image`` gives.

    Raises:
        CannotStart: the model or the runtime cannot be had; the message says why.
    """
    from lprfast._core import OrtError
    from lprfast.super_resolution import SuperResolver

    try:
        return SuperResolver(model, device=device, threads=threads, color="bgr")
    except (ValueError, OSError, OrtError) as error:
        raise CannotStart(str(error)) from error


def target_paths(sources: Sequence[Path], out: Path) -> list[tuple[Path, Path]]:
    """Each file with the PNG file to write: the same place below the folder that all have in common.

    Of two files that differ only in their ending, such as ``a.jpg`` and ``a.png``, the later one keeps it:
    ``a.png.png``.
    """
    whole = [Path(os.path.abspath(source)) for source in sources]
    root = os.path.commonpath([path.parent for path in whole]) if whole else ""
    taken: set[Path] = set()
    targets = []
    for source, path in zip(sources, whole, strict=True):
        place = out / path.relative_to(root)
        target = place.with_suffix(".png")
        while target in taken:
            target = place = place.with_name(f"{place.name}.png")
        taken.add(target)
        targets.append((source, target))
    return targets


def refuse_own_inputs(targets: Sequence[tuple[Path, Path]]) -> None:
    """UsageError where a picture would be written over a file that is read."""
    read = {Path(os.path.realpath(source)) for source, _ in targets}
    for _, target in targets:
        if Path(os.path.realpath(target)) in read:
            raise click.UsageError(
                f"--out: {target} is one of the files to read and would be overwritten; give another folder"
            )


def write_png(path: Path, image: npt.NDArray[np.uint8]) -> str:
    """Writes a gray or BGR picture; the reason where it cannot be written, else nothing."""
    from PIL import Image

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(image if image.ndim == 2 else image[..., ::-1].copy())
        picture.save(path, format="PNG")
    except OSError as error:
        return f"{path}: cannot be written: {error.strerror or error}"
    return ""


def _enlarge(
    resolver: SuperResolver,
    targets: Sequence[tuple[Path, Path]],
    boxes: Sequence[Box | None],
    below: int | None,
    step: Callable[[], None],
) -> Iterator[tuple[Path, Path, Any]]:
    """Source, target and what came of it: a picture, the reason why there is none, None for a wide crop."""
    from lprfast.data.images import ImageError
    from lprfast.data.reading import load_crop

    chunk: list[tuple[Path, Path, Any]] = []
    pixels = 0
    for (source, target), box in zip(targets, boxes, strict=True):
        try:
            crop = load_crop(source, box)
        except ImageError as error:
            yield source, target, error.reason
        else:
            if below is not None and crop.shape[1] >= below:
                yield source, target, None
            else:
                chunk.append((source, target, crop))
                pixels += crop.shape[0] * crop.shape[1]
        step()
        if len(chunk) >= _CHUNK_CROPS or pixels >= _CHUNK_PIXELS:
            yield from _enlarge_chunk(resolver, chunk)
            chunk, pixels = [], 0
    yield from _enlarge_chunk(resolver, chunk)


def _enlarge_chunk(
    resolver: SuperResolver, chunk: Sequence[tuple[Path, Path, Any]]
) -> Iterator[tuple[Path, Path, Any]]:
    answers = resolver.upscale_many([crop for _, _, crop in chunk])
    for (source, target, _), answer in zip(chunk, answers, strict=True):
        yield source, target, answer.error if answer.image is None else answer.image
