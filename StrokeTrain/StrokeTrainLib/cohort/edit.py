"""A patient's line of ``participants.tsv``, changed and written whole. Imports nothing heavy."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from StrokePredictLib.errors import StrokeError
from StrokePredictLib.io.output import write_text

from .participants import NAME, read_table, typed


def save_facts(root: Path | str, identifier: str, changes: Mapping[str, str]) -> Path:
    """Change some cells of a patient; everything else of the table stays as it is, letter by letter.

    Parameters
    ----------
    root : path-like
        The cohort's folder.
    identifier : str
        Whose line; added where there is none.
    changes : mapping of str to str
        Text by column; a column that is not there is added, an empty text means unknown.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    StrokeError
        If a value cannot be used, or the table cannot be read or written; nothing was changed then.
    """
    path = Path(root) / NAME
    for name, text in changes.items():
        if any(sign in text for sign in "\t\r\n"):
            raise StrokeError(f"{name}: '{text!r}' holds a tab or a line end; the table's cells cannot.")
    _, faults = typed(dict(changes), f"{identifier}")
    if faults:
        raise StrokeError(faults[0])
    table = read_table(Path(root))  # now, not when it was shown: others may have written meanwhile
    if table.faults:  # written whole it would look sound
        raise StrokeError(f"{path}: {next(iter(table.faults.values()))}")
    if len(table.rows.get(identifier, [])) > 1:
        raise StrokeError(f"{path}: lists {identifier} several times; keep one line, then edit.")
    rows = [dict(line) for lines in table.rows.values() for line in lines]
    row = next((line for line in rows if (line.get("participant_id") or "").strip() == identifier), None)
    if row is None:
        row = {"participant_id": identifier}
        rows.append(row)
    columns = list(dict.fromkeys(["participant_id", *(name for line in rows for name in line)]))
    spelled = {name.strip().lower(): name for name in columns}  # as the table spells it
    row |= {spelled.get(name, name): text for name, text in changes.items()}
    columns = list(dict.fromkeys([*columns, *row]))
    write_text(path, _text(columns, rows))
    return path


def _text(columns: list[str], rows: list[dict[str, str]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, delimiter="\t", lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
