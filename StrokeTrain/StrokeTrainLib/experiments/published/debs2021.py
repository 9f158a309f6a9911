"""Debs et al. 2021: Tables 2, 3, 4 and C.6, and the responders of its discussion."""

from __future__ import annotations

from .source import Footnote, Paper, PublishedTable, Quote, Row

PAPER = Paper(
    "debs2021",
    "Debs N, Cho TH, Rousseau D, et al. Impact of the reperfusion status for predicting the final stroke infarct using "
    "deep learning. NeuroImage Clin. 2021;29:102548",
)
COLUMNS = ("DSC", "VS", "Precision", "Recall", "HD")
_MEAN = "mean ± SD"
REPERFUSED, NOT_REPERFUSED = "Reperfused patients", "Non-reperfused patients"
#: NETWORKS.md: what the tables repeat.
_REPEATED = Footnote(
    "Tables 3 and 4a print here the numbers of Table 2c's General row, of non-reperfused patients. Table 2a gives the "
    "reperfused CNN in reperfused patients DSC 0.44 ± 0.25, VS 0.70 ± 0.27, precision 0.50 ± 0.27, recall 0.50 ± 0.26, "
    "HD 38.58 ± 18.1.",
    ("General 0.44 ± 0.21 0.66 ± 0.26 0.39 ± 0.25 0.63 ± 0.21 30.61 ± 16.1",
     "Reperfused 0.44 ± 0.25 0.70 ± 0.27 0.50 ± 0.27 0.50 ± 0.26 38.58 ± 18.1"),
)  # fmt: skip
_MATCHING = Footnote(
    "Debs' matching model beats the opposite one significantly in reperfused patients only, and never the general "
    "model in Dice.",
    ("Reperfused vs Non- Reperfused 0.13 0.034", "General vs Reperfused 0.43", "General vs Non- Reperfused 0.17"),
)

TABLE2 = PublishedTable(
    paper=PAPER,
    place="Table 2",
    title="The general, reperfused and non-reperfused models among reperfused (a) and non-reperfused (c) patients, "
    "with two-sided Wilcoxon signed-rank tests (b, d)",
    columns=COLUMNS,
    statistic=_MEAN,
    rows=(
        Row("reperfused-general", REPERFUSED, "General",
            ("0.43 ± 0.24", "0.69 ± 0.27", "0.55 ± 0.28", "0.43 ± 0.25", "33.23 ± 15.6")),
        Row("reperfused-reperfused", REPERFUSED, "Reperfused",
            ("0.44 ± 0.25", "0.70 ± 0.27", "0.50 ± 0.27", "0.50 ± 0.26", "38.58 ± 18.1"), ("repeated",)),
        Row("reperfused-not-reperfused", REPERFUSED, "Non-reperfused",
            ("0.35 ± 0.21", "0.57 ± 0.28", "0.60 ± 0.25", "0.31 ± 0.24", "40.05 ± 15.6"),
            anchor="Non- reperfused"),
        Row("reperfused-p-general-reperfused", REPERFUSED, "P: General vs Reperfused",
            ("0.43", "0.53", "3.7e-6 (***)", "1.4e-6 (***)", "0.048 (*)"), ("uncorrected", "matching"),
            anchor="General vs Reperfused"),
        Row("reperfused-p-general-not-reperfused", REPERFUSED, "P: General vs Non-reperfused",
            ("1.4e-8 (***)", "4.3e-6 (***)", "0.0069 (**)", "1.0e-10 (***)", "0.0041 (**)"), ("uncorrected",),
            anchor="General vs Non- Reperfused"),
        Row("reperfused-p-reperfused-not-reperfused", REPERFUSED, "P: Reperfused vs Non-reperfused",
            ("2.3e-8 (***)", "1.6e-5 (***)", "2.9e-7 (***)", "2.7e-11 (***)", "0.65"), ("uncorrected", "matching"),
            anchor="Reperfused vs Non- Reperfused"),
        Row("not-reperfused-general", NOT_REPERFUSED, "General",
            ("0.44 ± 0.21", "0.66 ± 0.26", "0.39 ± 0.25", "0.63 ± 0.21", "30.61 ± 16.1"), ("repeated",)),
        Row("not-reperfused-reperfused", NOT_REPERFUSED, "Reperfused",
            ("0.44 ± 0.22", "0.63 ± 0.25", "0.36 ± 0.23", "0.69 ± 0.22", "44.53 ± 16.7")),
        Row("not-reperfused-not-reperfused", NOT_REPERFUSED, "Non-reperfused",
            ("0.47 ± 0.17", "0.74 ± 0.13", "0.49 ± 0.22", "0. 52 ± 0.21", "37.70 ± 17.7"), anchor="Non- reperfused"),
        Row("not-reperfused-p-general-reperfused", NOT_REPERFUSED, "P: General vs Reperfused",
            ("0.93", "0.55", "0.13", "0.021 (*)", "0.0023 (**)"), ("uncorrected",), anchor="General vs Reperfused"),
        Row("not-reperfused-p-general-not-reperfused", NOT_REPERFUSED, "P: General vs Non-reperfused",
            ("0.17", "0.21", "0.0016 (**)", "0.00084 (***)", "0.11"), ("uncorrected", "matching"),
            anchor="General vs Non- Reperfused"),
        Row("not-reperfused-p-reperfused-not-reperfused", NOT_REPERFUSED, "P: Reperfused vs Non-reperfused",
            ("0.13", "0.034 (*)", "0.00067 (***)", "5.3e-5 (***)", "0.12"), ("uncorrected", "matching"),
            anchor="Reperfused vs Non- Reperfused"),
    ),
    footnotes={
        "repeated": _REPEATED,
        "matching": _MATCHING,
        "uncorrected": Footnote(
            "Not corrected for multiple comparisons.", ("Note that tests were not corrected for multiple comparisons",)
        ),
    },
    quotes={},
)  # fmt: skip

TABLE3 = PublishedTable(
    paper=PAPER,
    place="Table 3",
    title="CNN-based and perfusion-diffusion mismatch models",
    columns=COLUMNS,
    statistic=_MEAN,
    rows=(
        Row("reperfused-cnn", REPERFUSED, "CNN", (
            "0.44 ± 0.21 (*)", "0.66 ± 0.26 (***)", "0.39 ± 0.25", "0.63 ± 0.21 (***)", "30.61 ± 16.1"), ("repeated",)),
        Row("reperfused-mismatch", REPERFUSED, "Perfusion-diffusion mismatch", (
            "0.41 ± 0.23", "0.56 ± 0.27", "0.71 ± 0.31 (***)", "0.33 ± 0.20", "19.34 ± 10.3 (***)"),
            anchor="Perfusion- diffusion mismatch"),
        Row("not-reperfused-cnn", NOT_REPERFUSED, "CNN", (
            "0.47 ± 0.17 (***)", "0.74 ± 0.13 (***)", "0.49 ± 0.22", "0.52 ± 0.21 (***)", "37.70 ± 17.7 (***)")),
        Row("not-reperfused-mismatch", NOT_REPERFUSED, "Perfusion-diffusion mismatch", (
            "0.26 ± 0.17", "0.31 ± 0.21", "0.84 ± 0.16 (***)", "0.17 ± 0.13", "69.15 ± 7.7"), ("swapped",),
            anchor="Perfusion- diffusion mismatch"),
    ),
    footnotes={
        "repeated": _REPEATED,
        "swapped": Footnote(
            "Precision 0.84 and recall 0.17 of the union of diffusion lesion and penumbra look swapped: a union of "
            "both is large, so that its recall should be the higher one.",
        ),
        "auc": Footnote(
            "The AUCs stand in the text (3.2); how that of a mask was made is said by reference to Jonsdottir 2009 "
            "alone. Ours are of the network's map and of the rule's mask."
        ),
    },
    quotes={
        "auc-reperfused": Quote("reperfused patients: 0.87 ± 0.13 vs 0.79 ± 0.17, P < 0.001", "3.2"),
        "auc-not-reperfused": Quote("non-reperfused patients: 0.81 ± 0.13 vs 0.73 ± 0.14, P < 0.01", "3.2"),
        "share": Quote(
            "higher DSC values were achieved with CNN-based models in 68% and 89% of the reperfused and non-reperfused "
            "pa tients", "3.2"),
    },
)  # fmt: skip

_ALL = "DWI + ADC + Tmax+CBF + CBV"
_DWI_ADC_TMAX = "DWI + ADC + Tmax"
TABLE4 = PublishedTable(
    paper=PAPER,
    place="Table 4",
    title="The reperfused model (a, among reperfused patients) and the non-reperfused model (b, among non-reperfused "
    "patients) with fewer inputs",
    columns=COLUMNS,
    statistic=_MEAN,
    rows=(
        Row("reperfused-all", REPERFUSED, _ALL,
            ("0.44 ± 0.21", "0.66 ± 0.26", "0.39 ± 0.25", "0.63 ± 0.21", "30.61 ± 16.1"), ("repeated",)),
        Row("reperfused-three", REPERFUSED, _DWI_ADC_TMAX,
            ("0.44 ± 0.25", "0.70 ± 0.26", "0.54 ± 0.28 (***)", "0.46 ± 0.27 (**)", "35.13 ± 15.6 (.)")),
        Row("reperfused-dwi", REPERFUSED, "DWI",
            ("0.42 ± 0.24 (*)", "0.70 ± 0.26", "0.51 ± 0.28", "0.44 ± 0.27 (***)", "31.28 ± 16.1 (**)")),
        Row("reperfused-adc", REPERFUSED, "ADC",
            ("0.40 ± 0.24 (***)", "0.67 ± 0.28 (.)", "0.47 ± 0.27 (.)", "0.43 ± 0.27 (***)", "34.35 ± 20.4 (*)")),
        Row("reperfused-tmax", REPERFUSED, "Tmax",
            ("0.32 ± 0.20 (***)", "0.63 ± 0.30 (*)", "0.44 ± 0.25 (*)", "0.35 ± 0.25 (***)", "29.99 ± 13.7 (**)")),
        Row("not-reperfused-all", NOT_REPERFUSED, _ALL,
            ("0.47 ± 0.17", "0.74 ± 0.13", "0.49 ± 0.22", "0.52 ± 0.21", "37.70 ± 17.7")),
        Row("not-reperfused-three", NOT_REPERFUSED, _DWI_ADC_TMAX,
            ("0.47 ± 0.18", "0.74 ± 0.16", "0.52 ± 0.22", "0.50 ± 0.22", "35.77 ± 20.2")),
        Row("not-reperfused-dwi", NOT_REPERFUSED, "DWI",
            ("0.45 ± 0.17", "0.71 ± 0.17", "0.50 ± 0.22", "0.50 ± 0.25", "33.20 ± 17.2")),
        Row("not-reperfused-adc", NOT_REPERFUSED, "ADC",
            ("0.42 ± 0.15 (.)", "0.73 ± 0.23", "0.47 ± 0.18", "0.46 ± 0.21 (.)", "28.35 ± 12.9 (**)")),
        Row("not-reperfused-tmax", NOT_REPERFUSED, "Tmax",
            ("0.40 ± 0.19 (*)", "0.65 ± 0.21", "0.50 ± 0.29", "0.46 ± 0.24 (**)", "26.86 ± 13.3 (.)")),
    ),
    footnotes={"repeated": _REPEATED},
    quotes={},
)  # fmt: skip

TABLE_C6 = PublishedTable(
    paper=PAPER,
    place="Table C.6",
    title="Early and late fusion by training set, on reperfused (a) and non-reperfused (b) testing patients",
    columns=COLUMNS,
    statistic=_MEAN,
    rows=(
        Row("reperfused-early-general", REPERFUSED, "early, all",
            ("0.39 ± 0.25", "0.59 ± 0.30", "0.56 ± 0.31", "0.40 ± 0.26", "29.51 ± 16.26"), anchor="early all"),
        Row("reperfused-early-reperfused", REPERFUSED, "early, reperfused",
            ("0.41 ± 0.25", "0.64 ± 0.30", "0.46 ± 0.29 (***)", "0.49 ± 0.30 (***)", "31.24 ± 15.61"),
            anchor="early reperfused"),
        Row("reperfused-early-not-reperfused", REPERFUSED, "early, non-reperfused",
            ("0.36 ± 0.22 (*)", "0.63 ± 0.27", "0.54 ± 0.26", "0.33 ± 0.24 (***)", "26.64 ± 11.16"),
            anchor="early non- reperfused"),
        Row("reperfused-late-general", REPERFUSED, "late, all",
            ("0.43 ± 0.24", "0.69 ± 0.27", "0.55 ± 0.28", "0.43 ± 0.25", "33.23 ± 15.64"), anchor="late all"),
        Row("reperfused-late-reperfused", REPERFUSED, "late, reperfused",
            ("0.44 ± 0.25", "0.70 ± 0.27", "0.50 ± 0.27", "0.50 ± 0.26 (***)", "38.58 ± 18.15"), ("marks",),
            anchor="late reperfused"),
        Row("reperfused-late-not-reperfused", REPERFUSED, "late, non-reperfused",
            ("0.35 ± 0.21 (***)", "0.57 ± 0.28 (***)", "0.60 ± 0.25 (***)", "0.31 ± 0.24 (***)", "40.05 ± 15.66 (**)"),
            ("marks",), anchor="late non- reperfused"),
        Row("not-reperfused-early-general", NOT_REPERFUSED, "early, all",
            ("0.42 ± 0.24", "0.62 ± 0.27", "0.42 ± 0.28", "0.55 ± 0.29", "30.98 ± 18.23"), anchor="early all"),
        Row("not-reperfused-early-reperfused", NOT_REPERFUSED, "early, reperfused",
            ("0.41 ± 0.26", "0.51 ± 0.31", "0.36 ± 0.29", "0.69 ± 0.24", "30.94 ± 16.30"), anchor="early reperfused"),
        Row("not-reperfused-early-not-reperfused", NOT_REPERFUSED, "early, non-reperfused",
            ("0.42 ± 0.18", "0.66 ± 0.17", "0.42 ± 0.24", "0.55 ± 0.22", "28.48 ± 13.63"),
            anchor="early non- reperfused"),
        Row("not-reperfused-late-general", NOT_REPERFUSED, "late, all",
            ("0.44 ± 0.21", "0.66 ± 0.26", "0.39 ± 0.25", "0.63 ± 0.21", "30.61 ± 16.15"), anchor="late all"),
        Row("not-reperfused-late-reperfused", NOT_REPERFUSED, "late, reperfused",
            ("0.44 ± 0.22", "0.63 ± 0.25", "0.36 ± 0.23", "0.69 ± 0.22 (*)", "44.53 ± 16.79 (**)"),
            anchor="late reperfused"),
        Row("not-reperfused-late-not-reperfused", NOT_REPERFUSED, "late, non-reperfused",
            ("0.47 ± 0.17", "0.74 ± 0.13", "0.49 ± 0.22 (**)", "0. 52 ± 0.21 (***)", "37.70 ± 17.74"),
            anchor="late non- reperfused"),
    ),
    footnotes={
        "marks": Footnote(
            "Table 2b marks other differences from the general model: precision of the reperfused one (3.7e-6), and "
            "that of the non-reperfused one with (**) only.",
            ("3.7e-6 (***)", "0.0069 (**)"),
        ),
    },
    quotes={
        "early": Quote("Early fusion had overall worse", "4.3"),
    },
)  # fmt: skip

RESPONDERS = PublishedTable(
    paper=PAPER,
    place="sections 3.1 and 4.1 (text)",
    title="Predicted volumes with both models, and responders",
    columns=("Reperfused model (mL)", "Non-reperfused model (mL)", "P", "Responders"),
    statistic="median (IQR); patients (share)",
    rows=(Row("all", "All tested patients", "All tested patients",
              ("17.5 mL (28–5.1)", "39.7 mL (61.3–20)", "4.5e − 16", "53 (∼50%)"), ("denominator",)),),
    footnotes={
        "denominator": Footnote(
            "53 are said to be about 50 % of the patients: of 109, who include 17 I-KNOW patients never tested, 49 %; "
            "of the 92 tested, 58 %.", ("in 53 (∼50%) patients", "In total, 109 patients were analyzed"),
        ),
    },
    quotes={
        "volumes": Quote(
            "(39.7 mL (61.3–20) vs 17.5 mL (28–5.1), p = 4.5e − 16 for the non-reperfused and reperfused models",
            "3.1"),
        "rule": Quote("DSC between the two CNNs < 0.5 and non-reperfused CNN lesion volume ⩾20% larger", "4.1"),
    },
)  # fmt: skip
TABLES = (TABLE2, TABLE3, TABLE4, TABLE_C6, RESPONDERS)
#: Tables whose rows are made from the running text: the quotes are looked for, not the rows.
FROM_TEXT = (RESPONDERS,)
