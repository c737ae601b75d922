"""Tests with real daemons: what they all need, once."""

load("//tools/bazel:rules.bzl", "rm_test")

def integration_test(name, srcs, deps, measures = True, **kwargs):
    """A test over the real binary.

    measures: what it counts in seconds is counted beside no other test.
    """
    rm_test(
        name = name,
        size = "medium",
        srcs = srcs,
        data = ["//tools/ringmaster"],
        # The daemons are other processes, and gRPC in them is not instrumented.
        tags = ["notsan"] + (["cpu:2"] if measures else []),
        deps = deps + ["//tools/bazel:absl"],
        **kwargs
    )
