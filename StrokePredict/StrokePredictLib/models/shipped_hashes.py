"""Which bundles this version of the software comes with; written by `StrokePredictLib.models.shipped`."""

#: Bundle name → SHA-256 of its ``SHA256SUMS``.
SHIPPED_SHA256: dict[str, str] = {
    "demo-infarct": "6f24d9676c0b3215ddd1dbb4561fe258aa9d81b0c3e5a01710bafa73963a6ec3",
}
