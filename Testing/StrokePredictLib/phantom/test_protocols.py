"""Two vendors: what differs, and what is the same patient all the same."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.phantom import protocols
from StrokePredictLib.phantom.anatomy import build_anatomy, draw_pose
from StrokePredictLib.phantom.artefacts import Artefacts
from StrokePredictLib.phantom.blood import Late
from StrokePredictLib.phantom.bolus import draw_bolus
from StrokePredictLib.phantom.grid import Grid
from StrokePredictLib.phantom.mr import Imager
from StrokePredictLib.phantom.vessels import Vessels

LOUD = {"dwi_snr": 1e6, "pwi_snr": 1e6, "flair_snr": 1e6, "zero_filled": 1.0}


@pytest.fixture(scope="module")
def head():
    grid = Grid(shape=(24, 64, 64), spacing=(3.6, 3.6, 6.0))
    found = build_anatomy(2, grid, draw_pose(2, female=True), 60.0)
    return replace(found, wm_lesion=0 * found.white, old_infarct=0 * found.white)


def imager(head, vendor="A", **changes):
    none = np.zeros(len(head.inside), dtype=np.float32)
    scanner = replace(protocols.scanner("MR", vendor), **(LOUD | changes))
    return Imager(2, head, Vessels(none, none, none, none), scanner, Artefacts(shading=0.0))


def fate_of(head, dead=None):
    return SimpleNamespace(depth=np.full(len(head.inside), 5.0) if dead is None else np.where(dead, 0.2, 5.0))


def inner(head, image):
    return image.ravel()[head.inside]


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_vendors_differ(modality):
    a, b = (protocols.scanner(modality, v) for v in "AB")
    same = {name for name in vars(a) if getattr(a, name) == getattr(b, name)}
    assert {"vendor", "interval", "frames"}.isdisjoint(same)
    if modality == "MR":
        assert {"b_value", "dwi_echo", "pwi_echo", "dwi_snr", "grey_level", "largest", "adc_mask"}.isdisjoint(same)
    one, two = (protocols.grid(modality, v, 1, 2.0) for v in "AB")
    assert one.shape != two.shape
    assert one.spacing != two.spacing
    assert one.pitch_deg == two.pitch_deg


def test_ct_follows_its_protocol():
    for vendor in "AB":
        scanner, grid = protocols.scanner("CT", vendor), protocols.grid("CT", vendor, 0, 0.0)
        assert 1.0 <= scanner.interval <= 2.0
        assert 3.0 <= scanner.noise_hu <= 5.0
        assert grid.shape[0] * grid.spacing[2] == scanner.coverage_mm
        assert 80 <= scanner.coverage_mm <= 160
    # mittermeier2022: every 1.5 s for 48 s
    assert protocols.scanner("CT", "A").times[-1] == 48 - 1.5


@pytest.mark.parametrize("words", [("PET", "A"), ("MR", "C")])
def test_others_are_refused(words):
    with pytest.raises(StrokeError, match="choose"):
        protocols.scanner(*words)
    with pytest.raises(StrokeError, match="choose"):
        protocols.grid(*words, 0, 0.0)


@pytest.mark.parametrize(
    ("vendor", "grey", "white"), [("A", (0.82, 0.095), (0.70, 0.072)), ("B", (0.82, 0.100), (0.70, 0.079))]
)
def test_diffusion_is_the_signal_equation(head, vendor, grey, white):
    """S = ρ·exp(−TE/T2)·exp(−b·ADC), grey matter at b = 0 on the vendor's level."""
    scanner = protocols.scanner("MR", vendor)
    one = imager(head, vendor, largest=1e9)
    b0, dwi, adc = (inner(head, image) for image in one.diffusion(fate_of(head), 3.0))
    te, b = scanner.dwi_echo, scanner.b_value * 1e-6
    level = scanner.grey_level / (grey[0] * np.exp(-te / grey[1]))
    csf = (1.0, 1.2 if vendor == "A" else 1.5)
    kinds = ((head.grey, *grey, 820), (head.white, *white, 740), (head.csf, *csf, 3000))
    expected = level * sum(f * rho * np.exp(-te / t2) for f, rho, t2, _ in kinds)
    alone = head.skull_mm.ravel()[head.inside] < -2
    assert np.abs(b0 - expected)[alone].max() < 0.6  # whole numbers
    for fraction, rho, t2, d in kinds:
        pure = (fraction > 0.995) & alone
        assert np.median(dwi[pure]) == pytest.approx(level * rho * np.exp(-te / t2 - b * d), rel=0.05, abs=0.6)
        # ln of whole numbers: coarse where little signal is left
        assert np.median(adc[pure]) == pytest.approx(d, rel=0.05)


def test_vendor_b_masks_its_map_and_cuts_what_is_bright(head):
    scanner = protocols.scanner("MR", "B")
    b0, _, adc = imager(head, "B").diffusion(fate_of(head), 3.0)
    assert b0.max() <= scanner.largest
    assert adc[b0 <= scanner.adc_mask * scanner.grey_level].max() == 0
    assert adc.max() <= scanner.adc_largest
    wide = imager(head, "A").diffusion(fate_of(head), 3.0)[2]
    assert np.count_nonzero(wide) > np.count_nonzero(adc)


def test_chronic_lesions_shine_through(head):
    sick = replace(head, wm_lesion=head.white * (head.mni[:, 0] > 0), old_infarct=head.grey * (head.mni[:, 0] < 0))
    healthy, ill = (imager(h).diffusion(fate_of(h), 3.0) for h in (head, sick))
    white = (head.white > 0.97) & (head.mni[:, 0] > 5)
    grey = (head.grey > 0.97) & (head.mni[:, 0] < -5)
    b0, dwi = (
        np.median(inner(head, i)[white]) / np.median(inner(head, h)[white])
        for i, h in zip(ill[:2], healthy[:2], strict=True)
    )
    assert b0 > 1.5
    assert 1.1 < dwi < b0  # T2 shines through although water moves more freely
    assert np.median(inner(head, ill[2])[white]) == pytest.approx(1050, rel=0.03)
    assert np.median(inner(head, ill[2])[grey]) == pytest.approx(2000, rel=0.03)
    flair = [inner(head, imager(h).flair(np.zeros(len(h.inside), bool))) for h in (head, sick)]
    assert np.median(flair[1][white]) > 1.3 * np.median(flair[0][white])


def test_early_flair_is_blank_at_first_and_bright_from_about_5_hours(head):
    dead = np.linalg.norm(head.mni - [35, -10, 20], axis=1) < 22
    solid = dead & (head.csf < 0.02)
    one = imager(head, "B")
    assert one.scanner.baseline_flair
    gain = [inner(head, one.early_flair(fate_of(head, dead), h))[solid].mean() for h in (0.0, 1.0, 5.0)]
    assert gain[1] / gain[0] < 1.10
    assert 1.2 < gain[2] / gain[0] < 1.6


def test_tissue_and_blood_have_their_own_relaxivity(head):
    """Tissue alone loses exp(−TE·k·C) with tissue's k, sinuses with blood's: what a calibration has to undo."""
    n = len(head.inside)
    flow = SimpleNamespace(cbf=np.full(n, 60, np.float32), mtt=np.full(n, 4, np.float32), delay=np.zeros(n, np.float32))
    for vendor in "AB":
        scanner = protocols.scanner("MR", vendor)
        bolus = draw_bolus(2, scanner)
        vein = (np.linalg.norm(head.mni - [0, -60, 40], axis=1) < 14).astype(np.float32)
        none = 0 * vein
        one = Imager(2, head, Vessels(vein, none, none, none), replace(scanner, **LOUD), Artefacts(shading=0.0))
        series = one.perfusion(flow, bolus, Late(3, 2, 3, 4)).reshape(scanner.frames, -1)[:, head.inside]
        grey = series[:, (vein == 0) & (head.grey > 0.995)].mean(axis=1)
        loss = -np.log(grey / grey[0])
        blood = -np.log(series[:, vein == 1].mean(axis=1) / series[0, vein == 1].mean())
        assert 0.20 < 1 - np.exp(-loss.max()) < 0.35
        assert blood.max() == pytest.approx(
            scanner.pwi_echo * scanner.blood_relaxivity * bolus(scanner.times).max(), rel=0.03
        )
        # CBV by areas, ρ/kH put in again: CBF·MTT/60 = 4 mL/100 g, times the stated overestimate.
        volume = 100 * 0.73 / 1.05 * loss.sum() / blood.sum()
        assert volume == pytest.approx(4.0 * scanner.overestimate, rel=0.05)


def test_another_scan_of_the_same_patient_has_noise_and_bolus_of_its_own(head):
    scanner = protocols.scanner("MR", "A")
    first, late = draw_bolus(2, scanner), draw_bolus(2, scanner, scan="late series")
    assert first != late
    assert draw_bolus(2, scanner, late_s=6.0).arrival == first.arrival + 6.0
    n = len(head.inside)
    flow = SimpleNamespace(cbf=np.zeros(n, np.float32), mtt=np.full(n, 4, np.float32), delay=np.zeros(n, np.float32))
    short = imager(head, frames=3, pwi_snr=90.0)
    one, two = (short.perfusion(flow, first, Late(3, 2, 3, 4), scan=s) for s in ("series", "late series"))
    assert not np.array_equal(one, two)
    assert np.abs(one.mean() - two.mean()) < 0.5
