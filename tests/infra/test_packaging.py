"""What goes to Lambda: that it is whole, that it is no more than it has to be, and that it fits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra import bytecode, imports, node, packaging
from infra.imports import files_of, third_party_of
from infra.packaging import VERBS, PackagingFailed, Verb, package
from infra.paths import FUNCTIONS, LOCK, ROOT

WRITTEN = [verb for verb in VERBS if (FUNCTIONS / verb / "handler.py").exists()]
# What a module is called, and the package that brings it.
BROUGHT_BY = {
    "botocore": "botocore",
    "duckdb": "duckdb",
    "google.protobuf": "protobuf",
    "google.rpc": "googleapis-common-protos",
    "lark": "lark",
    "msgpack": "msgpack",
    "opentelemetry.proto": "opentelemetry-proto",
    "ptars": "ptars",
    "pyarrow": "pyarrow",
    "thrift": "thrift",
    "zstandard": "zstandard",
}
NAMESPACES = {"google", "opentelemetry"}  # folders that several packages share; no package by themselves
ELF_AARCH64 = (183).to_bytes(2, "little")  # e_machine at offset 18 (ELF specification)
UNCHECKED_HASH = (1).to_bytes(4, "little")  # the flags after the magic number (PEP 552)

# Run without site-packages and without the environment's paths, so that the package is all there is.
IMPORT_EVERYTHING = """
import importlib, sys
folder, *names = sys.argv[1:]
sys.path.insert(0, folder)
for name in names:
    importlib.import_module(name)
strangers = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
print("\\n".join(sorted(path for path in strangers if "site-packages" in path)))
"""


@pytest.mark.parametrize("verb", WRITTEN)
def test_every_module_of_a_package_imports_from_that_folder_alone(verb: Verb) -> None:
    folder = package(verb, "host").folder
    names = [dotted(path) for path in files_of(verb) if path.suffix == ".py"]
    command = [sys.executable, "-I", "-S", "-c", IMPORT_EVERYTHING, str(folder), *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


@pytest.mark.parametrize("verb", WRITTEN)
def test_a_function_requires_what_it_imports_and_nothing_else(verb: Verb) -> None:
    """KeyError: the function imports a package that nobody brings."""
    strangers = {name for name in third_party_of(verb) if name.split(".")[0] not in sys.stdlib_module_names}
    assert {brought_by(name) for name in strangers - NAMESPACES} == requirements(verb)


def test_there_is_a_folder_with_requirements_for_each_function() -> None:
    assert {path.parent.name for path in FUNCTIONS.glob(f"*/{imports.REQUIREMENTS}")} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_requirements_name_no_versions_because_the_lock_has_them(verb: Verb) -> None:
    locked = {line.split("==")[0].lower() for line in LOCK.read_text().splitlines()}
    assert requirements(verb) <= {name.replace("_", "-") for name in locked}


@pytest.mark.parametrize("verb", VERBS)
def test_a_package_for_lambda_fits_with_room_to_grow(verb: Verb) -> None:
    room = {"receive": 20, "store": 110, "plan": 15, "compact": 160, "query": 180, "authorize": 15, "show": 2}
    assert package(verb, "deploy").size_bytes() < room[verb] * 1024 * 1024
    assert max(room.values()) * 1024 * 1024 < packaging.LAMBDA_PACKAGE_BYTES


@pytest.mark.parametrize("verb", VERBS)
def test_shared_objects_are_for_arm_and_python_3_13(verb: Verb) -> None:
    for path in package(verb, "deploy").folder.rglob("*.so*"):
        assert path.read_bytes()[18:20] == ELF_AARCH64, path
        assert "cpython-" not in path.name or "cpython-313-" in path.name


@pytest.mark.parametrize("verb", VERBS)
def test_every_module_is_compiled_and_its_byte_code_never_goes_stale(verb: Verb) -> None:
    """The CDK command line zips with one date for all files; byte code that is checked against it is compiled again."""
    folder = package(verb, "deploy").folder
    for path in folder.rglob("*.py"):
        compiled = path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc"
        assert compiled.read_bytes()[:8] == bytecode.LAMBDA_MAGIC + UNCHECKED_HASH, path


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_carried_that_only_a_developer_needs(verb: Verb) -> None:
    folder = package(verb, "deploy").folder
    carried = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in carried if path.suffix in {".pyi", ".pyx", ".pxd", ".h"}]
    assert not [path for path in carried if {"tests", "include", "bin"} & set(path.parts)]
    services = {path.parts[2] for path in carried if path.parts[:2] == ("botocore", "data") and len(path.parts) > 3}
    assert services == (set() if verb == "show" else {"dynamodb", "lambda", "s3", "sqs", "sts"})


def test_show_carries_the_pages_and_no_library() -> None:
    folder = package("show", "deploy").folder
    assert (folder / "web" / "index.html").read_bytes() == (ROOT / "web" / "index.html").read_bytes()
    assert {path.name for path in folder.iterdir()} == {"show", "spandrel", "web"}


def test_each_function_leaves_the_others_libraries_alone() -> None:
    assert not (package("store", "deploy").folder / "duckdb").exists()
    assert not (package("query", "deploy").folder / "ptars").exists()
    for library in ("pyarrow", "google", "zstandard", "_duckdb.abi3.so"):
        assert not (package("authorize", "deploy").folder / library).exists()


@pytest.mark.parametrize("kind", ["source", "deploy"])
def test_the_same_sources_make_the_same_package(kind: packaging.Kind) -> None:
    assert package("authorize", kind) == package("authorize", kind)


def test_a_changed_source_makes_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_functions(tmp_path, monkeypatch)
    before = package("receive", "source")
    (tmp_path / "functions" / "receive" / "handler.py").write_text("answer = 2\n")
    after = package("receive", "source")
    assert before.digest != after.digest
    assert (before.folder / "receive" / "handler.py").read_text() == "answer = 1\n"
    assert (after.folder / "receive" / "handler.py").read_text() == "answer = 2\n"


def test_what_pip_cannot_install_is_said_and_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_functions(tmp_path, monkeypatch)
    (tmp_path / "functions" / "receive" / imports.REQUIREMENTS).write_text("./nowhere\n")
    with pytest.raises(PackagingFailed, match=r"pip could not install .*receive/requirements\.txt: .*nowhere"):
        package("receive", "deploy")
    assert not list((tmp_path / "cache").rglob("receive-*/*"))


def test_a_package_that_lambda_would_refuse_is_refused_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaging, "LAMBDA_PACKAGE_BYTES", 1000)
    with pytest.raises(PackagingFailed, match=r"authorize has \d+ bytes; Lambda takes 1000 at most"):
        package("authorize", "deploy")


def test_without_a_compiler_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(_pinned: Path) -> Path:
        raise node.NodeFailed("network is unreachable")

    monkeypatch.setattr(bytecode, "python_for_lambda", lambda: None)
    monkeypatch.setattr(node, "install", offline)
    with pytest.raises(bytecode.CompilerMissing, match=r"\(network is unreachable\); install python3\.13$"):
        bytecode.compile_for_lambda(tmp_path)


def test_byte_code_of_another_python_is_not_taken_for_lambdas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "module.py").write_text("x = 1\n")
    monkeypatch.setattr(bytecode, "python_for_lambda", lambda: sys.executable)
    monkeypatch.setattr(bytecode, "LAMBDA_MAGIC", b"\0\0\r\n")
    with pytest.raises(bytecode.CompilerMissing, match=r"module.*\.pyc is not for Python 3\.13"):
        bytecode.compile_for_lambda(tmp_path)


@pytest.mark.cdk
def test_pyodide_compiles_where_there_is_no_python_3_13(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "python_for_lambda", lambda: None)
    (tmp_path / "inner").mkdir()
    for path in (tmp_path / "outer.py", tmp_path / "inner" / "module.py"):
        path.write_text("def double(x):\n    return 2 * x\n")
    bytecode.compile_for_lambda(tmp_path)
    for path in (tmp_path / "__pycache__" / "outer.cpython-313.pyc", tmp_path / "inner" / "__pycache__"):
        assert path.exists()
    compiled = tmp_path / "inner" / "__pycache__" / "module.cpython-313.pyc"
    assert compiled.read_bytes()[:8] == bytecode.LAMBDA_MAGIC + UNCHECKED_HASH


def use_functions(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "functions" / "receive").mkdir(parents=True)
    (folder / "functions" / "receive" / "handler.py").write_text("answer = 1\n")
    for module in (imports, packaging):
        monkeypatch.setattr(module, "FUNCTIONS", folder / "functions")
    monkeypatch.setattr(packaging, "CACHE", folder / "cache")


def dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def requirements(verb: str) -> set[str]:
    lines = (FUNCTIONS / verb / imports.REQUIREMENTS).read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def brought_by(name: str) -> str:
    parts = name.split(".")
    return BROUGHT_BY.get(".".join(parts[:2])) or BROUGHT_BY[parts[0]]
