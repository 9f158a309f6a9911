"""Mittermeier et al. 2022: Tables 1 and 2."""

from __future__ import annotations

from .source import Footnote, Paper, PublishedTable, Quote, Row

PAPER = Paper(
    "mittermeier2022",
    "Mittermeier A, Reidler P, Fabritius MP, et al. End-to-end deep learning approach for perfusion data: a "
    "proof-of-concept study to classify core volume in stroke CT. Diagnostics. 2022;12(5):1142. "
    "doi:10.3390/diagnostics12051142",
)
_FOLDS = Footnote(
    "An AUC of a fold of some 22 patients has a wide interval of its own, and the folds' SD says nothing of it.",
    ("217 patients were included in the training cohort and 23 patients in the independent test cohort",),
)

TABLE1 = PublishedTable(
    paper=PAPER,
    place="Table 1",
    title="ROC-AUC of the final model for validation and test folds, and for the external cohort",
    columns=("Validation Folds", "Test Folds", "Independent Test Cohort"),
    statistic="mean (SD) over folds; of the ensemble for the external cohort",
    rows=(Row("both", "Full model", "Full model", ("0.75 (0.11)", "0.72 (0.10)", "0.61"), ("folds",), anchor=""),),
    footnotes={"folds": _FOLDS},
    quotes={"median": Quote("Median core volume for the training cohort was 32.4 mL", "3")},
)
TABLE2 = PublishedTable(
    paper=PAPER,
    place="Table 2",
    title="ROC-AUC for the test folds of the full model and of the reduced models",
    columns=("Full Model", "Global Feature Extractor Alone", "Local Feature Extractor Alone"),
    statistic="mean (SD) over folds",
    rows=(Row("test", "Test folds", "Test folds", ("0.72 (0.10)", "0.63 (0.14)", "0.65 (0.13)"), ("untested",),
              anchor=""),),
    footnotes={"untested": Footnote("The paper tests no difference between the three.")},
    quotes={
        "ablation": Quote(
            "Using the global feature extractor alone resulted in a ROC-AUC of 0.63 (0.14) and using the local feature "
            "extractor alone resulted in a ROC-AUC of 0.65 (0.13), compared to the full model with ROC-AUC 0.72 (0.10)",
            "3"),
    },
)  # fmt: skip
TABLES = (TABLE1, TABLE2)
