"""The studies that ``sr_study.py`` trains: which networks, and what each is compared with."""

from __future__ import annotations

from typing import NamedTuple


class Run(NamedTuple):
    """One run.

    Attributes:
        flags: of ``train_sr.py``, after those that the study's runs have in common.
        parent: the run of the same study that differs from it in one factor; None: there is none.
    """

    flags: str
    parent: str | None = None


class Study(NamedTuple):
    """``common`` flags of ``train_sr.py`` for all ``runs``; a run's own come after them."""

    common: str
    runs: dict[str, Run]


# Learning rates: at a few thousand steps small networks are still far from their best at the papers' 1e-4.
SMALL, LARGE = "--lr 1e-3", "--lr 3e-4"
# All PECL but ``clipped``: with a fixed weight the gradient of a random encoder is many times that of the
# pixels, and another d, metric or form would change the weight along with itself.
PECL = "--loss pecl --weighting balanced --ratio 1 --contrastive"
# Of a whole plate that is only shrunk all pairs would be equal: so plates of the camera have one each, too.
WHOLE = "--patch 0 --repeat 1"
X8 = "--scale 8 --channels 3 --degradation shrink --widths 192 384"  # plates of 24 small pixels and more

STUDIES = {
    # Before the readers, x4 gray; the reader that the losses ask is the bundled default. All see whole plates
    # of one line, as losses that read must, but the large networks: the 1.2M sees patches of 16 x 16 small
    # pixels, LPSR of 8 x 8, as many as in its paper.
    "grid": Study(
        "--scale 4 --channels 1 --one-line",
        {
            "42k-l1": Run(f"--arch compact_42k --loss l1 {WHOLE} {SMALL}"),
            "42k-confidence": Run(f"--arch compact_42k --loss confidence {WHOLE} {SMALL}", "42k-l1"),
            "42k-reading": Run(f"--arch compact_42k --loss reading {WHOLE} {SMALL}", "42k-l1"),
            "1m-l1": Run(f"--arch compact_1m --loss l1 --patch 64 {LARGE}", "42k-l1"),
            "lpsr-pecl": Run(f"--arch lpsr {PECL} pull --patch 32 {LARGE}"),
            "espcn-l1": Run(f"--arch espcn --loss l1 {WHOLE} {SMALL}", "42k-l1"),
            # Made small by the mean of pixels alone, as ``compare-sr --width`` does it to real crops.
            "42k-l1-shrink": Run(
                f"--arch compact_42k --loss l1 {WHOLE} --degradation shrink {SMALL}", "42k-l1"
            ),
            "42k-reading-shrink": Run(
                f"--arch compact_42k --loss reading {WHOLE} --degradation shrink {SMALL}", "42k-l1-shrink"
            ),
            "1m-l1-shrink": Run(
                f"--arch compact_1m --loss l1 --patch 64 --degradation shrink {LARGE}", "1m-l1"
            ),
            "lpsr-pecl-shrink": Run(
                f"--arch lpsr {PECL} pull --patch 32 --degradation shrink {LARGE}", "lpsr-pecl"
            ),
        },
    ),
    # The plate paper's Table 1: x8 RGB, made small by the mean of pixels alone, 64 x 64 patches.
    "table1": Study(
        X8,
        {
            "srcnn": Run(f"--arch srcnn --loss l1 {SMALL}", "lpsr-l1"),
            "espcn": Run(f"--arch espcn --loss l1 {SMALL}", "lpsr-l1"),
            "42k": Run(f"--arch compact_42k --loss l1 {SMALL}", "lpsr-l1"),
            "1m": Run(f"--arch compact_1m --loss l1 {LARGE}", "lpsr-l1"),
            # Whole plates, as its authors train it: attention that has seen 8 x 8 pixels only spoils more.
            # Two of them have some 1.3 times the pixels of sixteen patches.
            "tbsrn": Run(f"--arch tbsrn --loss l1 --patch 0 --batch 2 {LARGE}", "lpsr-l1"),
            "msrn": Run(f"--arch msrn --loss l1 {LARGE}", "lpsr-l1"),
            "lpsr-l1": Run(f"--arch lpsr --loss l1 {LARGE}"),
            "lpsr-pecl": Run(f"--arch lpsr {PECL} pull {LARGE}", "lpsr-l1"),
            "esrgan": Run(f"--arch esrgan --loss l1 {LARGE}", "lpsr-l1"),
            # Sixteen patches a step would take it two and a half hours of a core.
            "swinir": Run(f"--arch swinir --loss l1 --batch 4 {LARGE}", "lpsr-l1"),
        },
    ),
    # Its ablation. As printed, the term should repel until D = 2 and be dead then in L1, and repel
    # throughout in L2; a learnt, clipped weight should run to an end (its start, 0.5, is the paper's, so
    # that it cannot be balanced); a trained encoder should collapse without the push.
    "ablation": Study(
        f"{X8} --arch lpsr {LARGE}",
        {
            "mse": Run("--loss mse"),
            "pull": Run(f"{PECL} pull", "mse"),
            "as-printed": Run(f"{PECL} as_printed", "pull"),
            # The paper's own weights: half the pixels, half the term.
            "as-printed-fixed": Run("--loss pecl --contrastive as_printed --weighting fixed", "as-printed"),
            "pull-fixed": Run("--loss pecl --contrastive pull --weighting fixed", "pull"),
            "l2": Run(f"{PECL} pull --metric l2", "pull"),
            "as-printed-l2": Run(f"{PECL} as_printed --metric l2", "as-printed"),
            "as-printed-l2-fixed": Run(
                "--loss pecl --contrastive as_printed --weighting fixed --metric l2", "as-printed-l2"
            ),
            "pull-trained": Run(f"{PECL} pull --train-encoder", "pull"),
            "pull-push": Run(f"{PECL} pull_push --train-encoder", "pull-trained"),
            "d64": Run(f"{PECL} pull --embedding 64", "pull"),
            "d256": Run(f"{PECL} pull --embedding 256", "pull"),
            "d512": Run(f"{PECL} pull --embedding 512", "pull"),
            "clipped": Run(
                "--loss pecl --contrastive as_printed --weighting clipped_learnable --weight-lr 0.01",
                "as-printed",
            ),
        },
    ),
}
