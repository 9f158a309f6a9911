"""A stand-in for the Segment Editor's widget: its choices are real, its brushes are not."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

EFFECTS = (
    "Threshold", "Paint", "Draw", "Erase", "Level tracing", "Grow from seeds", "Fill between slices", "Margin",
    "Hollow", "Smoothing", "Scissors", "Islands", "Logical operators", "Mask volume",
)  # fmt: skip


class qMRMLSegmentEditorWidget(QWidget):
    """Chooses segmentation, segment, source volume and effect; states for undo are whole copies of the segmentation."""

    currentSegmentIDChanged = Signal(str)
    segmentationNodeChanged = Signal(object)
    activeEffectChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from .qmrml_module import qMRMLSegmentsTableView

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._table = qMRMLSegmentsTableView(self)
        self._table.setMinimumHeight(90)
        layout.addWidget(self._table)
        grid = QGridLayout()
        layout.addLayout(grid)
        self._buttons = {}
        for n, name in enumerate(EFFECTS):
            button = QPushButton(name, self)
            button.setCheckable(True)
            button.clicked.connect(lambda on, name=name: self.setActiveEffectByName(name if on else ""))
            grid.addWidget(button, n // 4, n % 4)
            self._buttons[name] = button
        self._node = self._segmentation = self._source = None
        self._effect, self._limit = "", 0
        self._past: list[Any] = []
        self._remembered = None
        self._table.selectionChanged.connect(self._on_selection)

    def setMRMLScene(self, scene: Any) -> None:
        """Take the scene, as all qMRML widgets do."""

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        self._node = node

    def mrmlSegmentEditorNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        if node is not None and node is not self._remembered:  # Slicer's own keeps the states of the one it had before
            self._remembered, self._past = node, []
        self._segmentation = node
        if self._node is not None:
            self._node.SetAndObserveSegmentationNode(node)
        self._table.setSegmentationNode(node)
        self.segmentationNodeChanged.emit(node)

    def segmentationNode(self) -> Any:
        return self._segmentation

    def setSourceVolumeNode(self, node: Any) -> None:
        self._source = node
        if self._node is not None:
            self._node.SetAndObserveSourceVolumeNode(node)

    def sourceVolumeNode(self) -> Any:
        return self._source

    def setCurrentSegmentID(self, identity: str) -> None:
        if self._node is None or (self._node.GetSelectedSegmentID() or "") == identity:
            return
        self._node.SetSelectedSegmentID(identity)
        self._table.setSelectedSegmentIDs([identity])
        self.currentSegmentIDChanged.emit(identity)

    def currentSegmentID(self) -> str:
        return (self._node.GetSelectedSegmentID() or "") if self._node is not None else ""

    def _on_selection(self) -> None:
        chosen = self._table.selectedSegmentIDs()
        if chosen:
            self.setCurrentSegmentID(chosen[0])

    def setActiveEffectByName(self, name: str) -> None:
        self._effect = name if name in self._buttons else ""
        for each, button in self._buttons.items():
            button.setChecked(each == self._effect)
        self.activeEffectChanged.emit(self._effect)

    def setActiveEffect(self, effect: Any) -> None:
        self.setActiveEffectByName(effect or "")

    def activeEffect(self) -> Any:
        return self._effect or None

    def setMaximumNumberOfUndoStates(self, limit: int) -> None:
        self._limit = limit
        self._past = self._past[len(self._past) - limit :] if limit < len(self._past) else self._past

    def saveStateForUndo(self) -> None:
        import slicer

        copy = slicer.vtkSegmentation()
        copy.DeepCopy(self._segmentation.GetSegmentation())
        self._past = [*self._past, copy][-self._limit or None :]

    def undo(self) -> None:
        if self._past:
            self._segmentation.GetSegmentation().DeepCopy(self._past.pop())

    def redo(self) -> None:
        """Do nothing: the double only goes back."""

    def setEffectNameOrder(self, names: Any) -> None:
        self._order = list(names)
        self._arrange()

    def _set_unordered(self, visible: bool) -> None:
        self._unordered = visible
        self._arrange()

    def _arrange(self) -> None:
        order, others = getattr(self, "_order", []), getattr(self, "_unordered", True)
        for name, button in self._buttons.items():
            button.setVisible(others or name in order)

    def installKeyboardShortcuts(self, *_: Any) -> None:
        """Do nothing: the double has no keys."""

    def uninstallKeyboardShortcuts(self) -> None:
        """Do nothing: the double has no keys."""

    def setupViewObservations(self) -> None:
        """Do nothing: the double has no views."""

    def removeViewObservations(self) -> None:
        """Do nothing: the double has no views."""

    def setSegmentationNodeSelectorVisible(self, visible: bool) -> None:
        """Do nothing: the double has no such selector."""

    def setSourceVolumeNodeSelectorVisible(self, visible: bool) -> None:
        """Do nothing: the double has no such selector."""

    def setSwitchToSegmentationsButtonVisible(self, visible: bool) -> None:
        """Do nothing: the double has no such button."""

    unorderedEffectsVisible = Property(bool, lambda self: getattr(self, "_unordered", True), _set_unordered)
    readOnly = Property(bool, lambda self: False, lambda self, v: None)
    autoShowSourceVolumeNode = Property(bool, lambda self: True, lambda self, v: None)
    maximumNumberOfUndoStates = Property(int, lambda self: self._limit, setMaximumNumberOfUndoStates)
