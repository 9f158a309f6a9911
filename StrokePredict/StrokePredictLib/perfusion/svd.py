"""Singular value deconvolution of tissue curves, by the Fourier transform that diagonalises the circulant system.

Wu et al., Magn Reson Med 50 (2003) 164: the arterial curve, padded with zeros to twice its length, makes a
block-circulant matrix ``A[i, j] = dt · aif[(i − j) mod 2N]``. Its singular values are the moduli of the discrete
Fourier transform of the padded curve, its singular vectors the Fourier modes. So no decomposition is computed:
truncation and Tikhonov damping are weights on frequencies, and one small real matrix takes a curve to its residue.
"""

from __future__ import annotations

import numpy as np

#: Relative cut of the reference: singular values below this share of the largest are dropped (`tmax_ref`).
REFERENCE_CUT = 0.10
#: Relative cut that maps are made with: the least at which the 6 s rule keeps 90 % sensitivity and specificity in noise
#: at every interval; it raises Tmax by 0.2 to 0.3 s (docs/reference/perfusion-accuracy.md).
DEFAULT_CUT = 0.12


def transfer(aif: np.ndarray, dt: float) -> np.ndarray:
    """Return the eigenvalues of the block-circulant matrix.

    Parameters
    ----------
    aif : numpy.ndarray
        ``(N,)`` arterial concentration, evenly sampled.
    dt : float
        Sampling interval in s.

    Returns
    -------
    numpy.ndarray
        ``(N + 1,)`` complex: the half spectrum of the curve padded to 2N; the other half is its conjugate.
    """
    return np.fft.rfft(np.asarray(aif, dtype=np.float64), 2 * len(aif)) * dt


def truncated_weights(eigenvalues: np.ndarray, cut: float) -> np.ndarray:
    """Return 1/λ where |λ| ≥ ``cut`` · max|λ|, else 0: the truncated pseudo-inverse."""
    size = np.abs(eigenvalues)
    keep = size >= cut * size.max()
    return np.where(keep, 1.0 / np.where(keep, eigenvalues, 1.0), 0.0)


def tikhonov_weights(eigenvalues: np.ndarray, damping: float) -> np.ndarray:
    """Return λ*/(|λ|² + μ²) with μ = ``damping`` · max|λ|: zero-order Tikhonov regularisation."""
    size = np.abs(eigenvalues)
    return eigenvalues.conj() / (size**2 + (damping * size.max()) ** 2)


def residue_operator(weights: np.ndarray, n: int, upsample: int = 1) -> np.ndarray:
    """Return the real matrix that takes a tissue curve to its residue function.

    Parameters
    ----------
    weights : numpy.ndarray
        ``(N + 1,)`` inverse eigenvalues.
    n : int
        Number of samples N of a tissue curve.
    upsample : int
        Points per sampling interval of the residue (trigonometric interpolation).

    Returns
    -------
    numpy.ndarray
        ``(2N · upsample, N)`` float32.
    """
    spectrum = np.fft.rfft(np.eye(n), 2 * n, axis=1) * weights
    if upsample > 1:
        spectrum[:, -1] *= 0.5  # the Nyquist term stands for both signs once it is no longer the last
    return np.ascontiguousarray(np.fft.irfft(spectrum, 2 * n * upsample, axis=1).T * upsample, dtype=np.float32)
