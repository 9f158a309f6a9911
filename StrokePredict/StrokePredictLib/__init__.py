"""Images in; perfusion maps, masks and numbers out. Nothing in this package imports Slicer, Qt or VTK."""

__version__ = "0.1.0"
