"""The file lists of the modules' CMakeLists.txt: what they say and should say; as a script, set right."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("StrokePredict", "StrokeTrain")
SCRIPTS, RESOURCES = "MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"


def pattern(variable: str) -> re.Pattern:
    """Return what finds `set(VARIABLE ...)` in a CMake text; group 1 is the list."""
    return re.compile(rf"^set\({variable}\n(.*?)^  \)$", re.MULTILINE | re.DOTALL)


def listed_files(text: str, module: str, variable: str) -> list[str]:
    """Return the files that a CMake text lists in a variable, in their order."""
    found = pattern(variable).search(text)
    assert found, f"{module}/CMakeLists.txt has no set({variable} ...)"
    return [line.replace("${MODULE_NAME}", module) for line in found[1].split()]


def present_files(folder: Path, variable: str) -> list[str]:
    """Return the files of a module's folder that belong into the variable, sorted.

    The module file, its packages' Python files; or everything else in the packages, and all Resources.
    """
    packages = [path for path in folder.iterdir() if (path / "__init__.py").is_file()]
    inside = [path for top in packages for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    if variable == SCRIPTS:
        found = [folder / f"{folder.name}.py", *(path for path in inside if path.suffix == ".py")]
    else:
        resources = (path for path in (folder / "Resources").rglob("*") if path.is_file())
        found = [*(path for path in inside if path.suffix != ".py"), *resources]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def faults(folder: Path) -> list[str]:
    """Return what is wrong with the lists of a module's folder, one line each."""
    text = (folder / "CMakeLists.txt").read_text()
    said = []
    for variable in (SCRIPTS, RESOURCES):
        listed, present = listed_files(text, folder.name, variable), present_files(folder, variable)
        said += [f"{folder.name}: {variable} lacks {path}" for path in present if path not in listed]
        said += [
            f"{folder.name}: {variable} lists {path}, which is not there" for path in listed if path not in present
        ]
        said += [f"{folder.name}: {variable} lists {path} twice" for path in set(listed) if listed.count(path) > 1]
    return said


def bring_up_to_date(folder: Path) -> None:
    """Write both lists of a module's CMakeLists.txt anew."""
    path = folder / "CMakeLists.txt"
    text = path.read_text()
    for variable in (SCRIPTS, RESOURCES):
        names = "".join(f"  {name}\n" for name in present_files(folder, variable))
        names = names.replace(f"  {folder.name}.py\n", "  ${MODULE_NAME}.py\n")
        text = pattern(variable).sub(lambda _, body=f"set({variable}\n{names}  )": body, text)
    path.write_text(text)


if __name__ == "__main__":
    for name in MODULES:
        bring_up_to_date(ROOT / name)
