"""Which patients of a cohort can serve a purpose, and why the others cannot."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from StrokePredictLib.case import ROLES
from StrokePredictLib.errors import StrokeError
from StrokePredictLib.progress import Progress, silent

from .exclusions import RULES
from .flow import Flow, count_groups
from .reperfusion import Reperfusion, assess, from_table, with_course
from .table import TARGETS, Cohort, Patient
from .votes import truth

#: By rule the class of each course: Debs' (mTICI, or half of the lesion at 3 h) or Yu's (rate ≥ 80 %, ≤ 20 % at 24 h).
COURSES = {
    "debs": {"reperfused": "yes", "not-reperfused": "no"},
    "yu": {"reperfused": "major", "not-reperfused": "minimal"},
}
#: Titles of the boxes before those of a paper.
_UNUSABLE, _IMAGES, _LABEL = "Unusable records", "Images missing", "No usable label"
_COURSE = "Other course or course unknown"


@dataclass(frozen=True)
class Selection:
    """Who is kept.

    Attributes
    ----------
    kept : tuple of Patient
        Sorted by identifier; their facts hold the course that was measured.
    excluded : tuple of (Patient, str)
        With the reason, one line that begins with the patient.
    flow : Flow
        Counts for the diagram.
    volumes : dict of str to float
        Lesion of those kept in mL; 0 of an empty label. Empty where no target was asked for, or not measured.
    reperfusion : dict of str to Reperfusion
        Of those kept.
    notes : tuple of str
        What a reader should know.
    """

    kept: tuple[Patient, ...]
    excluded: tuple[tuple[Patient, str], ...]
    flow: Flow
    volumes: dict[str, float] = field(default_factory=dict)
    reperfusion: dict[str, Reperfusion] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return who was kept and why not, as it goes into a file."""
        return {
            "kept": [patient.id for patient in self.kept],
            "excluded": [{"patient": patient.id, "reason": reason} for patient, reason in self.excluded],
            "flow": self.flow.record(),
            "lesion_ml": {name: round(ml, 3) for name, ml in self.volumes.items()},
            "reperfusion": {
                name: {"yu": found.yu, "debs": found.debs, "rate": found.rate}
                for name, found in self.reperfusion.items()
            },
            "notes": list(self.notes),
        }


def select(
    cohort: Cohort,
    needs: Collection[str],
    target: str | None,
    *,
    rules: str | None = None,
    course: str | None = None,
    course_rule: str = "debs",
    measure: bool = True,
    measure_course: bool | None = None,
    may_be_empty: bool = False,
    progress: Progress = silent,
) -> Selection:
    """Select patients; nobody is dropped without a word.

    Parameters
    ----------
    cohort : Cohort
        Indexed with headers.
    needs : collection of str
        Roles of images that must be there or can be computed (`Patient.has`).
    target : str or None
        Which label must be there; None: none.
    rules : {"yu", "debs"}, optional
        That paper's exclusion criteria besides; V0 is measured where Tmax maps are there.
    course : {"reperfused", "not-reperfused"}, optional
        Only patients of this course.
    course_rule : {"debs", "yu"}
        Whose definition of the course.
    measure : bool
        Read every label: an unreadable one excludes its patient here, and `Selection.volumes` are known.
    measure_course : bool, optional
        Measure reperfusion on Tmax maps of 3 h and 24 h where the table does not tell; if left out, where `rules` or a
        `course` is asked for. For networks that are told what happened.
    may_be_empty : bool
        Whether a selection of nobody is an answer.
    progress : Progress
        Told how far it is.

    Raises
    ------
    StrokeError
        If a word is not known, or nobody is left: with the counts in words.
    """
    _require_known(needs, target, rules, course, course_rule)
    if measure_course is None:
        measure_course = course is not None
    excluded: dict[str, tuple[Patient, str, str]] = {}
    volumes: dict[str, float] = {}
    known: dict[str, Reperfusion] = {}
    for number, patient in enumerate(cohort):
        progress(number / max(len(cohort), 1), patient.id)
        box = _LABEL if target else _IMAGES
        try:
            known[patient.id] = from_table(patient)
            reason = _basic(patient, needs, target)
            if reason is None and target and measure:
                volumes[patient.id] = truth(patient, target).ml
            box = _IMAGES
            if reason is None and (rules or measure_course):
                known[patient.id] = assess(patient, baseline=bool(rules))
        except StrokeError as error:
            reason = (box, " ".join(str(error).split()))
        reason = reason or _by_paper(patient, known[patient.id], rules)
        reason = reason or _by_course(known[patient.id], course, course_rule)
        if reason is not None:
            words = reason[1] if reason[1].startswith(patient.id) else f"{patient.id}: {reason[1]}"
            excluded[patient.id] = (patient, reason[0], words)
    kept = tuple(with_course(patient, known[patient.id]) for patient in cohort if patient.id not in excluded)
    selection = _selection(cohort, kept, excluded, known, volumes, rules, course, course_rule)
    if not kept and not may_be_empty:
        raise StrokeError(f"{cohort.root}: none of {len(cohort)} patients can be used. {_first_words(selection)}")
    return selection


def _require_known(
    needs: Collection[str], target: str | None, rules: str | None, course: str | None, course_rule: str
) -> None:
    for role in needs:
        if role not in ROLES:
            raise StrokeError(f"unknown image role '{role}'; known: {', '.join(ROLES)}.")
    courses = COURSES["debs"]
    for word, choices in ((target, TARGETS), (rules, RULES), (course, courses), (course_rule, COURSES)):
        if word is not None and word not in choices:
            raise StrokeError(f"unknown choice '{word}'; there are {', '.join(choices)}.")


def _basic(patient: Patient, needs: Collection[str], target: str | None) -> tuple[str, str] | None:
    if patient.problems:
        return _UNUSABLE, patient.problems[0]
    lacking = [ROLES[role][0] for role in needs if not patient.has(role)]
    if lacking:
        return _IMAGES, f"{', '.join(lacking)} missing"
    if target is None or patient.labels_of(target):
        return None
    if any(label.target == target for label in patient.labels):
        said = [note for note in patient.notes if "label on another grid" in note or "no readable image" in note]
        return _LABEL, said[0] if said else f"its label ({target}) lies on another grid"
    return _LABEL, f"a patient without label ({target})"


def _by_paper(patient: Patient, found: Reperfusion, rules: str | None) -> tuple[str, str] | None:
    for criterion in RULES[rules] if rules else ():
        reason = criterion.rule(patient, found)
        if reason:
            return criterion.title, reason
    return None


def _by_course(found: Reperfusion, course: str | None, rule: str) -> tuple[str, str] | None:
    word = getattr(found, rule)
    if course is None or word == COURSES[rule][course]:
        return None
    title = f"{rule.capitalize()}'s rule"
    return _COURSE, f"course unknown by {title}" if word == "unknown" else f"course is not '{course}' by {title}"


def _selection(
    cohort: Cohort,
    kept: tuple[Patient, ...],
    excluded: dict[str, tuple[Patient, str, str]],
    known: dict[str, Reperfusion],
    volumes: dict[str, float],
    rules: str | None,
    course: str | None,
    course_rule: str,
) -> Selection:
    titles = [_UNUSABLE, _IMAGES, _LABEL, *(c.title for c in (RULES[rules] if rules else ()))]
    titles += [_COURSE] if course else []
    counts = [(title, sum(1 for _, box, _ in excluded.values() if box == title)) for title in titles]
    mine = {patient.id: known[patient.id] for patient in kept}
    notes = [*cohort.notes, *_told_of(kept), *(note for found in mine.values() for note in found.notes)]
    unmeasured = [name for name, found in mine.items() if found.v0_ml is None]
    if rules == "yu" and unmeasured:
        told = (
            f"Tmax > 6 s at baseline is not known of {len(unmeasured)} patients, and none of them was left out for it"
        )
        notes.append(f"{told}: {_few(unmeasured)}. 'stroke cohort maps' makes the maps that it is measured on.")
    empty = [patient.id for patient in kept if volumes.get(patient.id) == 0]
    if empty:
        notes.append(f"{len(empty)} patients without lesion (empty label): {_few(empty)}.")
    return Selection(
        kept=kept,
        excluded=tuple((patient, words) for patient, _, words in excluded.values()),
        flow=Flow(len(cohort), tuple(counts), _groups(mine, rules or (course and course_rule)) if kept else {}),
        volumes={patient.id: volumes[patient.id] for patient in kept if patient.id in volumes},
        reperfusion=mine,
        notes=tuple(notes),
    )


def _groups(found: dict[str, Reperfusion], rules: str | None) -> dict[str, int]:
    """Return how many had which course: by Debs' classes where his rules are applied, else by Yu's."""
    if rules == "debs":
        names = {"yes": "reperfused", "no": "not reperfused", "unknown": "reperfusion unknown"}
        return count_groups({key: names[value.debs] for key, value in found.items()}, tuple(names.values()))
    names = {word: f"{word} reperfusion" for word in ("minimal", "partial", "major", "unknown")}
    return count_groups({key: names[value.yu] for key, value in found.items()}, tuple(names.values()))


def _told_of(patients: tuple[Patient, ...]) -> list[str]:
    """Return the patients' notes; what many share, but for the name, is said once."""
    whose: dict[str, list[tuple[str, str]]] = {}
    for patient in patients:
        for note in patient.notes:
            whose.setdefault(note.replace(patient.id, "\0"), []).append((patient.id, note))
    return [
        found[0][1] + (f" So of {len(found) - 1} more: {_few([name for name, _ in found[1:]])}." if found[1:] else "")
        for found in whose.values()
    ]


def _first_words(selection: Selection) -> str:
    reasons = [f"{title}: {count}" for title, count in selection.flow.excluded if count]
    return f"{'; '.join(reasons)}. The first: {selection.excluded[0][1]}"


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
