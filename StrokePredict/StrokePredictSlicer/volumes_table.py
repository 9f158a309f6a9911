"""The table of a patient's segments as they are now, beside the views."""

from __future__ import annotations

from typing import Any

import vtk

from StrokePredictLib.report.tables import NOT_COMPUTED, mismatch_rows, perfusion_failed, with_unit
from StrokePredictLib.study import Study

from .patient_node import OURS, PatientNode

_COLUMNS = ("Volume now", "Segment")
#: Ids of segments that no reader asks the volume of.
_HIDDEN = ("brain", "start_")


def show_table(patient: PatientNode, volumes: dict[str, float], study: Study) -> Any:
    """Fill the patient's table, made if it is not there; return its node, None while there is nothing to be shown.

    Parameters
    ----------
    patient : PatientNode
        Whose.
    volumes : dict of str to float
        mL by segment id, counted now.
    study : Study
        What was measured: what rests on a series that failed its check reads "not computed".
    """
    node, rows = patient.table, table_rows(patient, volumes, study)
    if node is None and not rows:
        return None
    if node is None:
        node = patient.scene.AddNewNodeByClass("vtkMRMLTableNode", f"{patient.name} volumes")
        node.SetAttribute(OURS, "table")
        node.SetUseColumnTitleAsColumnHeader(True)
        node.SetLocked(True)
        patient.table = node
    table = node.GetTable()
    change = node.StartModify()
    table.Initialize()
    for index, title in enumerate(_COLUMNS):
        column = vtk.vtkStringArray()
        column.SetName(title)
        for row in rows:
            column.InsertNextValue(row[index])
        node.AddColumn(column)
    node.EndModify(change)
    node.Modified()
    return node


def table_rows(patient: PatientNode, volumes: dict[str, float], study: Study) -> list[tuple[str, str]]:
    """Return volumes and names of the segments, and the mismatch as it was measured."""
    inner = patient.segmentation.GetSegmentation() if patient.segmentation is not None else None
    measured = study.volumes.get("volumes_ml") or {}
    rows = []
    for key, volume in volumes.items():
        if inner is None or key.startswith(_HIDDEN) or inner.GetSegment(key) is None:
            continue
        blocked = isinstance(measured.get(key), str) or (perfusion_failed(study) and key == "penumbra")
        rows.append((NOT_COMPUTED if blocked else with_unit(f"{volume:.1f}", "mL"), inner.GetSegment(key).GetName()))
    return rows + [(row.text, f"{row.label} (measured)") for row in mismatch_rows(study)]
