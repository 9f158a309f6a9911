"""The rules of who may import whom, as DESIGN states them, and a walk over a file's imports."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = {
    # package or module file: what of the project it may import
    "StrokePredictLib": {"StrokePredictLib"},
    "StrokePredictSlicer": {"StrokePredictLib", "StrokePredictSlicer"},
    "StrokePredict": {"StrokePredictLib", "StrokePredictSlicer"},
    "StrokeTrainLib": {"StrokePredictLib", "StrokeTrainLib"},
    "StrokeTrainSlicer": {"StrokePredictLib", "StrokePredictSlicer", "StrokeTrainLib", "StrokeTrainSlicer"},
    "StrokeTrain": {"StrokePredictLib", "StrokePredictSlicer", "StrokeTrainLib", "StrokeTrainSlicer"},
    "StrokeCommand": {
        "StrokePredictLib",
        "StrokePredictSlicer",
        "StrokeTrainLib",
        "StrokeTrainSlicer",
        "StrokeCommand",
    },
}
DESKTOP = {"slicer", "qt", "vtk", "ctk", "mrml", "vtkmodules", "PythonQt", "MRMLCorePython"}
WITHOUT_DESKTOP = {"StrokePredictLib", "StrokeTrainLib"}
# What Slicer brings along: all that module files and *Slicer may import at file scope.
SLICER_HAS = {"slicer", "vtk", "vtkmodules", "qt", "ctk", "numpy", "scipy", "SimpleITK"}
INSIDE_SLICER = {"StrokePredict", "StrokeTrain", "StrokePredictSlicer", "StrokeTrainSlicer"}
#: Slicer's own process never imports these.
WORKERS_ALONE = {"torch", "monai", "pandas", "pydantic", "matplotlib"}


def owner(path: Path, root: Path) -> str:
    """Return the package, or the module file's name, to which a file of the tree belongs."""
    return path.relative_to(root).parts[1].removesuffix(".py")


def imports(tree: ast.AST, package: list[str]) -> Iterator[tuple[str, int]]:
    """Yield the full name and line of everything that a syntax tree imports; `package` resolves relative imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            full = ".".join([*base, *([node.module] if node.module else [])])
            yield full, node.lineno
            yield from ((f"{full}.{alias.name}", node.lineno) for alias in node.names)


def at_file_scope(tree: ast.Module) -> ast.Module:
    """Return the tree without function bodies and without `if TYPE_CHECKING:`, which run no import at file scope."""

    class Outside(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            return None

        visit_AsyncFunctionDef = visit_FunctionDef

        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                return node.orelse
            return self.generic_visit(node)

    return Outside().visit(ast.parse(ast.unparse(tree)))


def faults(path: Path, root: Path) -> list[str]:
    """Return every import of a file that the rules forbid, one line each."""
    name = owner(path, root)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = list(path.relative_to(root).parts[1:-1])
    said = set()
    for full, line in imports(tree, package):
        top = full.split(".")[0]
        if top in PROJECT and top not in PROJECT[name]:
            said.add(f"{path.relative_to(root)}:{line}: {name} may not import {top}")
        if name in WITHOUT_DESKTOP and top in DESKTOP:
            said.add(f"{path.relative_to(root)}:{line}: {name} knows no {top}")
    if name in INSIDE_SLICER:
        allowed = SLICER_HAS | set(PROJECT) | set(sys.stdlib_module_names) | {"__main__"}
        tops = {full.split(".")[0] for full, _ in imports(at_file_scope(tree), package)}
        said |= {f"{path.relative_to(root)}: {top} at file scope" for top in tops - allowed}
    return sorted(said)


def project_files(root: Path) -> list[Path]:
    """Return all Python files of both modules."""
    found = [path for module in ("StrokePredict", "StrokeTrain") for path in (root / module).rglob("*.py")]
    return sorted(path for path in found if owner(path, root) in PROJECT)


def lib_modules_imported_inside_slicer(root: Path) -> set[str]:
    """Return the *Lib modules that module files and *Slicer import anywhere: Slicer's process imports them."""
    found = set()
    for path in project_files(root):
        if owner(path, root) in INSIDE_SLICER:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {full for full, _ in imports(tree, list(path.relative_to(root).parts[1:-1]))}
    files = {module_name(path, root) for path in project_files(root)}
    return {name for name in found & files if name.split(".")[0] in WITHOUT_DESKTOP}


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name of a file of a package."""
    parts = path.relative_to(root).parts[1:]
    return ".".join(parts).removesuffix(".py").removesuffix(".__init__")
