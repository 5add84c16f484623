"""The rules of the house: what may import what, a room in every wing, names that mean one thing."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import smlib
from smlib.topics import AREAS, TOPICS, read_essay

SOURCE = Path(smlib.__file__).parent
TESTS = Path(__file__).parent
MODULES = [item.name for item in pkgutil.walk_packages([str(SOURCE)], "smlib.")]

# What each wing may import; `_core` and `errors` are open to all.
GROUND = {"_core", "errors"}
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "_core": {"errors", "smlib"},
    "topics": set(),
    "datasets": GROUND,
    "numerics": GROUND,
    "infotheory": GROUND,
    "storage": GROUND | {"infotheory"},
    "consensus": GROUND | {"storage"},
    "optim": GROUND | {"numerics"},
    "stochastic": GROUND | {"numerics"},
    "mining": GROUND | {"numerics"},
    "compare": GROUND | set(AREAS) | {"datasets", "topics", "smlib"},
    "viz": GROUND | set(AREAS) | {"datasets", "topics"},
    "cli": GROUND | set(AREAS) | {"compare", "viz", "topics", "smlib"},
}


def imports_of(path: Path) -> set[str]:
    """Return the wings that a file imports; the package itself counts as "smlib"."""
    wings = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names = [node.module or ""]
            if node.module == "smlib":
                names = [f"smlib.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] == "smlib":
                wing = name.split(".")[1] if "." in name else "smlib"
                wings.add("smlib" if wing.startswith("__") else wing)
    return wings


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_arrows_point_down(path: Path) -> None:
    wing = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if wing in ("__init__", "__main__"):
        return
    assert wing in ARROWS, f"{wing} is no wing of the house"
    assert imports_of(path) - {wing} <= ARROWS[wing]


def test_only_one_door_leads_to_numba() -> None:
    for path in SOURCE.rglob("*.py"):
        uses = {
            alias.name.partition(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in ([ast.alias(node.module or "")] if isinstance(node, ast.ImportFrom) else node.names)
        }
        if "numba" in uses:
            assert path.relative_to(SOURCE).as_posix() in {
                "_core/kernel.py",
                "_core/compilation.py",
                "_core/simd.py",
                "compare/doctor.py",
                "compare/cases/numerics/quadrature.py",  # makes a C function of a kernel, which SciPy likes best
            }


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_has_a_room_in_every_wing(name: str) -> None:
    from smlib.compare.cases import load_cases

    topic = TOPICS[name]
    assert importlib.import_module(topic.module).__doc__
    assert (TESTS / topic.area / f"test_{name}.py").is_file()
    cases = [case for case in load_cases() if case.topic == name]
    assert cases
    assert sum(case.story is not None for case in cases) == 1
    assert len({case.name for case in cases}) == len(cases)
    essay = read_essay(topic)
    assert essay.title
    assert essay.cost
    assert essay.chapters.endswith(".")
    assert topic.rows
    assert all(1 <= row <= 150 for row in topic.rows)
    assert set(topic.prerequisites) <= set(TOPICS)


def test_no_case_is_without_a_topic() -> None:
    from smlib.compare.cases import load_cases
    from smlib.compare.tour import HEADLINES

    assert {case.topic for case in load_cases()} <= set(TOPICS)
    assert set(HEADLINES) <= set(TOPICS)


def test_public_names_are_never_modules() -> None:
    """A module that bears the name of a function would be handed out at the second look-up."""
    for name in MODULES:
        importlib.import_module(name)
    for area in AREAS:
        package = importlib.import_module(f"smlib.{area}")
        for name in package.__all__:
            for _ in range(2):
                assert not isinstance(getattr(package, name), ModuleType), f"smlib.{area}.{name} is a module"


def test_every_public_function_says_what_it_costs_and_where_it_is_from() -> None:
    for area in AREAS:
        package = importlib.import_module(f"smlib.{area}")
        for name in package.__all__:
            item = getattr(package, name)
            if callable(item) and not isinstance(item, type):
                text = item.__doc__ or ""
                for section in ("Parameters", "Complexity:", "References", "Examples"):
                    assert section in text, f"smlib.{area}.{name} has no {section}"


def loaded_by(code: str) -> set[str]:
    """Return the top-level packages that a new process has loaded after running code."""
    code += "\nimport sys\nprint(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_importing_smlib_loads_nothing_heavy() -> None:
    assert not loaded_by("import smlib; smlib.__version__; dir(smlib)") & {"numpy", "numba", "scipy", "rich"}
    assert not loaded_by("import smlib.errors, smlib.topics") & {"numpy", "numba", "scipy", "rich"}
    assert not loaded_by("import smlib; smlib.numerics") & {"numpy", "numba", "scipy", "rich"}


def test_help_loads_nothing_heavy() -> None:
    code = "from smlib.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert not loaded_by(code) & {"numpy", "numba", "scipy", "rich"}
    assert not loaded_by("from smlib.cli import main; main(['--version'])") & {"numpy", "numba", "scipy", "rich"}


def test_listing_and_showing_load_no_numbers() -> None:
    for arguments in ("['list']", "['show', 'stationary']", "[]"):
        assert not loaded_by(f"from smlib.cli import main; main({arguments})") & {"numpy", "numba", "scipy"}
