"""Fuzz targets: each a test with a fixed number of cases, and a program for clang's libFuzzer."""

load("//tools/bazel:rules.bzl", "rm_binary", "rm_test")

def fuzz_target(name, src, deps, size = "medium"):
    """`src` as :`name`_fuzz_test, and as :`name`_fuzzer for libFuzzer (docs/style.md)."""
    rm_test(
        name = name + "_fuzz_test",
        size = size,
        srcs = [
            src,
            ":driver_source",
        ],
        deps = deps + [
            ":driver",
            ":fuzz_target",
            "//base:random",
            "//tools/bazel:absl",
        ],
    )
    rm_binary(
        name = name + "_fuzzer",
        testonly = True,
        srcs = [src],
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = deps + [":fuzz_target"],
    )
