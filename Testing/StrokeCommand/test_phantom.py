"""`stroke phantom`: what may be left out of a simulated cohort."""


def test_without_the_perfusion_series_diffusion_and_outlines_are_there(stroke, tmp_path):
    done = stroke("phantom", "-o", tmp_path / "cohort", "--population", "dwi", "--no-perfusion")
    assert done.returncode == 0, done.stderr
    names = {path.name.split("ses-01_")[-1] for path in (tmp_path / "cohort").rglob("*_ses-01_*.nii.gz")}
    assert {"dwi.nii.gz", "adc.nii.gz", "core-msk.nii.gz"} <= names
    assert not any(name.startswith(("pwi", "ctp")) for name in names)
