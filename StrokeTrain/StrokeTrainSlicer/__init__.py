"""MRML and Qt adapters of StrokeTrain."""
