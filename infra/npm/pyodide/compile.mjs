// node compile.mjs FOLDER: byte code of CPython 3.13 beside each module below FOLDER.
import { loadPyodide } from "pyodide";

const [folder] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdirTree("/package");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/package");
const compiled = python.runPython(`
import compileall, py_compile
compileall.compile_dir(
    "/package", quiet=1, force=True, maxlevels=99, stripdir="/package",
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
)
`);
process.exit(compiled ? 0 : 1);
