"""Which bundles this version of the software comes with; written by `StrokePredictLib.models.shipped`."""

#: Bundle name → SHA-256 of its ``SHA256SUMS``.
SHIPPED_SHA256: dict[str, str] = {
    "core-dwi": "587b579bdfff1e865efce31477fd60f4bb7416f5f6bdacf82354c830642943b5",
    "core-volume-ctp": "3d89ffc3b048f819b1f56de53958113ea773ce5e5e5714bcbcf541ebdc6059c0",
    "fate": "c0cc7d5a0781b754cb22e87a022d9bf9fe1bea41985c664ec180dad2f1f039c1",
    "infarct-attention": "c4b49e349ae225602aa8468023c090b915c0c65bcf6dac29e7250bb345d10fe4",
    "infarct-general": "54239573abc4a3011ccd776192cd94811dc893ba51323ec334c8b55c373aa33f",
    "infarct-nonreperfused": "960ba7d8d18bbaafc0057d1c9537ea5f5b968bca96c1f6e0f73310128f904a07",
    "infarct-reperfused": "9c1e950fda6aba0eeec2e76d94d88a92cad89b4ccbe23142124e68caa9a259f7",
}
