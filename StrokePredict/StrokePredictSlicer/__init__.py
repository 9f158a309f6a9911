"""MRML and Qt adapters: the only place that knows Slicer, and MRML's RAS."""
