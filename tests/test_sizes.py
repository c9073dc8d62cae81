"""Crop sizes: buckets, shares and suggestions worked out by hand, and ``lprfast sizes`` on small images."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from lprfast.cli import main
from lprfast.data import ImageError, image_size, load_image
from lprfast.evaluation.size_advice import suggestions
from lprfast.evaluation.sizes import (
    bucket_name,
    histogram,
    kept_share,
    share_below,
    spread,
    width_bucket,
    width_buckets,
    widths_spec,
)


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["sizes", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def save(path: Path, width: int, height: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height)).save(path)
    return path


# Figures


@pytest.mark.parametrize(
    ("width", "name"),
    [(1, "under 20"), (19, "under 20"), (20, "20-40"), (39, "20-40"), (40, "40-60"), (79, "60-80"),
     (80, "80-100"), (99, "80-100"), (100, "100+"), (5000, "100+")],
)  # fmt: skip
def test_a_border_belongs_to_the_bucket_above(width: int, name: str) -> None:
    assert bucket_name(width_bucket(width)) == name


def test_buckets_count_and_add_up() -> None:
    buckets = width_buckets([10, 20, 39, 40, 59, 59, 100, 200])
    assert [(one.low, one.high, one.n) for one in buckets] == [
        (0, 20, 1), (20, 40, 2), (40, 60, 3), (60, 80, 0), (80, 100, 0), (100, None, 2)
    ]  # fmt: skip
    assert [one.share for one in buckets] == [1 / 8, 2 / 8, 3 / 8, 0, 0, 2 / 8]
    assert [one.cumulative for one in buckets] == [1 / 8, 3 / 8, 6 / 8, 6 / 8, 6 / 8, 1]
    assert sum(one.n for one in width_buckets([])) == 0


def test_share_below_leaves_the_threshold_out() -> None:
    assert share_below([39, 40, 41, 80], 40) == 0.25
    assert share_below([39, 40, 41, 80], 41) == 0.5
    assert share_below([], 40) == 0


def test_spread_interpolates_between_ranks() -> None:
    # Ranks 0-4: 5 % is rank 0.2, 25 % rank 1, 95 % rank 3.8.
    found = spread([50, 10, 20, 30, 40])
    assert (found.low, found.median, found.mean, found.high) == (10, 30, 30, 50)
    assert dict(found.percentiles) == pytest.approx({5: 12, 25: 20, 75: 40, 95: 48})
    assert list(found.to_dict()) == ["min", "p5", "p25", "median", "mean", "p75", "p95", "max"]
    with pytest.raises(ValueError, match="at least one"):
        spread([])


def test_histogram_bins_and_the_open_end() -> None:
    assert histogram([10, 14, 15, 24]) == [(10, 15, 2), (15, 20, 1), (20, 25, 1)]
    # From 10 on, 20 bins of 10 px reach to 210; the outlier stands apart, and no crop is lost.
    wide = histogram([10] * 10 + [150] * 10 + [205] * 79 + [5000])
    assert wide[0] == (10, 20, 10)
    assert wide[-1] == (210, None, 1)
    assert sum(n for _, _, n in wide) == 100
    assert histogram([]) == []
    assert histogram([7]) == [(5, 10, 1)]


def test_kept_accuracy_is_the_measured_table() -> None:
    assert kept_share([60]) == 1
    assert kept_share([500]) == 1
    # The row of the shipped reader in docs/results.md: native, 100, 80, 60, 40 and 30 px.
    table = (Path(__file__).parents[1] / "docs" / "results.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| pooled ((?:\| 0\.\d{3} ){6})\|$", table, re.MULTILINE)
    native, *_, at_40, at_30 = (float(figure) for figure in row.split("|")[1:])
    assert kept_share([40]) == pytest.approx(at_40 / native)
    assert kept_share([30]) == pytest.approx(at_30 / native)
    assert kept_share([50]) == pytest.approx((1 + at_40 / native) / 2)
    assert kept_share([16, 60]) == 0.5
    assert kept_share([]) == 0


def test_the_spec_is_one_that_training_takes() -> None:
    from training.ocr.widths import read_widths

    spec = widths_spec([10, 20, 39, 40, 120, 3000])
    assert spec == "1-19:1,20-39:2,40-59:1,100-1024:2"
    assert read_widths(spec) == [(1, 19, 1.0), (20, 39, 2.0), (40, 59, 1.0), (100, 1024, 2.0)]
    assert widths_spec([100]) == "100-100:1"


# Suggestions


def advice(widths: list[int]) -> dict[str, str]:
    return {one.topic: one.advice for one in suggestions(widths)}


def test_wide_crops_need_nothing() -> None:
    found = advice([100] * 120)
    assert list(found) == ["reader"]
    assert found["reader"].startswith("leave the sizes")
    assert list(advice([200] * 120)) == ["reader", "resolution"]


def test_crops_in_the_band_that_training_moves() -> None:
    found = advice([50] * 60 + [100] * 60)
    assert list(found) == ["reader", "training", "super-resolution"]
    assert "--widths 40-59:60,100-100:60 " in found["training"]
    assert found["super-resolution"] == "not worth a trial"
    assert found["reader"].startswith("vote over")
    assert "a trial may pay" in advice([35] * 60 + [100] * 60)["super-resolution"]


def test_crops_that_no_training_saves_want_the_camera() -> None:
    found = {one.topic: one for one in suggestions([24] * 120)}
    assert list(found) == ["reader", "camera", "super-resolution"]
    assert "2.5 times the width" in found["camera"].advice  # 60 / 24
    assert found["camera"].reason.startswith("100% of the crops are under 30 px")


def test_few_crops_are_said_to_be_few() -> None:
    (sample, _) = suggestions([100] * 49)
    assert sample.topic == "sample"
    assert "uncertain by 14%" in sample.reason  # 0.98 / 7
    assert suggestions([]) == []


# Headers


def test_image_size_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("a.jpg", "a.png", "a.webp", "a.tif"):
        Image.new("RGB", (30, 12)).save(tmp_path / name, exif=exif)
        assert image_size(tmp_path / name) == (12, 30)
        assert load_image(tmp_path / name).shape[:2] == (30, 12)
    assert image_size(save(tmp_path / "b.png", 41, 7)) == (41, 7)


def test_image_size_reads_no_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "a.png"
    Image.fromarray(rng.integers(0, 256, (64, 64), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    assert image_size(path) == (64, 64)
    with pytest.raises(ImageError):
        load_image(path)


# The command


def document(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return found


def test_sizes_of_a_folder_of_folders(tmp_path: Path) -> None:
    for index, width in enumerate((15, 30, 50, 70)):
        save(tmp_path / f"vehicle{index % 2}" / f"{index}.png", width)
    found = document(tmp_path, "--below", "50", "--below", "51")
    assert found["n"] == 4
    assert [one["n"] for one in found["buckets"]] == [1, 1, 1, 1, 0, 0]
    assert found["below"] == [{"width": 50, "share": 0.5}, {"width": 51, "share": 0.75}]
    assert (found["width"]["min"], found["width"]["median"], found["width"]["max"]) == (15, 40, 70)
    assert found["height"]["mean"] == 10
    assert found["aspect"]["max"] == 7
    assert found["failed"] == []
    table = run(tmp_path, "--below", "50").stdout
    assert table.splitlines()[0].split() == ["width", "(px)", "crops", "share", "up", "to", "here"]
    assert "under 50 px: 50.0%" in table
    assert "70-74 |######################################## 1" in table


def test_sizes_of_a_label_file_lists_what_cannot_be_opened(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 90)
    (tmp_path / "b.png").touch()
    labels = tmp_path / "labels.csv"
    labels.write_text("path,text\na.png,X\nb.png,Y\ngone.png,Z\n,W\n", encoding="utf-8")
    result = run(labels, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["n"] == 1
    assert result.stderr.splitlines() == [
        f"failed: {labels}, line 5: path is empty",
        f"failed: {tmp_path / 'b.png'}: the file is empty (0 bytes)",
        f"failed: {tmp_path / 'gone.png'}: no such file",
    ]


def test_sizes_of_nothing_is_a_message(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "holds no image files" in result.stderr.replace("\n", " ")
    (tmp_path / "a.png").write_text("no image", encoding="utf-8")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "no image could be opened" in result.stderr
    assert run(tmp_path, "--below", "0").exit_code == 2
