"""From MRML nodes to the library's volumes, on the same grid. Only here RAS becomes LPS."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk
from vtk.util import numpy_support

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.volume import Volume

from .core import slicer_package
from .scene_nodes import LPS_TO_RAS


def volume_of(node: Any) -> Volume:
    """Return a scalar volume node's image.

    Parameters
    ----------
    node : vtkMRMLScalarVolumeNode
        Its parent transform, if linear, is applied.

    Returns
    -------
    Volume
        3D; shares the node's memory: do not write to it.

    Raises
    ------
    StrokeError
        If the node holds no image, has several components, or is bent by a non-linear transform.
    """
    image = node.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None:
        raise StrokeError(f"{node.GetName()}: holds no image; load it again.")
    if image.GetNumberOfScalarComponents() != 1:
        raise StrokeError(f"{node.GetName()}: is a colour image; a scan with one value a voxel is needed.")
    array = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    return Volume(array, LPS_TO_RAS @ _to_world(node), name=node.GetName())


def _to_world(node: Any) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    own = _array(matrix)
    transform = node.GetParentTransformNode()
    if transform is None:
        return own
    if not transform.IsTransformToWorldLinear():
        raise StrokeError(f"{node.GetName()}: is under a non-linear transform; harden it first.")
    above = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformToWorld(above)
    return _array(above) @ own


def _array(matrix: Any) -> np.ndarray:
    return np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])


def series_of(node: Any) -> tuple[Volume, np.ndarray | None]:
    """Return a sequence node's 4D image and its times in s.

    Parameters
    ----------
    node : vtkMRMLSequenceNode
        Of scalar volumes.

    Returns
    -------
    volume : Volume
        ``(t, z, y, x)`` float32.
    times : numpy.ndarray or None
        s from the first frame; None where the index is not a time.

    Raises
    ------
    StrokeError
        If it is no sequence of images, or they differ in size.
    """
    count = node.GetNumberOfDataNodes()
    if count < 2 or not node.GetNthDataNode(0).IsA("vtkMRMLScalarVolumeNode"):
        raise StrokeError(f"{node.GetName()}: is no series of images; choose the 4D perfusion series.")
    frames = [volume_of(node.GetNthDataNode(index)) for index in range(count)]
    if len({frame.shape for frame in frames}) > 1:
        raise StrokeError(f"{node.GetName()}: its images differ in size; load the series again.")
    array = np.stack([np.asarray(frame.array, dtype=np.float32) for frame in frames])
    return Volume(array, frames[0].affine, name=node.GetName()), _times(node, count)


def _times(node: Any, count: int) -> np.ndarray | None:
    factor = {"s": 1.0, "ms": 1e-3}.get((node.GetIndexUnit() or "").strip().lower())
    if factor is None:
        return None
    try:
        values = np.array([float(node.GetNthIndexValue(index)) for index in range(count)])
    except ValueError:
        return None
    return (values - values[0]) * factor if np.all(np.diff(values) > 0) else None


def segment_array(segmentation: Any, identity: str, reference: Volume) -> np.ndarray:
    """Return a segment as bool on a reference grid.

    Parameters
    ----------
    segmentation : vtkMRMLSegmentationNode
        Where it is.
    identity : str
        Segment id.
    reference : Volume
        The grid wanted; where the segment lies on another it is resampled, nearest neighbour.
    """
    slicer = slicer_package()
    image = slicer.vtkOrientedImageData()
    grid = slicer.vtkOrientedImageData()
    grid.SetDimensions(*reversed(reference.shape))
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy((LPS_TO_RAS @ reference.affine).ravel().tolist())
    grid.SetImageToWorldMatrix(matrix)
    if not segmentation.GetBinaryLabelmapRepresentation(identity, image):
        return np.zeros(reference.shape, dtype=bool)
    resampled = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(image, grid, resampled)
    scalars = resampled.GetPointData().GetScalars()
    if scalars is None:
        return np.zeros(reference.shape, dtype=bool)
    return numpy_support.vtk_to_numpy(scalars).reshape(reference.shape) > 0
