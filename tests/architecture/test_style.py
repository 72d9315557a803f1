"""Files and functions are small, modules say what they are, and names are the domain's words."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("protocols", "agents", "grid", "scenarios")
FILE_LINES, FUNCTION_LINES, POSITIONAL = 300, 40, 5
VAGUE = {"manager", "handler", "util", "utils", "common", "helper", "helpers", "data"}
PAPER_TERMS = ("resource data", "technical data", "tap data")  # what INFO 1 and INFO 9 are about
Function = ast.FunctionDef | ast.AsyncFunctionDef


def too_large(source: str) -> list[str]:
    """Files over 300 lines and functions over 40."""
    count = len(source.splitlines())
    found = [f"the file has {count} lines, over {FILE_LINES}"] if count > FILE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                found.append(f"{node.name} has {lines} lines, over {FUNCTION_LINES}")
    return found


def too_many_parameters(source: str) -> list[str]:
    """Functions with more than 5 positional parameters; the receiver is not counted, nor is what is keyword-only."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            names = [one.arg for one in [*node.args.posonlyargs, *node.args.args]]
            count = len(names) - (names[:1] in (["self"], ["cls"]))
            if count > POSITIONAL:
                found.append(f"{node.name} has {count} positional parameters, over {POSITIONAL}")
    return found


def unexplained(source: str) -> list[str]:
    """Modules and public classes without a docstring."""
    tree = ast.parse(source)
    found = [] if ast.get_docstring(tree) else ["the module does not say what it is"]
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    return found + [f"class {one.name} does not say what it is" for one in classes if not ast.get_docstring(one)]


def vague_names(stem: str, source: str) -> list[str]:
    """Names of the module, its classes and functions that say nothing."""
    nodes = ast.walk(ast.parse(source))
    names = [stem, *(node.name for node in nodes if isinstance(node, Function | ast.ClassDef))]
    return [f"{name} is a vague name" for name in names if VAGUE & set(words(name))]


def words(name: str) -> list[str]:
    """The words of a name in snake or camel case, without the terms that the paper has coined."""
    text = re.sub(r"[^a-z0-9]+", " ", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower())
    for term in PAPER_TERMS:
        text = re.sub(rf"\b{term}\b", " ", text)
    return text.split()


def package_files() -> list[Path]:
    inside = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted([*ROOT.glob("*.py"), *inside])


def everywhere(rule: str) -> list[str]:
    rules = {
        "too_large": lambda path, source: too_large(source),
        "too_many_parameters": lambda path, source: too_many_parameters(source),
        "unexplained": lambda path, source: unexplained(source),
        "vague_names": lambda path, source: vague_names(path.stem, source),
    }
    texts = [(path, path.read_text("utf-8")) for path in package_files()]
    return [f"{path.relative_to(ROOT)}: {why}" for path, source in texts for why in rules[rule](path, source)]


def test_files_and_functions_are_small() -> None:
    assert everywhere("too_large") == []


def test_at_most_five_parameters_are_positional() -> None:
    assert everywhere("too_many_parameters") == []


def test_modules_and_classes_say_what_they_are() -> None:
    assert everywhere("unexplained") == []


def test_names_are_the_domains_words() -> None:
    folders = {part for path in package_files() for part in path.relative_to(ROOT).parts[:-1]}
    assert {folder for folder in folders if VAGUE & set(words(folder))} == set()
    assert everywhere("vague_names") == []


def test_a_long_file_or_function_is_found() -> None:
    assert too_large("x = 1\n" * 301) == ["the file has 301 lines, over 300"]
    assert too_large("def f():\n" + "    x = 1\n" * 40) == ["f has 41 lines, over 40"]
    assert too_large("class A:\n    async def f(self):\n" + "        x = 1\n" * 39) == []


def test_a_sixth_positional_parameter_is_found() -> None:
    assert too_many_parameters("def f(a, b, c, d, e, f): ...") == ["f has 6 positional parameters, over 5"]
    assert too_many_parameters("class A:\n    def f(self, a, b, c, d, e, *, f, g): ...") == []


def test_a_missing_docstring_is_found() -> None:
    assert unexplained("x = 1") == ["the module does not say what it is"]
    assert unexplained('"""What."""\nclass A: ...\nclass _B: ...') == ["class A does not say what it is"]


@pytest.mark.parametrize("name", ["OfferManager", "message_handler", "Helper", "grid_data", "utils"])
def test_a_vague_name_is_found(name: str) -> None:
    assert vague_names("desk", f"def {name}(): ...") == [f"{name} is a vague name"]
    assert vague_names(name, "") == [f"{name} is a vague name"]


def test_a_word_that_only_contains_a_vague_one_is_not() -> None:
    assert (
        vague_names(
            "database", "def update(): ...\nclass Utility: ...\nclass ResourceData: ...\ndef _technical_data(): ..."
        )
        == []
    )
