// node compile.mjs FOLDER WHERE: byte code of CPython 3.13 beside each module below FOLDER, which will lie in WHERE.
import { loadPyodide } from "pyodide";

const [folder, where] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdirTree("/package");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/package");
python.globals.set("where", where);
const compiled = python.runPython(`
import compileall, py_compile
compileall.compile_dir(
    "/package", quiet=1, force=True, maxlevels=99, stripdir="/package", prependdir=where,
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
)
`);
process.exit(compiled ? 0 : 1);
