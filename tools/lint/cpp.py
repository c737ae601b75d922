"""Reads C++ as a lexer does: comments and strings exactly, functions by their braces.

No compiler is asked, so both arms of an #if are read, each from the same depth. A function is the
outermost one; lambdas inside it count as nesting.
"""

import re
from typing import List, NamedTuple

_TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)
      | (?P<block>/\*.*?(?:\*/|\Z))
      | (?P<raw>(?<![A-Za-z0-9_])(?:u8|[uUL])?R"(?P<end>[^()\\\s]{0,16})\(.*?(?:\)(?P=end)"|\Z))
      | (?P<text>"(?:\\.|[^"\\\n])*(?:"|(?=\n)|\Z))
      | (?P<separator>(?<=[A-Za-z0-9_])'(?=[A-Za-z0-9]))
      | (?P<char>'(?:\\.|[^'\\\n])*(?:'|(?=\n)|\Z))""", re.X | re.S)
_INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
_DIRECTIVE = re.compile(r"#\s*(\w+)(?:[^\n]*\\\n)*[^\n]*")
_CONTROL = re.compile(r"\b(if|for|while|switch|else|do|catch|try|case|default)\b")
_LAMBDA = re.compile(r"\[[^\]]*\]\s*(\(.*\))?\s*(mutable|noexcept|->.*)?\s*$")
_AFTER_PARAMETERS = re.compile(
    r"^(\s|&|const\b|noexcept\b|override\b|final\b|try\b|mutable\b|volatile\b|[A-Z][A-Z_0-9]+\b)*$")
_TYPE = re.compile(r"^\s*(?:(?:typedef|inline|static|const|extern|template\b[^{]*>)\s+)*"
                   r"(namespace|class|struct|enum|union|extern|concept)\b")
_RETURNS_TYPE = re.compile(r"^\s*(?:(?:typedef|static|inline|const)\s+)*(?:struct|enum|class|union)"
                           r"\s+[\w:]+\s*[*&]*\s+[\w:*&]+\s*\(")
_TEMPLATE = re.compile(r"template\s*<[^{]*?>\s*(?=class|struct|union)")
_ACCESS = re.compile(r"^(\s*(public|private|protected)\s*:)+")
_NAME = re.compile(r"([~\w:]+(?:<[^()]*>)?|operator\S+)\s*\(")
_WORD_TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


class Function(NamedTuple):
    """An outermost function; `nesting` is the deepest count of blocks inside its body."""
    name: str
    line: int
    length: int
    nesting: int


class Include(NamedTuple):
    path: str
    line: int
    quoted: bool


class Source:
    """One file: what each line holds, its includes and its functions.

    `code` is the text with comments and the insides of strings blanked out, line for line.
    """

    def __init__(self, text):
        self.todo_lines: List[int] = []
        self.line_count = len(text.splitlines())
        self._comment_at = bytearray(len(text))
        self._text_at = bytearray(len(text))
        self.code = self._blanked(text)
        self._count_lines(text)
        self.includes = self._read_includes(text)
        self.functions = _Functions(self.code).found

    def _blanked(self, text):

        def blank(match):
            token, start = match.group(), match.start()
            spaces = re.sub(r"[^\n]", " ", token)
            if match.lastgroup in ("line", "block"):
                self._comment_at[start:match.end()] = b"\1" * len(token)
                if _WORD_TODO.search(token):
                    self.todo_lines.append(text.count("\n", 0, start) + 1)
                return spaces
            if match.lastgroup == "separator" or len(token) < 2:
                return spaces
            self._text_at[start:match.end()] = b"\1" * len(token)
            quote = "'" if match.lastgroup == "char" else '"'
            return quote + spaces[1:-1] + quote

        return _TOKEN.sub(blank, text)

    def _count_lines(self, text):
        self.code_lines, self.comment_lines, start = 0, 0, 0
        for line in text.split("\n"):
            end = start + len(line)
            if self.code[start:end].strip() or any(self._text_at[start:end]):
                self.code_lines += 1
            elif any(self._comment_at[start:end + 1]):
                self.comment_lines += 1
            start = end + 1

    def _read_includes(self, text):
        found = []
        for number, (line, code) in enumerate(zip(text.split("\n"), self.code.split("\n")), 1):
            match = _INCLUDE.match(line)
            if match and code.lstrip().startswith("#"):
                found.append(Include(match.group(2), number, match.group(1) == '"'))
        return found

    def lines_with(self, word):
        """The numbers of the lines whose code (not comment or string) holds `word`."""
        pattern = re.compile(rf"\b{word}\b")
        return [n for n, line in enumerate(self.code.split("\n"), 1) if pattern.search(line)]

    def conditional_lines(self):
        """The numbers of the lines with an #if of any form."""
        pattern = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif)\b")
        return [n for n, line in enumerate(self.code.split("\n"), 1) if pattern.match(line)]


class _Scope:
    """An open brace: a "function", a "block" or "initializer" in one, or a "scope" outside."""

    def __init__(self, kind, head, line, parens):
        self.kind, self.head, self.line, self.parens = kind, head, line, parens
        self.nesting = 0


class _Functions:
    """Walks over blanked code and collects its functions."""

    def __init__(self, code):
        self.found: List[Function] = []
        self._stack: List[_Scope] = []
        self._saved = []  # the state at each open #if
        self._head = []  # what was read since the last statement or brace
        self._parens = 0
        self._line = 1
        self._walk(code)

    def _walk(self, code):
        at, fresh_line = 0, True
        while at < len(code):
            char = code[at]
            if fresh_line and char == "#":
                match = _DIRECTIVE.match(code, at)
                end = match.end() if match else at + 1
                self._directive(match.group(1) if match else "")
                self._line += code.count("\n", at, end)
                at = end
                continue
            fresh_line = char == "\n" or (fresh_line and char.isspace())
            self._take(char)
            at += 1

    def _take(self, char):
        if char == "\n":
            self._line += 1
            self._head.append(" ")
        elif char in "([":
            self._parens += 1
            self._head.append(char)
        elif char in ")]":
            self._parens = max(0, self._parens - 1)
            self._head.append(char)
        elif char == "{":
            self._open()
        elif char == "}":
            self._close()
        elif char == ";" and self._parens == 0:
            self._head = []
        else:
            self._head.append(char)

    def _directive(self, word):
        if word in ("if", "ifdef", "ifndef"):
            self._saved.append((list(self._stack), self._parens))
        elif word in ("else", "elif") and self._saved:
            self._stack, self._parens = list(self._saved[-1][0]), self._saved[-1][1]
        elif word == "endif" and self._saved:
            self._saved.pop()

    def _function(self):
        return next((scope for scope in self._stack if scope.kind == "function"), None)

    def _open(self):
        head = "".join(self._head).strip()
        function = self._function()
        if function is not None:
            kind = "block" if self._is_block(head) else "initializer"
            self._stack.append(_Scope(kind, head, self._line, self._parens))
            blocks = sum(scope.kind == "block" for scope in self._stack)
            function.nesting = max(function.nesting, blocks)
        else:
            signature = _ACCESS.sub("", head)
            is_function = _is_function(signature)
            tail = signature[signature.rfind(")") + 1:]
            if (is_function and "->" not in tail and "requires" not in signature and
                    not _AFTER_PARAMETERS.match(tail)):  # `: member_{…}` of a constructor
                self._stack.append(_Scope("initializer", head, self._line, self._parens))
            elif is_function and self._parens == 0:
                self._stack.append(_Scope("function", signature, self._line, 0))
            else:
                self._stack.append(_Scope("scope", signature, self._line, self._parens))
        self._head, self._parens = [], 0

    def _is_block(self, head):
        if not head:
            return self._stack[-1].kind != "initializer"
        return bool(_CONTROL.search(head) or _LAMBDA.search(head) or head.endswith((")", ":")))

    def _close(self):
        if not self._stack:
            self._head = []
            return
        scope = self._stack.pop()
        self._parens = scope.parens
        if scope.kind == "function":
            length = self._line - scope.line + 1
            name = _NAME.search(scope.head)
            name = name.group(1).strip() if name else scope.head[:40]
            self.found.append(Function(name, scope.line, length, scope.nesting))
        in_constructor = scope.kind == "initializer" and self._function() is None
        self._head = [scope.head, "()"] if in_constructor else []


def _is_function(signature):
    """Whether what stands before a brace outside of functions is a function's head."""
    if "(" not in signature or ")" not in signature:
        return bool(_RETURNS_TYPE.match(signature))
    if _RETURNS_TYPE.match(signature):
        return True
    return not (_TYPE.match(_TEMPLATE.sub("", signature)) or re.search(r"=\s*$", signature) or
                _CONTROL.match(signature))
