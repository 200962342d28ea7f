"""Where the values of a file's names come from: which of its expressions are arrays, dicts, keys."""

import ast


class Scope:
    """A module, class, function or lambda: its names, and what each is bound to, `(how, value, scope)`.

    A name *is* a value, or *each* of a value's items or *keys* in turn, it *holds* a value among others, or
    an annotation *says* what it is or *returns*.
    """

    def __init__(self, outer=None, owner=None):
        self.outer, self.owner, self.bound, self.elsewhere = outer, owner, {}, set()

    def find(self, node):
        """Return what a name or an attribute of `self` is bound to; None for other expressions."""
        match node:
            case ast.Name(id=name) if name in self.bound:
                return self.bound[name]
            case ast.Name() if self.outer:
                return self.outer.find(node)
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if self.owner:
                return self.owner.bound.get(name)
        return None

    def bind(self, target, how, value, where=None):
        where = where or self
        match target, value:
            case ast.Name(id=name), _ if name in self.elsewhere and self.outer:
                self.outer.bind(target, how, value, where)
            case ast.Name(id=name), _:
                self.bound.setdefault(name, []).append((how, value, where))
            case ast.Attribute(value=ast.Name(id="self"), attr=name), _ if self.owner:
                self.owner.bind(ast.Name(id=name), how, value, where)
            case ast.Attribute(value=root) | ast.Subscript(value=root), _:
                if (found := self.find(root)) is None:
                    self.bind(root, "holds", value)
                else:
                    found.append(("holds", value, where))
            case ast.Starred(value=root), _:
                self.bind(root, "each", value)
            case ((ast.Tuple(elts=names) | ast.List(elts=names)), _):
                for name, (kind, item) in zip(names, self._items(how, value, len(names)), strict=True):
                    self.bind(name, kind, item)

    def _items(self, how, value, count):
        match how, value:
            case "is", ast.Tuple(elts=items) if len(items) == count:
                return [("is", item) for item in items]
            case "each", ast.Call(func=ast.Attribute(attr="items", value=table)):
                return [("keys", table), ("each", table)]
            case "each", ast.Call(func=ast.Name(id="enumerate"), args=[items, *_]):
                return [("is", ast.Constant(value=0)), ("each", items)]
            case "each", ast.Call(func=ast.Name(id="zip"), args=items) if len(items) == count:
                return [("each", item) for item in items]
        return [("each", value)] * count


class Arrays:
    """Which expressions of a file are arrays, or may be: what follows from parameters and the namespace.

    A parameter is an array unless its annotation names a type of the host. What is computed from an
    array, or by the namespace, is one. Shapes are numbers, and so is what was brought to the host.
    """

    HOST_TYPES = ("int", "float", "Decimal", "str", "bool", "bytes", "type", "Path", "Callable", "Literal")
    OWN_TYPES = (
        *("MLP", "Model", "Backend", "Context", "OverSamples", "Parameter", "Layer", "Loss", "Network"),
        *("Sequential", "Pixels", "Stream", "Optimizer", "Schedule", "Record", "Arithmetic", "Shape"),
    )
    DICTS = ("dict", "Mapping", "MutableMapping", "defaultdict", "Tree", "Params", "Slots", "Coefficients")
    TEXTS = ("tuple[str, ...", "list[str", "Sequence[str", "Iterable[str")
    HOST_CALLS = (
        *("float", "int", "len", "bool", "str", "range", "isinstance", "to_numpy", "getattr", "hasattr"),
        *("callable", "isdtype", "finfo", "iinfo", "repr"),
    )
    HOST_ATTRIBUTES = ("shape", "ndim", "dtype", "device", "size")
    ARRAY_ATTRIBUTES = ("random", "params", "state")
    """Of what is handed around: contexts and variables."""

    def __init__(self, tree):
        self.nodes = []
        self._read(tree, Scope())

    def _read(self, node, scope):
        self.nodes.append((node, scope))
        inner = scope
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                if not isinstance(node, ast.Lambda):
                    scope.bind(ast.Name(id=node.name), "returns", node.returns)
                in_class = scope.owner is scope
                inner = Scope(scope.outer if in_class else scope, scope.owner)
                for argument in ast.walk(node.args):
                    if isinstance(argument, ast.arg) and argument.arg not in ("self", "cls", "xp"):
                        inner.bind(ast.Name(id=argument.arg), "says", argument.annotation)
            case ast.ClassDef():
                inner = Scope(scope)
                inner.owner = inner
            case ast.Nonlocal(names=names) | ast.Global(names=names):
                scope.elsewhere |= {*names}
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    scope.bind(target, "is", value)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                scope.bind(target, "says", annotation)
                if value:
                    scope.bind(target, "holds", value)
            case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                scope.bind(target, "is", value)
            case ast.For(target=target, iter=items) | ast.comprehension(target=target, iter=items):
                scope.bind(target, "each", items)
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                scope.bind(target, "is", value)
            case ast.Call(
                func=ast.Attribute(attr="append" | "extend" | "insert" | "update"), args=[*_, item]
            ):
                scope.bind(node.func, "holds", item)
        for child in ast.iter_child_nodes(node):
            self._read(child, inner)

    def _says_array(self, annotation):
        match annotation:
            case None:
                return True
            case ast.Constant(value=value):
                return isinstance(value, str) and self._says_array(ast.parse(value, mode="eval").body)
            case ast.Subscript(value=ast.Name(id=name), slice=inside):
                return name not in self.HOST_TYPES and self._says_array(inside)
            case ast.BinOp(left=left, right=right):
                return self._says_array(left) or self._says_array(right)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return any(map(self._says_array, items))
        return ast.unparse(annotation).rpartition(".")[2] not in self.HOST_TYPES + self.OWN_TYPES

    def has(self, node, scope, seen=None):
        """Tell whether an expression is an array, or holds one."""
        if is_namespace(node):
            return False
        seen = set() if seen is None else seen
        found = scope.find(node)
        if found is not None:
            new, _ = id(found) not in seen, seen.add(id(found))
            return new and any(self._has(*binding, seen) for binding in found)
        match node:
            case ast.Call(func=function) if returned := self._returned(function, scope):
                return any(map(self._says_array, returned))
            case ast.Attribute(attr=name):
                may = name not in self.HOST_ATTRIBUTES
                return may and (name in self.ARRAY_ATTRIBUTES or self.has(node.value, scope, seen))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in self.HOST_CALLS:
                return False
            case ast.Call(func=ast.Attribute(value=ast.Name(id="math"))):
                return False
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if (
                is_namespace(owner) or name == "bits"
            ):
                return True
            case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
                return False
            case ast.expr() | ast.keyword() | ast.comprehension():
                return any(self.has(child, scope, seen) for child in ast.iter_child_nodes(node))
        return False

    def _has(self, how, value, where, seen):
        if how in ("says", "returns"):
            return (value is not None or how == "says") and self._says_array(value)
        return how != "keys" and self.has(value, where, seen)

    def _returned(self, function, scope):
        """Return what the functions of that name say that they return; nothing where one does not say."""
        found = scope.find(function) or ()
        returned = [value for how, value, _ in found if how == "returns" and value is not None]
        return returned if len(returned) == len(found) else []

    def kind(self, node, scope, seen=frozenset()):
        """Return "dict" or "list" for what is known to be one, and "" for what may be an array."""
        found = scope.find(node)
        if found is not None:
            bindings = [item for item in found if item[0] != "holds" and id(item) not in seen]
            kinds = {self._kind(*item, seen | {id(item)}) for item in bindings}
            return kinds.pop() if len(kinds) == 1 else ""
        match node:
            case ast.Dict() | ast.DictComp() | ast.Call(func=ast.Name(id="dict" | "defaultdict")):
                return "dict"
            case ast.List() | ast.ListComp() | ast.Call(func=ast.Name(id="list" | "sorted")):
                return "list"
            case ast.Call(func=ast.Attribute(attr="setdefault"), args=[_, value]):
                return self.kind(value, scope, seen)
            case ast.BinOp(left=left, op=ast.Mult(), right=right) if not self.has(right, scope):
                return self.kind(left, scope, seen)
            case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
                kind = self.kind(one, scope, seen)
                return kind if kind == self.kind(other, scope, seen) else ""
        return ""

    def _kind(self, how, value, where, seen):
        if how == "says" and value is not None:
            name = ast.unparse(value).removeprefix("ClassVar[").partition("[")[0]
            return "dict" if name in self.DICTS else "list" if name == "list" else ""
        return self.kind(value, where, seen) if how == "is" else ""

    def is_key(self, node, scope, seen=frozenset()):
        """Tell whether an expression is known to be text, or a key of a dict."""
        found = scope.find(node)
        if found is not None:
            bindings = [item for item in found if item[0] != "holds" and id(item) not in seen]
            return bool(bindings) and all(self._is_key(*item, seen | {id(item)}) for item in bindings)
        match node:
            case ast.Constant(value=str()) | ast.JoinedStr() | ast.Call(func=ast.Name(id="str" | "repr")):
                return True
            case ast.Call(func=ast.Attribute(value=text)) | ast.BinOp(left=text):
                return self.is_key(text, scope, seen)
        return False

    def _is_key(self, how, value, where, seen):
        match how, value:
            case "says", annotation if annotation is not None:
                return ast.unparse(annotation) in ("str", "ClassVar[str]")
            case "is", text:
                return self.is_key(text, where, seen)
            case "each", items:
                return self._are_keys(items, where, seen)
        return how == "keys"

    def _are_keys(self, items, scope, seen):
        match items:
            case ast.Tuple(elts=texts) | ast.List(elts=texts) | ast.Set(elts=texts):
                return all(self.is_key(text, scope, seen) for text in texts)
            case ast.Call(func=ast.Attribute(attr="keys")):
                return True
            case ast.Call(
                func=ast.Name(id="sorted" | "list" | "tuple" | "reversed" | "set"), args=[inner, *_]
            ):
                return self._are_keys(inner, scope, seen)
        said = [ast.unparse(value) for how, value, _ in scope.find(items) or () if how == "says" and value]
        words = [text.removeprefix("ClassVar[").rstrip("]") for text in said]
        of_text = words and all(word in self.TEXTS for word in words)
        return bool(of_text) or self.kind(items, scope) == "dict"


def is_namespace(node):
    """Tell whether an expression is `xp`, `self.xp`, `backend.xp` …"""
    return ast.unparse(node).rpartition(".")[2] in ("xp", "_xp")
