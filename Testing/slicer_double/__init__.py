"""A double of Slicer's desktop: PySide6 as ``qt``, small ctk and qMRML widgets, over the real Slicer core.

``install()`` makes ``import qt``, ``import ctk``, ``slicer.app``, ``slicer.mrmlScene`` and Slicer's base classes
work without Slicer, so that the module files and their panels run, are clicked and photographed in a test. It
behaves as PythonQt does where the two differ and the panels could notice: Qt properties are attributes
(``button.text``, never ``button.text()``).
"""

from .install import Double, install

__all__ = ["Double", "install"]
