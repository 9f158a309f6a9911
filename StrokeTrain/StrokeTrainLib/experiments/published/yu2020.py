"""Yu et al. 2020: Table 2."""

from __future__ import annotations

from .source import Footnote, Paper, PublishedTable, Quote, Row

PAPER = Paper(
    "yu2020",
    "Yu Y, Xie Y, Thamm T, et al. Use of deep learning to predict final ischemic stroke lesions from initial magnetic "
    "resonance imaging. JAMA Netw Open. 2020;3(3):e200772. doi:10.1001/jamanetworkopen.2020.0772",
)
#: As printed in the table, with the blanks of its typesetting.
_PRINTED = "× 10 ⁻⁶ mm ² /s"

TABLE2 = PublishedTable(
    paper=PAPER,
    place="Table 2",
    title="Model performance and comparison between model and Tmax and ADC methods",
    columns=("AUC", "DSC", "PPV", "Sensitivity", "Specificity", "Volume error (mL)", "Absolute volume error (mL)"),
    statistic="median (IQR)",
    rows=(
        Row("minimal-model", "Minimal", "Minimal (n = 32)", (
            "0.90 (0.85 to 0.94)", "0.58 (0.31 to 0.67)", "0.71 (0.39 to 0.85)", "0.54 (0.36 to 0.80)",
            "0.97 (0.95 to 0.99)", "-3 (-84 to 18)", "39 (13 to 107)")),
        Row("minimal-rule", "Minimal", "Tmax >6 s plus ADC <620 × 10⁻⁶ mm²/s", (
            "0.80 (0.74 to 0.85)", "0.55 (0.40 to 0.65)", "0.46 (0.33 to 0.81)", "0.57 (0.47 to 0.74)",
            "0.94 (0.90 to 0.96)", "9 (-72 to 55)", "59 (23 to 100)"), ("auc",),
            anchor=f"Tmax >6 s plus ADC <620 {_PRINTED}"),
        Row("minimal-p", "Minimal", "P value", ("<.001", ".37", ".002", ".43", ".002", ".04", ".61"), ("bonferroni",)),
        Row("major-model", "Major", "Major (n = 67)", (
            "0.93 (0.89 to 0.96)", "0.48 (0.29 to 0.65)", "0.41 (0.21 to 0.64)", "0.74 (0.50 to 0.80)",
            "0.97 (0.95 to 0.99)", "16 (-3 to 29)", "19 (10 to 33)"), ("sizes",)),
        Row("major-rule", "Major", "ADC <620 × 10⁻⁶ mm²/s", (
            "0.71 (0.59 to 0.78)", "0.45 (0.15 to 0.54)", "0.44 (0.13 to 0.72)", "0.42 (0.19 to 0.59)",
            "0.99 (0.98 to 1)", "-8 (-34 to 6)", "12 (7 to 34)"), ("auc",), anchor=f"ADC <620 {_PRINTED}"),
        Row("major-p", "Major", "P value", ("<.001", ".002", ".02", "<.001", "<.001", "<.001", ".26"),
            ("bonferroni", "dice")),
        Row("partial-model", "Partial", "Partial (n = 41)", (
            "0.90 (0.86 to 0.96)", "0.53 (0.36 to 0.68)", "0.59 (0.38 to 0.82)", "0.61 (0.42 to 0.81)",
            "0.96 (0.92 to 0.98)", "9 (-31 to 37)", "36 (15 to 66)")),
        Row("unknown-model", "Unknown", "Unknown (n = 42)", (
            "0.92 (0.86 to 0.96)", "0.52 (0.31 to 0.67)", "0.54 (0.33 to 0.76)", "0.60 (0.39 to 0.86)",
            "0.96 (0.94 to 0.99)", "6 (-11 to 32)", "26 (10 to 38)")),
    ),
    footnotes={
        "auc": Footnote(
            "How the AUC of a threshold was measured stands in the supplement, which is not at hand. The medians "
            "printed are near (sensitivity + specificity)/2, the AUC of a mask; ours are of the mask, and the AUC of "
            "the continuous map behind it is compared apart.",
        ),
        "bonferroni": Footnote(
            "The paper calls P < .003 significant (Bonferroni).", ("the significance level was adjusted to $P < .003$",)
        ),
        "dice": Footnote(
            "Yu's Dice is significantly better in major reperfusion only; in minimal reperfusion P = .37.",
            ("major (DSC, 0.48 [IQR, 0.29-0.65] vs 0.45 [IQR, 0.15-0.54]; $P = .002$)",),
        ),
        "sizes": Footnote(
            "67 patients had major reperfusion; by size of the lesion the text counts 57 and 9.",
            ("In 57 patients with ground truth lesions of less than 100 mL", "in 9 patients with lesions of greater"),
        ),
    },
    quotes={
        "all": Quote(
            "a median area under the curve of 0.92 (IQR, 0.87-0.96). Using a threshold of 0.50, the model had a median "
            "DSC overlap of 0.53 (IQR, 0.31-0.68), sensitivity of 0.66 (IQR, 0.38-0.86), specificity of 0.97 (IQR, "
            "0.94-0.99), PPV of 0.53 (IQR, 0.28-0.74), volume error of 9 (IQR, -14 to 29) mL, and absolute volume "
            "error of 24 (IQR, 11-50) mL", "Results, all patients"),
        "concordance": Quote("($p = 0.74$; 95% CI, 0.66-0.80)", "Results, all patients"),
    },
)  # fmt: skip
#: The row of all 182 patients, which the paper gives in its text.
ALL = ("0.92 (0.87-0.96)", "0.53 (0.31-0.68)", "0.53 (0.28-0.74)", "0.66 (0.38-0.86)", "0.97 (0.94-0.99)",
       "9 (-14 to 29)", "24 (11-50)")  # fmt: skip
TABLES = (TABLE2,)
