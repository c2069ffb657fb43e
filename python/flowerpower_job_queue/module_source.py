"""A module's source by its top-level statements: what each binds, reads, imports and calls."""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

# Names whose use says nothing about what is reached.
_DYNAMIC = frozenset(("eval", "exec", "globals", "locals", "vars", "__import__", "import_module"))
# Where FlowerPower keeps the YAML's params.
_PARAMS = frozenset(("params", "h_params"))
# Told among the calls, for they say more than the name alone.
OPEN_TO_WRITE = "open to write"
READS_ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Target:
    """What an import refers to: a module, or with `member` something of it."""

    level: int
    module: str
    member: str | None = None
    # False for `import a.b`, which binds `a`: an attribute taken of that is a module, not a name of `a.b`.
    has_attributes: bool = True


@dataclass(frozen=True)
class Statement:
    """A top-level statement. Comments, docstrings and layout do not count for its digest."""

    digest: bytes
    # Names that it reads, each with the attribute that is taken of it.
    reads: frozenset[tuple[str, str | None]]
    # What an import statement binds, by name.
    aliases: dict[str, Target]
    # What it imports otherwise: inside of a function, below an `if`, everything of a module.
    imports: tuple[Target, ...]
    # Names whose values were computed at import.
    computed: frozenset[str]
    # What the functions in it call, as `name` or `base.name`.
    calls: frozenset[str]
    is_dynamic: bool
    reads_params: bool


@dataclass
class ModuleSource:
    """A file's statements: by the names that they bind, and those that always count."""

    package: str
    names: dict[str, list[Statement]] = field(default_factory=dict[str, list[Statement]])
    always: list[Statement] = field(default_factory=list[Statement])

    def of(self, name: str | None) -> list[Statement]:
        """The statements that make a name what it is; None: all of the module's."""
        if name is not None:
            return [*self.always, *self.names.get(name, [])]
        return [*self.always, *(statement for statements in self.names.values() for statement in statements)]


def read_module(file: str, module: str) -> ModuleSource | None:
    """Parses a file; None when it cannot be."""
    package = module if os.path.basename(file) == "__init__.py" else module.rpartition(".")[0]
    source = ModuleSource(package)
    try:
        with open(file, "rb") as stream:
            tree = ast.parse(stream.read(), file)
        for position, statement in enumerate(tree.body):
            if _is_docstring(statement, position) or _is_main(statement):
                continue
            names = _bound_by(statement)
            read = _read(statement, names or [])
            if names is None:
                source.always.append(read)
            for name in names or ():
                source.names.setdefault(name, []).append(read)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    return source


def _bound_by(statement: ast.stmt) -> list[str] | None:
    """The names that a statement binds and does nothing else; None when it does more, such as change a dict."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, ast.Import):
        return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        names = [alias.asname or alias.name for alias in statement.names]
        return None if "*" in names else names
    if isinstance(statement, ast.Assign):
        targets = list(_unpacked(statement.targets))
    elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        targets = [statement.target]
    else:
        return None
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return names if len(names) == len(targets) else None


def _unpacked(targets: list[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            yield from _unpacked(target.elts)
        else:
            yield target


def _read(statement: ast.stmt, names: list[str]) -> Statement:
    reader = _Reader()
    reader.visit(statement)
    aliases: dict[str, Target] = {}
    if names and isinstance(statement, ast.Import):
        for name, alias in zip(names, statement.names, strict=True):
            plain = alias.asname is not None or "." not in alias.name
            aliases[name] = Target(0, alias.name, has_attributes=plain)
    elif names and isinstance(statement, ast.ImportFrom):
        for name, alias in zip(names, statement.names, strict=True):
            aliases[name] = Target(statement.level, statement.module or "", alias.name)
    is_assignment = isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign))
    is_code = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    return Statement(
        digest=hashlib.sha256(_text_of(statement).encode(errors="surrogateescape")).digest(),
        reads=frozenset(reader.reads),
        aliases=aliases,
        imports=() if aliases else tuple(reader.imports),
        computed=frozenset(names if is_assignment and not _is_literal(statement.value) else ()),
        # What runs at import has run: its value counts, not what it called.
        calls=frozenset(reader.calls if is_code else ()),
        is_dynamic=reader.is_dynamic,
        reads_params=reader.reads_params,
    )


class _Reader(ast.NodeVisitor):
    """What a statement reads of its module, imports and calls, at any depth.

    A function's own names are not the module's: the parameters of a node have the names of other nodes.
    """

    def __init__(self) -> None:
        self._own: list[frozenset[str]] = []
        self.reads: set[tuple[str, str | None]] = set()
        self.imports: list[Target] = []
        self.calls: set[str] = set()
        self.is_dynamic = False
        self.reads_params = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._outside(node.args)
        self._inside(_parameters(node.args), [node.body])

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in [*node.decorator_list, *([node.returns] if node.returns is not None else [])]:
            self.visit(part)
        self._outside(node.args)
        own = _parameters(node.args)
        shared: set[str] = set()
        for inner in _within(node.body):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, (ast.Store, ast.Del)):
                own.add(inner.id)
            elif isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                own.add(inner.name)
            elif isinstance(inner, (ast.Global, ast.Nonlocal)):
                shared.update(inner.names)
        self._inside(own - shared, node.body)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        own = {n.id for each in node.generators for n in ast.walk(each.target) if isinstance(n, ast.Name)}
        # The first source is evaluated outside.
        self.visit(node.generators[0].iter)
        self._inside(own, list(ast.iter_child_nodes(node)))

    def _outside(self, arguments: ast.arguments) -> None:
        """Defaults and annotations are evaluated where the function is defined."""
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            if argument.annotation is not None:
                self.visit(argument.annotation)
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default)

    def _inside(self, own: set[str], body: Sequence[ast.AST]) -> None:
        self._own.append(frozenset(own))
        for part in body:
            self.visit(part)
        self._own.pop()

    def _note(self, name: str, attribute: str | None) -> None:
        if not any(name in own for own in self._own):
            self.reads.add((name, attribute))

    def visit_Name(self, node: ast.Name) -> None:
        self._note(node.id, None)
        self.is_dynamic = self.is_dynamic or node.id in _DYNAMIC

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.reads_params = self.reads_params or node.attr in _PARAMS
        self.is_dynamic = self.is_dynamic or node.attr in ("import_module", "__dict__")
        if node.attr == "environ":
            self.calls.add(READS_ENVIRONMENT)
        if isinstance(node.value, ast.Name):
            self._note(node.value.id, node.attr)
        else:
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Name):
            self.calls.add(function.id)
        elif isinstance(function, ast.Attribute):
            base = function.value.id if isinstance(function.value, ast.Name) else ""
            self.calls.add(f"{base}.{function.attr}")
        if getattr(function, "id", getattr(function, "attr", None)) == "open" and _opens_to_write(node):
            self.calls.add(OPEN_TO_WRITE)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.imports.extend(Target(0, alias.name) for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.imports.append(Target(node.level, node.module or "", None if alias.name == "*" else alias.name))

    def visit_Constant(self, node: ast.Constant) -> None:
        # An annotation in quotes names a class all the same.
        if isinstance(node.value, str) and node.value.isidentifier():
            self._note(node.value, None)


def _parameters(arguments: ast.arguments) -> set[str]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every if argument is not None}


def _within(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """What is in a function's body, and not in that of a function or class inside of it."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def _opens_to_write(call: ast.Call) -> bool:
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    modes = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    return any(len(mode) <= 3 and not set("wax+").isdisjoint(mode) and set(mode) <= set("rwaxbt+") for mode in modes)


def _text_of(statement: ast.stmt) -> str:
    for node in ast.walk(statement):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and _is_docstring(node.body[0], 0):
            # The tree is not used for anything else afterwards.
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(statement)


def _is_docstring(statement: ast.stmt, position: int) -> bool:
    return (
        position == 0
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_main(statement: ast.stmt) -> bool:
    """`if __name__ == "__main__":` never runs where a module is imported."""
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def _is_literal(value: ast.expr | None) -> bool:
    try:
        return value is None or (ast.literal_eval(value), True)[1]
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
