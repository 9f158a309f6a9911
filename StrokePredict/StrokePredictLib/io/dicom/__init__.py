"""DICOM: a folder or an export of mixed series, sorted into images with roles and times."""
