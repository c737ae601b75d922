"""The numbers of the whole tree and their limits (docs/style.md gives the reasons)."""

from typing import NamedTuple, Optional

from tree import is_test

FILE_LINES = 800
FUNCTION_LINES = 70
NESTING = 5


class Limit(NamedTuple):
    """A number of the tree with its highest or lowest value."""
    what: str
    value: float
    highest: Optional[float] = None
    lowest: Optional[float] = None
    advice: str = ""

    @property
    def broken(self):
        return ((self.highest is not None and self.value > self.highest) or
                (self.lowest is not None and self.value < self.lowest))

    def __str__(self):
        bound = f"at most {self.highest}" if self.highest is not None else f"at least {self.lowest}"
        return f"{self.what} is {self.value:g}, limit {bound}"


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(round(share * (len(values) - 1))))] if values else 0


def _percent(part, rest):
    return round(100.0 * part / max(1, part + rest), 1)


def tree_limits(tree):
    """Every limit on the tree as a whole, with the values found, in the order of docs/style.md."""
    ours = {path: source for path, source in tree.sources.items() if not is_test(path)}
    headers = [source for path, source in ours.items() if path.endswith(".h")]
    functions = [function for source in ours.values() for function in source.functions]
    files = [source.line_count for source in ours.values()]
    lengths = [function.length for function in functions]
    code = sum(source.code_lines for source in ours.values())
    test_code = sum(s.code_lines for path, s in tree.sources.items() if is_test(path))
    thousands = max(1, code) / 1000.0
    todos = sum(len(source.todo_lines) for source in ours.values())
    conditions = sum(map(len, (_conditions(path, source) for path, source in ours.items())))
    shorter = "split the longest"
    return [
        Limit("file length, median", percentile(files, .5), highest=130, advice=shorter),
        Limit("file length, 95th percentile", percentile(files, .95), highest=450, advice=shorter),
        Limit("function length, median", percentile(lengths, .5), highest=8, advice=shorter),
        Limit("function length, 95th percentile", percentile(lengths, .95), highest=45,
              advice=shorter),
        Limit("nesting, 95th percentile", percentile([f.nesting for f in functions], .95),
              highest=3, advice="return early, or name the inner block as a function"),
        Limit("comment share in percent", _percent(sum(s.comment_lines for s in ours.values()), code),
              lowest=15, advice="say why, not what"),
        Limit("comment share of headers in percent",
              _percent(sum(s.comment_lines for s in headers), sum(s.code_lines for s in headers)),
              lowest=25, advice="the header is the manual: contract, ownership, thread safety"),
        Limit("TODO per 1000 lines", round(todos / thousands, 1), highest=1,
              advice="do them or open an issue"),
        Limit("#if per 1000 lines", round(conditions / thousands, 1), highest=3,
              advice="what a machine lacks is missing from a table, not compiled out"),
        Limit("test code per line of source", round(test_code / max(1, code), 2), lowest=1,
              advice="test what has no test"),
    ]


def _conditions(path, source):
    """The #if lines of a file, without the include guard of a header."""
    lines = source.conditional_lines()
    return lines[1:] if path.endswith(".h") else lines
