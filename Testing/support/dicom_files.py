"""Synthetic DICOM files as scanners write them: classic, enhanced multi-frame and Siemens mosaic."""

import struct
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CLASSIC = {"MR": "1.2.840.10008.5.1.4.1.1.4", "CT": "1.2.840.10008.5.1.4.1.1.2"}
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


class Place:
    """Where the sections of a series lie.

    Attributes
    ----------
    axes : numpy.ndarray
        ``(3, 3)`` rows: along columns, along rows, and the normal.
    spacing : tuple of float
        mm between columns, rows and sections.
    corner : numpy.ndarray
        LPS mm of the first voxel's centre.
    """

    def __init__(self, turn=None, spacing=(1.8, 1.8, 6.0), corner=(-110.0, -100.0, -60.0)):
        # To twelve digits: what DICOM's decimal strings hold, and orthonormal within them.
        self.axes = np.eye(3) if turn is None else np.asarray(turn).T
        self.spacing, self.corner = spacing, np.array(corner)
        self.frame_of_reference = generate_uid(entropy_srcs=[str(turn), str(corner)])

    def section(self, z):
        return self.corner + z * self.spacing[2] * self.axes[2]

    def world(self, z, y, x):
        return self.section(z) + x * self.spacing[0] * self.axes[0] + y * self.spacing[1] * self.axes[1]


def uid(*words):
    return generate_uid(entropy_srcs=[str(word) for word in words])


def new_dataset(place, shape, number, description, modality="MR", patient="P1", **more):
    """Return a dataset with all that does not change from file to file."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = CLASSIC[modality]
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Geheim^Müller", patient, "19500101"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid("study", patient), uid("series", patient, number)
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20240102"
    ds.StudyTime = ds.AcquisitionTime = ds.ContentTime = "101500"
    ds.Modality, ds.SeriesNumber, ds.SeriesDescription = modality, number, description
    ds.Manufacturer, ds.SpecificCharacterSet = "SIEMENS", "ISO_IR 192"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"] if modality == "MR" else ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.FrameOfReferenceUID = place.frame_of_reference
    ds.Rows, ds.Columns = shape
    ds.PixelSpacing = [place.spacing[1], place.spacing[0]]
    ds.ImageOrientationPatient = [f"{v:.12g}" for v in place.axes[:2].ravel()]
    ds.SliceThickness, ds.SpacingBetweenSlices = place.spacing[2], place.spacing[2]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.EchoTime, ds.RepetitionTime, ds.MagneticFieldStrength = 30.0, 1500.0, 3.0
    ds.MRAcquisitionType, ds.ScanningSequence, ds.EchoTrainLength = "2D", "EP", 1
    for name, value in more.items():
        setattr(ds, name, value)
    return ds


def save(ds, path, pixels):
    """Write a dataset with its pixels."""
    ds.PixelData = np.ascontiguousarray(pixels.astype("<i2")).tobytes()
    ds.SOPInstanceUID = uid(path.name, ds.SeriesInstanceUID)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def clock(seconds):
    """Return a DICOM time ``seconds`` after a quarter past ten."""
    whole = 10 * 3600 + 15 * 60 + seconds
    return f"{int(whole // 3600):02d}{int(whole % 3600 // 60):02d}{whole % 60:09.6f}"


def write_classic(folder, array, place, number=1, description="t2", frames=None, interval=1.5, start=0.0, **more):
    """Write a classic series, one file a section; ``array`` is ``(t, z, y, x)`` or ``(z, y, x)``.

    ``frames(ds, t, z)`` may change each file's dataset.
    """
    series = array[None] if array.ndim == 3 else array
    paths = []
    for t, volume in enumerate(series):
        for z, section in enumerate(volume):
            ds = new_dataset(place, section.shape, number, description, **more)
            instance = t * len(volume) + z + 1
            ds.InstanceNumber, ds.AcquisitionNumber = instance, t + 1
            ds.ImagePositionPatient = [f"{v:.10g}" for v in place.section(z)]
            ds.SliceLocation = float(place.section(z) @ place.axes[2])
            ds.AcquisitionTime = ds.ContentTime = clock(start + t * interval)
            if array.ndim == 4:
                ds.TemporalPositionIdentifier, ds.NumberOfTemporalPositions = t + 1, len(series)
            if frames:
                frames(ds, t, z)
            paths.append(save(ds, Path(folder) / f"{number:03d}" / f"IM{instance:05d}", section))
    return paths


def write_enhanced(folder, array, place, number=2, description="perf", interval=1.5, slope=1.0, **more):
    """Write one enhanced multi-frame file of ``(t, z, y, x)``."""
    ds = new_dataset(place, array.shape[-2:], number, description, **more)
    # Of other makers' enhanced files, made like this one, dcm2niix mixes time and section.
    ds.SOPClassUID, ds.Manufacturer, ds.InstanceNumber = ENHANCED_MR, "Philips Medical Systems", 1
    ds.AcquisitionDateTime = "20240102" + clock(0.0)
    count, sections = array.shape[:2]
    ds.NumberOfFrames = count * sections
    shared = Dataset()
    for name in ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"):
        shared.PixelMeasuresSequence = shared.get("PixelMeasuresSequence") or Sequence([Dataset()])
        setattr(shared.PixelMeasuresSequence[0], name, getattr(ds, name))
        delattr(ds, name)
    shared.PlaneOrientationSequence = Sequence([Dataset()])
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = ds.ImageOrientationPatient
    del ds.ImageOrientationPatient
    shared.PixelValueTransformationSequence = Sequence([Dataset()])
    transformation = shared.PixelValueTransformationSequence[0]
    transformation.RescaleIntercept, transformation.RescaleSlope, transformation.RescaleType = 0, slope, "US"
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for t in range(count):
        for z in range(sections):
            group = Dataset()
            group.FrameContentSequence = Sequence([Dataset()])
            content = group.FrameContentSequence[0]
            content.TemporalPositionIndex, content.InStackPositionNumber, content.StackID = t + 1, z + 1, "1"
            content.DimensionIndexValues = [t + 1, z + 1]
            content.FrameAcquisitionDateTime = "20240102" + clock(t * interval)
            group.PlanePositionSequence = Sequence([Dataset()])
            group.PlanePositionSequence[0].ImagePositionPatient = [f"{v:.10g}" for v in place.section(z)]
            groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    ds.DimensionOrganizationSequence = Sequence([Dataset()])
    organisation = uid("dimensions", number)
    ds.DimensionOrganizationSequence[0].DimensionOrganizationUID = organisation
    ds.DimensionIndexSequence = Sequence([Dataset(), Dataset()])
    for item, pointer in zip(ds.DimensionIndexSequence, (0x00209128, 0x00209057), strict=True):
        item.DimensionOrganizationUID, item.DimensionIndexPointer = organisation, pointer
        item.FunctionalGroupPointer = 0x00209111
    return save(ds, Path(folder) / f"{number:03d}" / "enhanced.dcm", array)


def write_mosaic(folder, array, place, number=3, description="ep2d", interval=1.5, b_values=None, **more):
    """Write Siemens mosaics of ``(t, z, y, x)``, one file a time point."""
    count, sections, rows, columns = array.shape
    across = int(np.ceil(np.sqrt(sections)))
    paths = []
    for t in range(count):
        ds = new_dataset(place, (across * rows, across * columns), number, description, **more)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
        ds.InstanceNumber = ds.AcquisitionNumber = t + 1
        ds.AcquisitionTime = ds.ContentTime = clock(t * interval)
        back = (columns * (across - 1) / 2) * place.spacing[0] * place.axes[0]
        back = back + (rows * (across - 1) / 2) * place.spacing[1] * place.axes[1]
        ds.ImagePositionPatient = [f"{v:.10g}" for v in place.section(0) - back]
        block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        tags = {
            "NumberOfImagesInMosaic": ("US", [f"{sections}"]),
            "SliceNormalVector": ("FD", [f"{v:.8f}" for v in place.axes[2]]),
            "ProtocolSliceNumber": ("IS", ["0"]),
        }
        if b_values is not None:
            tags["B_value"] = ("IS", [str(b_values[t])])
        block.add_new(0x10, "OB", csa_header(tags))
        picture = np.zeros((across * rows, across * columns), array.dtype)
        for z in range(sections):
            r, c = divmod(z, across)
            picture[r * rows : (r + 1) * rows, c * columns : (c + 1) * columns] = array[t, z]
        paths.append(save(ds, Path(folder) / f"{number:03d}" / f"IM{t + 1:05d}", picture))
    return paths


def csa_header(tags):
    """Return Siemens' private "SV10" header with some tags: ``{name: (vr, [text, …])}``."""
    parts = [b"SV10\4\3\2\1", struct.pack("<II", len(tags), 77)]
    for name, (vr, values) in tags.items():
        count = 6
        parts.append(struct.pack("<64si4sIII", name.encode(), len(values), vr.encode() + b"\0", 6, count, 77))
        for n in range(count):
            text = values[n].encode() + b"\0" if n < len(values) else b""
            parts.append(struct.pack("<IIII", len(text), len(text), 77, len(text)))
            parts.append(text + b"\0" * (-len(text) % 4))
    return b"".join(parts)
