#!/usr/bin/env python3
"""Checks the layers and the style limits of the tree (docs/style.md).

  check.py                 every breach as "file:line: what, limit, what to do"; exit status 1 if any
  check.py --numbers       also prints the numbers of the tree beside their limits
  check.py --longest N     also prints the N longest files and functions
  check.py --write-groups  rewrites the package groups of //BUILD from tools/lint/layers.txt
  check.py --root FOLDER   another tree than the one this file lies in
"""

import argparse
import os
import sys
from typing import NamedTuple

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import build_files  # pylint: disable=wrong-import-position
import cycles  # pylint: disable=wrong-import-position
import limits  # pylint: disable=wrong-import-position
from layers import Layers  # pylint: disable=wrong-import-position
from tree import Tree, folder_of, is_test  # pylint: disable=wrong-import-position

LAYERS = "tools/lint/layers.txt"


class Breach(NamedTuple):
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


def check_layers(tree, rules):
    """Includes that point up or sideways, and folders that have no line."""
    homeless = {}
    for path in tree.sources:
        if rules.rule_of(folder_of(path)) is None:
            homeless.setdefault(folder_of(path), path)
    for folder, path in homeless.items():
        yield Breach(path, 1, f"folder {folder} has no line in {LAYERS}; add it in the same commit")
    for edge in tree.edges():
        user, used = folder_of(edge.user), folder_of(edge.used)
        if user not in homeless and not rules.may_include(user, used):
            yield Breach(edge.user, edge.line,
                         f"{user} may not include {used} ({edge.used}); {LAYERS} says who may: "
                         f"move the code down, or hand the thing in as an argument")


def check_includes(tree):
    """Quoted includes of files that are ours by their folder, but not there; relative includes."""
    folders = {path.split("/")[0] for path in tree.sources}
    for path, source in tree.sources.items():
        for include in source.includes:
            if not include.quoted or tree.target_of(include.path):
                continue
            beside = os.path.normpath(os.path.join(os.path.dirname(path), include.path))
            if beside in tree.sources:
                yield Breach(path, include.line,
                             f'"{include.path}" is relative; write "{beside}"')
            elif include.path.split("/")[0] in folders and ".pb." not in include.path:
                yield Breach(path, include.line, f"no such file: {include.path}; correct the path")


def check_cycles(tree):
    """Includes that lead back to where they started: by file, by folder, by top folder."""
    edges = [edge for edge in tree.edges() if not is_test(edge.used)]
    levels = [("file", lambda path: path), ("folder", folder_of),
              ("top folder", lambda path: folder_of(path, 1))]
    for what, place in levels:
        found = [(place(e.user), place(e.used), e) for e in edges if place(e.user) != place(e.used)]
        for group in cycles.cycles([(user, used) for user, used, _ in found]):
            edge = next(e for user, used, e in found if user in group and used in group)
            yield Breach(edge.user, edge.line,
                         f"{what} cycle: {' '.join(sorted(group))}; limit 0, break it by moving "
                         f"what both need below both")


def check_sizes(tree):
    """Files, functions and nesting beyond the limit; test functions may be as long as a story."""
    for path, source in tree.sources.items():
        if source.line_count > limits.FILE_LINES:
            yield Breach(path, source.line_count,
                         f"{source.line_count} lines, limit {limits.FILE_LINES}; one idea a file")
        for function in [] if is_test(path) else source.functions:
            if function.length > limits.FUNCTION_LINES:
                yield Breach(path, function.line,
                             f"{function.name} has {function.length} lines, limit "
                             f"{limits.FUNCTION_LINES}; name its parts as functions")
            if function.nesting > limits.NESTING:
                yield Breach(path, function.line,
                             f"{function.name} nests {function.nesting} deep, limit "
                             f"{limits.NESTING}; return early or name the inner block")


def check_words(tree):
    """Exceptions thrown by our own code."""
    for path, source in tree.sources.items():
        for line in [] if is_test(path) else source.lines_with("throw"):
            yield Breach(path, line, "throw, limit 0; return an absl::Status")


def check_guards(tree):
    """Headers whose include guard does not follow from their path."""
    for path in tree.sources:
        if not path.endswith(".h"):
            continue
        guard = "RM_" + path.upper().replace("/", "_").replace(".", "_").replace("-", "_") + "_"
        code = tree.sources[path].code
        if f"#ifndef {guard}\n#define {guard}\n" not in code:
            yield Breach(path, 1, f"include guard is not {guard}; add #ifndef, #define, #endif")


def check_limits(tree):
    """Medians, percentiles and shares over the whole tree."""
    for limit in limits.tree_limits(tree):
        if limit.broken:
            yield Breach("tree", 0, f"{limit}; {limit.advice}")


def all_breaches(tree):
    """Every breach of the tree, by file and line."""
    rules = Layers(tree.read(LAYERS))
    found = [
        *check_layers(tree, rules), *check_includes(tree), *check_cycles(tree),
        *check_sizes(tree), *check_words(tree), *check_guards(tree), *check_limits(tree),
        *(Breach(*breach) for breach in build_files.breaches(tree, rules)),
    ]
    return sorted(set(found))


def print_numbers(tree):
    for limit in limits.tree_limits(tree):
        print(limit)


def print_longest(tree, count):
    ours = {path: source for path, source in tree.sources.items() if not is_test(path)}
    for path in sorted(ours, key=lambda p: -ours[p].line_count)[:count]:
        print(f"{ours[path].line_count:5} lines  {path}")
    functions = [(f, path) for path, source in ours.items() for f in source.functions]
    for function, path in sorted(functions, key=lambda f: -f[0].length)[:count]:
        print(f"{function.length:5} lines  {path}:{function.line} {function.name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.realpath(__file__))
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(here)))
    parser.add_argument("--numbers", action="store_true")
    parser.add_argument("--longest", type=int, default=0)
    parser.add_argument("--write-groups", action="store_true")
    args = parser.parse_args()
    if args.write_groups:
        return build_files.write_groups(args.root, LAYERS)
    tree = Tree(args.root)
    if args.numbers:
        print_numbers(tree)
    print_longest(tree, args.longest)
    found = all_breaches(tree)
    for breach in found:
        print(breach)
    print(f"lint: {len(tree.sources)} files, {len(found)} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
