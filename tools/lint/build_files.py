"""Checks of BUILD files: private by default, made by our macros, no file left out."""

import os
import re

from layers import GROUPS_BEGIN, GROUPS_END, Layers

_PRIVATE = 'package(default_visibility = ["//visibility:private"])'
_PUBLIC_ALLOWED = ("tools/bazel/", "tests/")
_NATIVE = re.compile(r"^\s*(cc_library|cc_binary|cc_test|py_test|sh_test)\(", re.M)


def _code(text):
    return re.sub(r"#.*", "", text)


def _line_of(text, position):
    return text.count("\n", 0, position) + 1


def breaches(tree, rules):
    """All breaches as (path, line, text)."""
    yield from _check_groups(tree, rules)
    for path, text in tree.builds.items():
        text = _code(text)
        if not path.startswith("tools/bazel/"):
            yield from _check_targets(path, text)
        if "//visibility:public" in text and not path.startswith(_PUBLIC_ALLOWED):
            yield (path, _line_of(text, text.index("//visibility:public")),
                   "visible to all; name the folder's group, as //:users_of_kernels_api")
    yield from _check_files_named(tree)


def _check_targets(path, text):
    if _PRIVATE not in text:
        yield path, 1, f"not private by default; write {_PRIVATE}"
    for match in _NATIVE.finditer(text):
        yield (path, _line_of(text, match.start(1)),
               f"{match.group(1)} lacks our warnings; use the macros of tools/bazel/rules.bzl")


def _check_files_named(tree):
    """Sources that no target names are neither built nor tested."""
    for path in sorted(set(tree.sources) | tree.protos):
        folder = os.path.dirname(path)
        while folder and f"{folder}/BUILD" not in tree.builds:
            folder = os.path.dirname(folder)
        build = _code(tree.builds.get(f"{folder}/BUILD" if folder else "BUILD", ""))
        if f'"{os.path.relpath(path, folder or ".")}"' not in build and "glob(" not in build:
            home = folder or os.path.dirname(path)
            yield path, 1, f"no target names it; add it to {home}/BUILD"


def _check_groups(tree, rules):
    if rules.package_groups() not in tree.builds.get("BUILD", ""):
        yield ("BUILD", 1, "package groups differ from tools/lint/layers.txt; "
               "run tools/lint/check.py --write-groups")


def write_groups(root, layers):
    """Rewrites the generated part of //BUILD; what stands above it stays. Returns 0."""
    with open(os.path.join(root, layers), encoding="utf-8") as file:
        groups = Layers(file.read()).package_groups()
    path = os.path.join(root, "BUILD")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if GROUPS_BEGIN in text:
        before, rest = text.split(GROUPS_BEGIN)
        after = rest.split(GROUPS_END + "\n")[-1]
    else:
        before, after = text + "\n", ""
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + groups + after)
    return 0
