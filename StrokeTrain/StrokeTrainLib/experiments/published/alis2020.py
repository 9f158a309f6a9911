"""Alis et al. 2020: the Dice scores of its results, which no table holds."""

from __future__ import annotations

from .source import Footnote, Paper, PublishedTable, Quote, Row

PAPER = Paper(
    "alis2020",
    "Alis D, Yergin M, Alis C, et al. Inter-vendor performance of deep learning in segmenting acute ischemic lesions "
    "on diffusion-weighted imaging: a multicenter study. Preprint, 2020. doi:10.21203/rs.3.rs-132659/v1",
)

RESULTS = PublishedTable(
    paper=PAPER,
    place="Results (text)",
    title="Median Dice of models and radiologist on the test parts of both vendors",
    columns=("Dice", "Radiologist's Dice", "P (model vs radiologist)"),
    statistic="median (IQR)",
    rows=(
        Row("A-A", "Internal", "A → A", ("0.858 (0.752–0.909)", "0.868 (0.762–0.895)", "0.273"),
            ("internal", "mann-whitney")),
        Row("B-B", "Internal", "B → B", ("0.857 (0.723–0.921)", "0.867 (0.733–0.899)", "0.668"), ("mann-whitney",)),
        Row("A-B", "External", "A → B", ("0.734 (0.56–0.843)", "0.867 (0.733–0.899)", "< 0.0001"), ("mann-whitney",)),
        Row("B-A", "External", "B → A", ("0.756 (0.613–0.851)", "0.868 (0.762–0.895)", "< 0.0001"),
            ("mann-whitney",)),
        Row("A-B-tuned", "Fine-tuned", "A, fine-tuned → B", ("0.832 (0.671–0.916)", "0.867 (0.733–0.899)", "0.127"),
            ("tuned", "mann-whitney")),
        Row("B-A-tuned", "Fine-tuned", "B, fine-tuned → A", ("0.846 (0.730–0.902)", "0.868 (0.762–0.895)", "0.468"),
            ("name", "mann-whitney")),
    ),
    footnotes={
        "internal": Footnote(
            "Given as 0.858 and as 0.866 (the latter also being the training part's median).",
            ("0.866 (IQR, 0.774–0.918), 0.835 (IQR, 0.702–0.899), and 0.858 (IQR, 0.752–0.909)",
             "(0.866 vs. 0.734, respectively, $P < 0.0001$)"),
        ),
        "tuned": Footnote(
            "Given as 0.832 and as 0.818.",
            ("a median Dice score of 0.832 (IQR, 0.671–0.916)", "(0.818 vs. 0.734, respectively, $P < 0.0001$)"),
        ),
        "name": Footnote(
            "Where the text compares this model with the radiologist (P = 0.468) it calls it fine-tuned model A.",
            ("fine-tuned model A demonstrated non-inferior performance compared with that of the neuroradiologist "
             "(0.846 vs. 0.868, respectively, $P = 0.468$)",),
        ),
        "mann-whitney": Footnote(
            "The paper compares model and radiologist, who drew on the same patients, by the Mann-Whitney test, and "
            "calls P > .05 non-inferior. Ours gives that test, the paired Wilcoxon test with its interval, and a test "
            "of non-inferiority with a margin stated beforehand.",
            ("Mann–Whitney U test was used to compare the Dice scores of the models and the radiologist",),
        ),
    },
    quotes={
        "A-A": Quote("0.858 (IQR, 0.752–0.909) in the training, validation, and internal test tests", "Results"),
        "B-B": Quote("0.857 (IQR, 0.723–0.921) in the training, validation, and internal test tests", "Results"),
        "A-B": Quote("a median Dice score of 0.734 (IQR, 0.56–0.843)", "Results"),
        "B-A": Quote("a median Dice score of 0.756 (IQR, 0.613–0.851)", "Results"),
        "A-B-tuned": Quote("a median Dice score of 0.832 (IQR, 0.671–0.916)", "Results"),
        "B-A-tuned": Quote("a median Dice score of 0.846 (IQR, 0.730–0.902)", "Results"),
        "radiologist": Quote(
            "a median Dice score of 0.868 (IQR, 0.762–0.895) and 0.867 (IQR, 0.733–0.899) on the test partitions of "
            "datasets A and B", "Results"),
        "A-A p": Quote("(0.868 vs. 0.858, respectively, $P = 0.273$)", "Results"),
        "B-B p": Quote("(0.867 vs. 0.857, respectively, $P = 0.668$)", "Results"),
        "A-B p": Quote("(IQR, 0.733–0.899) on the test partition of dataset B ($P < 0.0001$)", "Results"),
        "B-A p": Quote("(IQR, 0.762–0.895) on dataset A's test partition ($P < 0.0001$)", "Results"),
        "A-B-tuned p": Quote("(0.832 vs. 0.867, respectively, $P = 0.127$)", "Results"),
        "tuned against native, A": Quote("(0.818 vs. 0.734, respectively, $P < 0.0001$)", "Results"),
        "tuned against native, B": Quote("(0.846 vs. 0.756, respectively, $P < 0.0001$)", "Results"),
        "internal against external, A": Quote("(0.866 vs. 0.734, respectively, $P < 0.0001$)", "Results"),
        "internal against external, B": Quote("(0.857 vs. 0.756, respectively, $P < 0.0001$)", "Results"),
    },
)  # fmt: skip
TABLES = (RESULTS,)
FROM_TEXT = (RESULTS,)
