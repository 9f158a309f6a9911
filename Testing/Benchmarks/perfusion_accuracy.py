"""Write docs/reference/perfusion-accuracy.md: ``python Testing/Benchmarks/perfusion_accuracy.py [--quick] [-o FILE]``.

Everything in that page is measured here, on simulated curves and heads whose truth is known: 15 minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
for folder in ("StrokePredict", "StrokeTrain", "Testing"):
    sys.path.insert(0, str(ROOT / folder))

from Benchmarks import perfusion_heads as heads  # noqa: E402
from Benchmarks import perfusion_measures as measures  # noqa: E402
from Benchmarks import perfusion_reference as reference  # noqa: E402

from StrokePredictLib.perfusion.deconvolve import Settings  # noqa: E402
from StrokePredictLib.perfusion.vascular import Prior  # noqa: E402

SVD = [name for name in measures.METHODS if name != "vascular"]
LEVELS = [("MR", level) for level in reference.NOISE["MR"]] + [("CT", level) for level in reference.NOISE["CT"][1:]]


def named(modality: str, level: float) -> str:
    if not np.isfinite(level):
        return "none"
    return f"MR, S0/σ {level:g}" if modality == "MR" else f"CT, peak grey ΔHU/σ {level:g}"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def flow_bias() -> str:
    rows = []
    for kind in reference.RESIDUES:
        for mtt in (3.0, 4.0, 8.0, 14.0, 20.0):
            ratios = [measures.flow_ratio(settings, kind, mtt) for settings in measures.METHODS.values()]
            rows.append([kind, f"{mtt:g}", *(f"{r:.2f}" for r in ratios)])
    return table(["residue", "MTT (s)", *measures.METHODS], rows)


def noisy_flow_bias(count: int) -> str:
    rows = []
    for modality, level in LEVELS[1:]:
        for cbf in (10.0, 30.0, 60.0):
            ratios = [
                measures.noisy_flow(s, "exponential", cbf, modality, level, count) for s in measures.METHODS.values()
            ]
            rows.append([named(modality, level), f"{cbf:g}", *(f"{r:.2f}" for r in ratios)])
    return table(["noise", "true CBF", *measures.METHODS], rows)


def ratio_bias() -> str:
    rows = []
    for normal in ((60.0, 4.0), (50.0, 5.0)):
        for mtt in (8.0, 12.0, 16.0):
            found = [measures.measured_ratio(settings, normal, mtt) for settings in measures.METHODS.values()]
            rows.append([f"{normal[0]:g}, {normal[1]:g} s", f"{mtt:g}", *(f"{f:.2f}" for f in found)])
    return table(["normal CBF, MTT", "ill MTT (s)", *measures.METHODS], rows)


def six_seconds(count: int) -> tuple[str, str]:
    tissues = reference.draw(count, 1)
    truth = reference.tmax_reference(tissues)
    rows, sides = [], []
    for modality, level in LEVELS:
        row, side = [named(modality, level)], [named(modality, level)]
        for name, settings in measures.METHODS.items():
            cells, shares = [], []
            for dt in reference.INTERVALS:
                rates = measures.solve(tissues, dt, modality, level, settings, 3)
                sens, spec = measures.six_second_rule(rates.tmax, truth)
                cells.append(f"{100 * sens:.1f}/{100 * spec:.1f}")
                shares.append(f"{100 * measures.right_side_of_delay(rates, tissues, settings.method):.0f}")
            row.append("<br>".join(cells))
            side.append(" / ".join(shares))
            print(named(modality, level), name, cells, shares, flush=True)
        rows.append(row)
        sides.append(side)
    return table(["noise", *measures.METHODS], rows), table(["noise", *measures.METHODS], sides)


def delays() -> str:
    rows = []
    for name in SVD:
        worst = [
            max(
                measures.delay_spread(measures.METHODS[name], kind, mtt, dt)
                for kind in reference.RESIDUES
                for mtt in (4.0, 6.0, 12.0)
            )
            for dt in reference.INTERVALS
        ]
        rows.append([name, *(f"{100 * w:.1f} %" for w in worst)])
    return table(["method", *(f"dt {dt:g} s" for dt in reference.INTERVALS)], rows)


def vascular(count: int, repeats: int) -> tuple[str, str]:
    rows, spreads = [], []
    for modality in ("MR", "CT"):
        level = reference.NOISE[modality][1]
        for dt in reference.INTERVALS:
            e = measures.vascular_errors(count, dt, modality, level)
            cells = [f"{e['delay']:.2f}", f"{e['cbf_low']:.2f} ({e['cbf_low_in_model']:.2f})"]
            cells += [f"{e['cbf_bound']:.2f} ({e['cbf_bound_prior']:.2f})", f"{e['cbv_thin']:.2f}"]
            rows.append([named(modality, level), f"{dt:g}", *cells])
            for prior in (None, Prior()):
                found = measures.spread_over_bound(dt, modality, level, repeats, prior)
                cells = [f"{np.median(v):.2f} (largest {v.max():.2f})" for v in found.values()]
                spreads.append(
                    [named(modality, level), f"{dt:g}", "data" if prior is None else "data and prior", *cells]
                )
            print("vascular", modality, dt, e, flush=True)
    head = ["noise", "dt (s)", "delay (s)", "CBF, true ≤ 20", "bound's SD of CBF", "CBV, true ≤ 2"]
    return table(head, rows), table(["noise", "dt (s)", "bound from", "CBF", "CBV", "MTT", "delay"], spreads)


def calibration(count: int) -> str:
    """Compare the vascular Tmax with `tmax_ref` on cases that nothing else uses."""
    rows = []
    for modality in ("MR", "CT"):
        level = reference.NOISE[modality][1]
        for dt in reference.INTERVALS:
            fit, check = reference.draw(count, 501), reference.draw(count, 502)
            found = [measures.solve(t, dt, modality, level, Settings("vascular"), 7).tmax for t in (fit, check)]
            slope, shift = np.polyfit(found[0], reference.tmax_reference(fit), 1)
            truth = reference.tmax_reference(check)
            before = np.median(np.abs(found[1] - truth))
            after = np.median(np.abs(slope * found[1] + shift - truth))
            sens, spec = measures.six_second_rule(found[1], truth)
            cells = [
                f"{slope:.3f}",
                f"{shift:+.2f}",
                f"{before:.2f}",
                f"{after:.2f}",
                f"{100 * sens:.1f}/{100 * spec:.1f}",
            ]
            rows.append([named(modality, level), f"{dt:g}", *cells])
    head = ["noise", "dt (s)", "slope", "shift (s)", "median error (s)", "after the line", "6 s rule"]
    return table(head, rows)


def arteries(cases: int) -> str:
    rows = []
    for modality in ("MR", "CT"):
        found = [heads.judge_seed(seed, modality) for seed in range(cases)]
        height = np.array([f["height"] for f in found])
        wrong = [f for f in found if f["vein"] or f["late"]]
        low, middle, high = np.percentile(height, [2.5, 50, 97.5])
        rows.append([
            modality, str(cases), str(sum(f["vein"] for f in found)), str(sum(f["late"] for f in found)),
            f"{np.count_nonzero(np.abs(height) <= 0.15)} of {cases}",
f"{100 * middle:+.0f} % ({100 * low:+.0f} to {100 * high:+.0f}; "
            f"worst {100 * height[np.abs(height).argmax()]:+.0f})",
        ])  # fmt: skip
        print("arteries", modality, len(wrong), "wrong", flush=True)
    return table(["", "cases", "in a vein or sinus", "late branch", "peak within 15 %", "peak error"], rows)


def page(quick: bool) -> str:
    count, repeats, cases = (400, 40, 20) if quick else (8000, 300, 330)
    six, side = six_seconds(count)
    errors, spread = vascular(min(count, 4000), repeats)
    parts = {
        "flow": flow_bias(), "noisy": noisy_flow_bias(100 if quick else 1000), "ratio": ratio_bias(), "six": six,
        "side": side, "delays": delays(), "errors": errors, "spread": spread,
        "calibration": calibration(min(count, 2000)), "arteries": arteries(cases), "count": str(count),
    }  # fmt: skip
    text = (Path(__file__).with_name("perfusion_accuracy.template.md")).read_text(encoding="utf-8")
    for name, value in parts.items():
        text = text.replace("{{" + name + "}}", value.strip())
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few voxels, to see the page")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "reference" / "perfusion-accuracy.md")
    given = parser.parse_args()
    text = page(given.quick)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
