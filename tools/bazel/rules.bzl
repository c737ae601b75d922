"""House rules: every target of ours is made by these macros."""

load("//tools/bazel:protoc.bzl", "rm_protoc")

# Warnings are errors. GCC's maybe-uninitialized is wrong inside std::regex under asan, and clang
# does not know it.
_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wnon-virtual-dtor",
    "-Wold-style-cast",
    "-Wcast-qual",
    "-Woverloaded-virtual",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wdouble-promotion",
    "-Wformat=2",
    "-Wundef",
    "-Werror",
    "-Wno-unknown-warning-option",
    "-Wno-error=maybe-uninitialized",
]

# tag (also the value of RM_ISA and the namespace) -> -march
_ISAS = {
    "v1": "x86-64",
    "v3": "x86-64-v3",
    "v4": "x86-64-v4",
}

def rm_library(name, copts = [], **kwargs):
    """A C++ library: one idea, its header and its source."""
    native.cc_library(name = name, copts = _WARNINGS + copts, **kwargs)

def rm_binary(name, copts = [], **kwargs):
    """A C++ program."""
    native.cc_binary(name = name, copts = _WARNINGS + copts, **kwargs)

def rm_test(name, srcs, deps = [], copts = [], size = "small", data = [], **kwargs):
    """A Catch2 test with the house's main(). At -O1: tests are compiled more often than they run."""
    native.cc_test(
        name = name,
        srcs = srcs,
        copts = _WARNINGS + ["-O1"] + copts,
        data = data + ["//tools/bazel:tsan.supp"],
        linkstatic = True,
        size = size,
        deps = deps + ["//tests:catch_main"],
        **kwargs
    )

def rm_script_test(name, script, size = "small", data = [], **kwargs):
    """A test that is an executable script (bash or Python, by its first line); one test case.

    It runs in the root of the tree and sees the files named in `data`.
    """
    native.sh_test(name = name, srcs = [script], data = data, size = size, **kwargs)

def rm_py_test(name, src, size = "small", data = [], **kwargs):
    """A file of Python unit tests (unittest); each method is one test case.

    It runs in the root of the tree and sees the files named in `data`; the modules beside `src` are
    imported by their bare names.
    """
    native.sh_test(
        name = name,
        srcs = ["//tools/bazel:run_python_test.py"],
        args = ["$(rootpath %s)" % src],
        data = data + [src],
        size = size,
        **kwargs
    )

def _rm_protos(name, srcs, deps, grpc, visibility):
    rm_protoc(
        name = name + "_gen",
        srcs = srcs,
        deps = [dep + "_gen" for dep in deps],
        grpc = grpc,
        visibility = visibility,
    )
    for part in ["hdrs", "srcs"]:
        native.filegroup(name = name + "_" + part, srcs = [name + "_gen"], output_group = part)
    native.cc_library(
        name = name,
        srcs = [name + "_srcs"],
        hdrs = [name + "_hdrs"],
        # Generated code is not ours to warn about.
        copts = ["-w"],
        visibility = visibility,
        deps = deps + ["//tools/bazel:grpc" if grpc else "//tools/bazel:protobuf"],
    )

def rm_proto_library(name, srcs, deps = [], visibility = None):
    """The C++ messages of .proto files, included as "proto/job.pb.h".

    `deps` are targets of this macro, written as ":x" or "//folder:x".
    """
    _rm_protos(name, srcs, deps, False, visibility)

def rm_grpc_library(name, srcs, deps = [], visibility = None):
    """As rm_proto_library, with the services too ("proto/jobs.grpc.pb.h")."""
    _rm_protos(name, srcs, deps, True, visibility)

def rm_isa_library(name, srcs, deps = [], visibility = None):
    """Compiles `srcs` once for each instruction set, with -DRM_ISA=v1|v3|v4 as the namespace.

    The caller chooses one at run time. The sources hold no std templates and no inline functions;
    the test made here (`name`_symbols_test) refuses the weak symbols they would leave.
    """
    parts = []
    for tag, march in _ISAS.items():
        parts.append(":%s_%s" % (name, tag))
        native.cc_library(
            name = "%s_%s" % (name, tag),
            srcs = srcs,
            copts = _WARNINGS + [
                "-march=" + march,
                "-O3",
                "-fno-math-errno",
                "-fno-lto",
                "-DRM_ISA=" + tag,
            ],
            linkstatic = True,
            deps = deps,
        )
    native.cc_library(name = name, visibility = visibility, deps = parts)
    native.sh_test(
        name = name + "_symbols_test",
        srcs = ["//tools/bazel:isa_symbols_test.sh"],
        args = ["$(rootpaths %s)" % part for part in parts],
        data = parts,
        size = "small",
        tags = ["plain_only"],
    )
