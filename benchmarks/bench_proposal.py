"""Lesions proposed from one click on FLAIR: Dice against the truth, by size and surroundings of the lesion.

Scenes of `flair_scenes`, three clicks anywhere inside each lesion, slider where it stands at first. In confluent pairs
the other lesion is drawn already. None of these seeds was used to choose anything about the tool.
"""

from __future__ import annotations

import statistics
import time
from typing import Any, NamedTuple

import numpy as np
import pytest

from flair_scenes import CUBES_MM, KINDS, SLABS_MM, FlairScene, flair_scene
from napari_msqsm.lesions.tools.proposal import propose

SEEDS, N_CLICKS = range(100, 112), 3
LEAST_MM3 = 20.0
SIZES_MM3 = ((20, 50), (50, 150), (150, 500), (500, 1_000_000))


class Outcome(NamedTuple):
    """One click."""

    kind: str
    volume_mm3: float
    dice: float
    volume_ratio: float
    cpu_s: float


@pytest.fixture(scope="module", params=[SLABS_MM, CUBES_MM], ids=["0.75x0.75x3 mm", "1 mm"])
def scenes(request: Any) -> list[FlairScene]:
    made = [flair_scene(seed, kind, request.param) for seed in SEEDS for kind in KINDS]
    return [scene for scene in made if scene.volume_mm3 >= LEAST_MM3]


def _outcomes(scenes: list[FlairScene]) -> list[Outcome]:
    rng, found = np.random.default_rng(0), []
    for scene in scenes:
        true = scene.lesions == 1
        labels = np.where((scene.lesions == 2) & (scene.kind == "confluent"), 2, 0).astype(np.uint16)
        for click in scene.clicks(rng, N_CLICKS):
            began = time.process_time()
            index = propose(scene.flair, labels, scene.voxel_size_mm, click, brain=scene.brain).voxels()
            cpu_s = time.process_time() - began
            hit, n_true = np.count_nonzero(true.ravel()[index]), np.count_nonzero(true)
            found.append(
                Outcome(scene.kind, scene.volume_mm3, 2 * hit / (index.size + n_true), index.size / n_true, cpu_s)
            )
    return found


def bench_proposal(record, scenes):
    def figures(found: list[Outcome]) -> dict[str, float]:
        dice = [one.dice for one in found]
        told = {
            "clicks": len(found),
            "lesions": len(scenes),
            "dice_median": statistics.median(dice),
            "dice_tenth": float(np.quantile(dice, 0.1)),
            "below_half": float(np.mean(np.array(dice) < 0.5)),
            "volume_ratio_median": statistics.median(one.volume_ratio for one in found),
            "cpu_s_median": statistics.median(one.cpu_s for one in found),
            "cpu_s_most": max(one.cpu_s for one in found),
        }
        for kind in KINDS:
            told[f"dice_{kind.replace(' ', '_')}"] = _median(one.dice for one in found if one.kind == kind)
        for low, high in SIZES_MM3:
            within = [one.dice for one in found if low <= one.volume_mm3 < high]
            told[f"dice_from_{low}_mm3"], told[f"clicks_from_{low}_mm3"] = _median(within), len(within)
        return told

    record(_outcomes, scenes, figures=figures)


def _median(values: Any) -> float:
    values = list(values)
    return statistics.median(values) if values else float("nan")
