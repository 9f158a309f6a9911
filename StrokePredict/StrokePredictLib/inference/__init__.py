"""A network on a case: inputs as the card says, probabilities back on the case's own grid."""

from .devices import choose_device
from .predict import predict
from .prediction import Classification, Prediction
from .prepare import missing_roles, prepare
from .treatment import TreatmentEffect, treatment_effect

__all__ = [
    "Classification",
    "Prediction",
    "TreatmentEffect",
    "choose_device",
    "missing_roles",
    "predict",
    "prepare",
    "treatment_effect",
]
