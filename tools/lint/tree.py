"""The source tree as the checks see it: its C++ files, its BUILD files, its include graph."""

import fnmatch
import os
import re

from typing import Dict, Iterator, NamedTuple

from cpp import Source

_SOURCE = (".h", ".cc", ".cu")
_SKIPPED = {"dist", "data", "bazel-*", "tools/bazel/stubs"}
_TEST_FOLDERS = {"test", "tests", "testing", "testutil", "benchmark", "benchmarks", "example",
                 "examples", "fuzz"}
_TEST_NAME = re.compile(r"(^|[_\-.])(tests?|unittest|testing|testutil|testharness|benchmarks?|mocks?"
                        r"|fuzz|fuzzer)([_\-.0-9]|$)")


class Edge(NamedTuple):
    """One include of a file of ours; `used` is a .proto file where generated code is included."""
    user: str
    used: str
    line: int


def is_test(path):
    """Whether a file is test code, which is measured apart and stands outside of the layers."""
    folders, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    return bool(_TEST_FOLDERS & set(folders.split("/")) or _TEST_NAME.search(stem))


def folder_of(path, depth=2):
    """The folder that the layers speak of: the first `depth` parts of the path."""
    return "/".join(os.path.dirname(path).split("/")[:depth]) or "."


class Tree:
    """All files below `root`, read once; paths are relative to `root`."""

    def __init__(self, root):
        self.root = root
        self.sources: Dict[str, Source] = {}
        self.builds: Dict[str, str] = {}
        self.protos = set()
        for path in self._walk(""):
            if path.endswith(_SOURCE):
                self.sources[path] = Source(self.read(path))
            elif os.path.basename(path) == "BUILD":
                self.builds[path] = self.read(path)
            elif path.endswith(".proto"):
                self.protos.add(path)

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def _walk(self, folder) -> Iterator[str]:
        for entry in sorted(os.scandir(os.path.join(self.root, folder)), key=lambda e: e.name):
            path = os.path.join(folder, entry.name)
            if entry.name[0] == "." or any(fnmatch.fnmatch(path, skip) for skip in _SKIPPED):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(path)
            elif entry.is_file(follow_symlinks=False):
                yield path

    def target_of(self, include):
        """The file of ours that an include names, or None for one from outside."""
        if include in self.sources:
            return include
        proto = re.sub(r"(\.grpc)?\.pb\.h$", ".proto", include)
        return proto if proto in self.protos else None

    def edges(self) -> Iterator[Edge]:
        """All includes between different files of ours, those of test code left out."""
        for path, source in self.sources.items():
            for include in source.includes:
                used = self.target_of(include.path)
                if used and used != path and not is_test(path):
                    yield Edge(path, used, include.line)
