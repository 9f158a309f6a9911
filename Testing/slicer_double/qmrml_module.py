"""The qMRML widgets that the panels use, over real MRML nodes."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QHeaderView,
    QTableView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from .ctk_module import ctkRangeWidget, ctkSliderWidget
from .qt_module import CUSTOM_WIDGETS


class _Observer:
    """Observations of MRML objects that end with their widget."""

    def __init__(self) -> None:
        self._seen: list[tuple[Any, int]] = []

    def watch(self, thing: Any, event: Any, call: Any) -> None:
        if thing is not None:
            self._seen.append((thing, thing.AddObserver(event, lambda *_: call())))

    def forget(self) -> None:
        for thing, tag in self._seen:
            thing.RemoveObserver(tag)
        self._seen = []


class qMRMLWidget(QWidget):
    """A widget that knows the scene."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene


class qMRMLNodeComboBox(QWidget):
    """A choice among the scene's nodes of some classes."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeAddedByUser = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._box = QComboBox(self)
        row.addWidget(self._box)
        self._scene: Any = None
        self._types: list[str] = []
        self._attributes: list[tuple[str, str, str]] = []
        self._flags: dict[str, Any] = {"noneEnabled": False, "noneDisplay": "None", "baseName": "", "hidden": False}
        self._node: Any = None
        self._observer = _Observer()
        self._box.activated.connect(lambda row: self._choose(self._box.itemData(row)))
        self.destroyed.connect(self._observer.forget)

    def setMRMLScene(self, scene: Any) -> None:
        import slicer

        self._observer.forget()
        self._scene = scene
        if scene is not None:
            for event in (slicer.vtkMRMLScene.NodeAddedEvent, slicer.vtkMRMLScene.NodeRemovedEvent):
                self._observer.watch(scene, event, self._refresh)
            for event in (slicer.vtkMRMLScene.EndCloseEvent, slicer.vtkMRMLScene.EndImportEvent):
                self._observer.watch(scene, event, self._refresh)
        self._refresh()

    def mrmlScene(self) -> Any:
        return self._scene

    def nodes(self) -> list[Any]:
        """Return those that can be chosen."""
        if self._scene is None:
            return []
        found = []
        for kind in self._types:
            collection = self._scene.GetNodesByClass(kind)
            found += [collection.GetItemAsObject(i) for i in range(collection.GetNumberOfItems())]
        keep = [n for n in found if not n.GetHideFromEditors() and self._matches(n)]
        return list({n.GetID(): n for n in keep}.values())

    def _matches(self, node: Any) -> bool:
        return all(
            not node.IsA(kind) or (node.GetAttribute(key) is not None and value in ("", node.GetAttribute(key)))
            for kind, key, value in self._attributes
        )

    def _refresh(self) -> None:
        if self._scene is not None and self._scene.IsBatchProcessing():
            return
        nodes = self.nodes()
        self._box.blockSignals(True)
        self._box.clear()
        if self._flags["noneEnabled"]:
            self._box.addItem(self._flags["noneDisplay"], None)
        for node in nodes:
            self._box.addItem(node.GetName(), node.GetID())
        self._box.blockSignals(False)
        there = self._node is not None and any(n is self._node for n in nodes)
        first = None if self._flags["noneEnabled"] or not nodes else nodes[0]
        self._set_node(self._node if there else first)

    def _set_node(self, node: Any) -> None:
        changed = node is not self._node
        self._node = node
        row = self._box.findData(node.GetID()) if node is not None else (0 if self._flags["noneEnabled"] else -1)
        self._box.setCurrentIndex(row)
        if changed:
            self.currentNodeChanged.emit(node)
            self.currentNodeIDChanged.emit(self.currentNodeID)

    def _choose(self, identity: str | None) -> None:
        self._set_node(self._scene.GetNodeByID(identity) if identity else None)

    def setCurrentNode(self, node: Any) -> None:
        self._set_node(node if node is not None and any(n is node for n in self.nodes()) else None)

    def setCurrentNodeID(self, identity: str) -> None:
        self.setCurrentNode(self._scene.GetNodeByID(identity) if self._scene is not None and identity else None)

    def currentNode(self) -> Any:
        return self._node

    def nodeCount(self) -> int:
        return len(self.nodes())

    def addAttribute(self, kind: str, key: str, value: str = "") -> None:
        self._attributes.append((kind, key, value))
        self._refresh()

    def _flag(name: str, kind: Any = bool) -> Any:
        def put(self: Any, value: Any) -> None:
            self._flags[name] = value
            self._refresh()

        return Property(kind, lambda self: self._flags.get(name, kind()), put)

    def _set_types(self, types: Any) -> None:
        self._types = [types] if isinstance(types, str) else list(types)
        self._refresh()

    currentNodeID = Property(str, lambda self: self._node.GetID() if self._node is not None else "", setCurrentNodeID)
    nodeTypes = Property("QStringList", lambda self: self._types, _set_types)
    noneEnabled = _flag("noneEnabled")
    addEnabled = _flag("addEnabled")
    removeEnabled = _flag("removeEnabled")
    renameEnabled = _flag("renameEnabled")
    editEnabled = _flag("editEnabled")
    showHidden = _flag("showHidden")
    showChildNodeTypes = _flag("showChildNodeTypes")
    selectNodeUponCreation = _flag("selectNodeUponCreation")
    noneDisplay = _flag("noneDisplay", str)
    baseName = _flag("baseName", str)


class _SegmentList(QTableWidget):
    """Segments of a segmentation: shown or not, and the name on its colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 2, parent)
        self.setHorizontalHeaderLabels(["", "Name"])
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.setColumnWidth(0, 24)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)

    def show_segments(self, node: Any) -> None:
        segmentation = node.GetSegmentation() if node is not None else None
        count = segmentation.GetNumberOfSegments() if segmentation is not None else 0
        self.setRowCount(count)
        display = node.GetDisplayNode() if node is not None else None
        for row in range(count):
            identity = segmentation.GetNthSegmentID(row)
            seen = display is None or display.GetSegmentVisibility(identity)
            self.setItem(row, 0, QTableWidgetItem("●" if seen else "○"))
            self.setItem(row, 1, QTableWidgetItem(segmentation.GetSegment(identity).GetName()))


class qMRMLSegmentsTableView(QWidget):
    """The segments of a segmentation."""

    selectionChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._list = _SegmentList(self)
        layout.addWidget(self._list)
        self._node: Any = None
        self._observer = _Observer()
        self._list.itemSelectionChanged.connect(self.selectionChanged)
        self.destroyed.connect(self._observer.forget)

    def setMRMLScene(self, scene: Any) -> None:
        """Take the scene, as all qMRML widgets do."""

    def setSegmentationNode(self, node: Any) -> None:
        self._observer.forget()
        self._node = node
        if node is not None:
            self._observer.watch(node, "AnyEvent", self._refresh)
            self._observer.watch(node.GetDisplayNode(), "ModifiedEvent", self._refresh)
        self._refresh()

    def segmentationNode(self) -> Any:
        return self._node

    def _refresh(self) -> None:
        self._list.show_segments(self._node)

    def segmentIDForRow(self, row: int) -> str:
        return self._node.GetSegmentation().GetNthSegmentID(row)

    def selectedSegmentIDs(self) -> list[str]:
        rows = sorted({item.row() for item in self._list.selectedItems()})
        return [self.segmentIDForRow(row) for row in rows]

    def setSelectedSegmentIDs(self, identities: list[str]) -> None:
        self._list.clearSelection()
        for row in range(self._list.rowCount):
            if self.segmentIDForRow(row) in identities:
                self._list.selectRow(row)

    selectionMode = Property(int, lambda self: 1, lambda self, v: None)
    headerVisible = Property(bool, lambda self: True, lambda self, v: self._list.horizontalHeader().setVisible(v))
    visibilityColumnVisible = Property(bool, lambda self: True, lambda self, v: self._list.setColumnHidden(0, not v))
    colorColumnVisible = Property(bool, lambda self: True, lambda self, v: None)
    opacityColumnVisible = Property(bool, lambda self: True, lambda self, v: None)
    statusColumnVisible = Property(bool, lambda self: True, lambda self, v: None)
    layerColumnVisible = Property(bool, lambda self: True, lambda self, v: None)


class qMRMLTableView(QTableView):
    """A table node's cells."""

    selectionChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from PySide6.QtGui import QStandardItemModel

        self._model = QStandardItemModel(self)
        self.setModel(self._model)
        self._node: Any = None
        self._observer = _Observer()
        self.destroyed.connect(self._observer.forget)

    def setMRMLScene(self, scene: Any) -> None:
        """Take the scene, as all qMRML widgets do."""

    def setMRMLTableNode(self, node: Any) -> None:
        self._observer.forget()
        self._node = node
        self._observer.watch(node, "ModifiedEvent", self._refresh)
        self._refresh()

    def mrmlTableNode(self) -> Any:
        return self._node

    def _refresh(self) -> None:
        from PySide6.QtGui import QStandardItem

        self._model.clear()
        if self._node is None:
            return
        columns = self._node.GetNumberOfColumns()
        self._model.setHorizontalHeaderLabels([self._node.GetColumnName(c) for c in range(columns)])
        for row in range(self._node.GetNumberOfRows()):
            self._model.appendRow([QStandardItem(self._node.GetCellText(row, c)) for c in range(columns)])


class qMRMLSliderWidget(ctkSliderWidget):
    """A slider with units."""

    def setMRMLScene(self, scene: Any) -> None:
        """Take the scene, as all qMRML widgets do."""


class qMRMLRangeWidget(ctkRangeWidget):
    """Two values with units."""

    def setMRMLScene(self, scene: Any) -> None:
        """Take the scene, as all qMRML widgets do."""


class qMRMLSpinBox(QDoubleSpinBox):
    """A number with units."""

    def setMRMLScene(self, scene: Any) -> None:
        """Take the scene, as all qMRML widgets do."""


def later(call: Any) -> None:
    """Do something when the events at hand are done."""
    QTimer.singleShot(0, call)


def add_to(slicer: Any) -> None:
    """Put the widgets into the ``slicer`` package, and tell the loader of .ui files."""
    from . import segment_editor

    for name, value in [*globals().items(), *vars(segment_editor).items()]:
        if name.startswith("qMRML") and value not in CUSTOM_WIDGETS:
            setattr(slicer, name, value)
            CUSTOM_WIDGETS.append(value)
