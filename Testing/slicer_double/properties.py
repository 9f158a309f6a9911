"""Qt's properties as Python attributes, the way PythonQt shows them."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from PySide6 import QtCore

_done: set[type] = set()


def install_properties(*modules: ModuleType) -> None:
    """Turn every Qt property of every class of some PySide6 modules into a Python property; setters stay."""
    classes = {c for module in modules for _, c in inspect.getmembers(module, inspect.isclass) if _is_object(c)}
    # Parents first: a child's own accessor then hides its parent's property, as in C++.
    for each in sorted(classes, key=lambda c: len(c.__mro__)):
        _install(each)


def _is_object(each: type) -> bool:
    return issubclass(each, QtCore.QObject)


def _install(each: type) -> None:
    if each in _done:
        return
    _done.add(each)
    meta = each.staticMetaObject
    for number in range(meta.propertyCount()):
        prop = meta.property(number)
        # An inherited property again where a class has a method of that name: it would hide the parent's property.
        if number >= meta.propertyOffset() or prop.name() in vars(each):
            setattr(each, prop.name(), _attribute(each, prop.name(), prop.isWritable()))
    if each is QtCore.QObject:
        each.name = each.objectName  # PythonQt's other word for it


def _attribute(each: type, name: str, writable: bool) -> property:
    capital = name[0].upper() + name[1:]
    read = next((f for f in (getattr(each, n, None) for n in (name, f"is{capital}")) if callable(f)), None)
    write = getattr(each, f"set{capital}", None)

    def get(self: Any) -> Any:
        return read(self) if read is not None else self.property(name)

    def put(self: Any, value: Any) -> None:
        if write is not None:
            write(self, value)
        else:
            self.setProperty(name, value)

    return property(get, put if writable else None)
