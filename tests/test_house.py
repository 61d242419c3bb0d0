"""The house: imports flow one way, Lark and Hy stay in their rooms, and everything that must travel is packaged."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from treesketch.check import check
from treesketch.evaluate import compare
from treesketch.language import load_language
from treesketch.syntax import parse

ROOT = Path(__file__).resolve().parent.parent

# A module imports only from modules before it. A folder is one entry; inside it the order is its own affair.
ORDER = (
    "errors",
    "files",
    "tree",
    "language",
    "explain",
    "syntax",
    "check",
    "scene",
    "arithmetic",
    "chance",
    "outline",
    "quick",
    "strokes",
    "polygons",
    "canvas",
    "interpreter",
    "hy_runtime",
    "layers",
    "raster",
    "svg",
    "export",
    "terminal",
    "dialects",
    "simplify",
    "actions",
    "derivation",
    "vector",
    "edits",
    "picture",
    "importing",
    "sampling",
    "styles",
    "model",
    "data",
    "lessons",
    "soft_raster",
    "restoring",
    "search",
    "solving",
    "settings",
    "workers",
    "shards",
    "journal",
    "team",
    "runs",
    "train",
    "sample",
    "batch",
    "evaluate",
    "charts",
    "page",
    "experiments",
    "report",
    "exam",
    "exam_page",
    "units",
    "hints",
    "prompt",
    "live",
    "repl",
    "bencode",
    "nrepl",
    "cli",
)
NO_UNITS = {"__init__", "__main__", "grammar", "weights"}  # nothing but data, or the door to `cli`
ROOMS = {"lark": {"language", "syntax"}, "hy": {"hy_runtime"}}


def _sources() -> list[tuple[str, Path]]:
    """Each source file with the entry of ORDER that it belongs to."""
    found = []
    for path in sorted((ROOT / "treesketch").rglob("*.py")):
        parts = path.relative_to(ROOT / "treesketch").parts
        found.append((parts[0].removesuffix(".py"), path))
    found += [("hy_runtime", path) for path in sorted((ROOT / "hy_runtime").rglob("*.py"))]
    return [(unit, path) for unit, path in found if unit not in NO_UNITS]


SOURCES = _sources()
NAMES = [str(path.relative_to(ROOT)) for _, path in SOURCES]


def _imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that a file imports, with whether only for type checkers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            if module == "treesketch":
                yield from ((f"treesketch.{alias.name}", node in for_types) for alias in node.names)
            else:
                yield module, node in for_types


@pytest.mark.parametrize(("unit", "path"), SOURCES, ids=NAMES)
def test_imports_flow_one_way(unit: str, path: Path) -> None:
    assert unit in ORDER, f"give {unit} its place in ORDER"
    for module, _ in _imports(path):
        words = module.split(".")
        if words[0] == "treesketch" and len(words) > 1 and words[1] not in NO_UNITS and not words[1].startswith("__"):
            target = words[1]
            assert target in ORDER, f"{path.name} imports {module}, which has no place in ORDER"
            assert target == unit or ORDER.index(target) < ORDER.index(unit), f"{unit} must not import {module}"


@pytest.mark.parametrize(("unit", "path"), SOURCES, ids=NAMES)
def test_lark_and_hy_stay_in_their_rooms(unit: str, path: Path) -> None:
    for module, _ in _imports(path):
        top = module.split(".")[0]
        assert unit in ROOMS.get(top, {unit}), f"{unit} imports {module}"


@pytest.mark.parametrize(("unit", "path"), SOURCES, ids=NAMES)
def test_a_module_says_what_it_is_for(unit: str, path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_every_package_is_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "treesketch").rglob("__init__.py")}
    expected = {".".join(folder.parts) for folder in folders} | {"treesketch.grammar", "treesketch.hy_runtime"}
    assert set(settings["packages"]) == expected


def test_data_travels_with_the_package() -> None:
    shipped = {item.name for item in files("treesketch.grammar").iterdir()}
    assert "sketch.lark" in shipped
    assert shipped >= {path.name for path in (ROOT / "grammar").glob("*.lark")}


def test_the_readme_names_every_folder() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folders = [path.name for path in ROOT.iterdir() if path.is_dir() and not _is_ignored(path.name)]
    assert "grammar" in folders
    missing = [name for name in sorted(folders) if f"`{name}/`" not in readme and f"\n{name}/" not in readme]
    assert not missing, f"the layout in README.md does not say what these are for: {missing}"


def _is_ignored(name: str) -> bool:
    patterns = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    return name == ".git" or any(Path(name).match(pattern.rstrip("/")) for pattern in patterns)


@pytest.mark.parametrize("page", ["README.md", "docs/language.md"])
def test_programs_in_the_documentation_check(page: str) -> None:
    programs = re.findall(r"```clojure\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)
    assert programs
    for program in programs:
        assert check(parse(program, file=page)) == []


TABLE = re.compile(r"<!-- forms: ([\w ]+) -->\n(.*?)<!-- end -->\n", re.S)


def _forms_of(names: str) -> list[str]:
    """The productions that a list of kinds and productions stands for, those that have a head."""
    language = load_language()
    found = [name for word in names.split() for name in language.kinds[word]]
    return [name for name in found if language.productions[name].head]


def test_the_documentation_tells_of_every_form(update_golden: bool) -> None:
    """Its tables are what the grammar says; `--update-golden` writes them."""
    page, language = ROOT / "docs" / "language.md", load_language()
    text = page.read_text(encoding="utf-8")

    def table(match: re.Match[str]) -> str:
        rows = "| form | meaning |\n|---|---|\n"
        for name in _forms_of(match[1]):
            rows += "| `{}` | {} |\n".format(language.usage(name).replace("|", "\\|"), language.docs[name])
        return f"<!-- forms: {match[1]} -->\n{rows}<!-- end -->\n"

    written = TABLE.sub(table, text)
    if update_golden:
        page.write_text(written, encoding="utf-8")
    assert update_golden or written == text
    told = {name for match in TABLE.finditer(text) for name in _forms_of(match[1])}
    assert told == {name for name, production in language.productions.items() if production.head}


@pytest.mark.parametrize("name", ["ghana", "frog"])
def test_the_readme_shows_a_program_as_it_was_written(name: str, update_golden: bool) -> None:
    readme, program = ROOT / "README.md", (ROOT / "examples" / f"{name}.clj").read_text(encoding="utf-8")
    shown = re.compile(rf"(?<=<!-- examples/{name}.clj -->\n```clojure\n).*?(?=```)", re.S)
    text = readme.read_text(encoding="utf-8")
    if update_golden:
        readme.write_text(shown.sub(lambda _: program, text, count=1), encoding="utf-8")
        return
    assert shown.findall(text) == [program]


@pytest.mark.parametrize("program", sorted((ROOT / "examples").glob("*.clj")), ids=lambda path: path.stem)
def test_example_programs_draw_their_pictures(program: Path) -> None:
    assert compare(program.read_text(encoding="utf-8"), program.with_suffix(".png")) < 0.067  # half a pixel's shift
