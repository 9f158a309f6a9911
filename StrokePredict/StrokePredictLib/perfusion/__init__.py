"""Raw perfusion series to CBF, CBV, MTT, Tmax and TTP."""
