"""Link lines of the Debian libraries. Their headers lie in /usr/include, which is always searched."""

# Every library of Abseil whose headers we may include; the linker keeps those that are used.
ABSL = """
bad_any_cast_impl bad_optional_access bad_variant_access base city civil_time cord cord_internal
cordz_functions cordz_handle cordz_info cordz_sample_token debugging_internal demangle_internal
examine_stack exponential_biased failure_signal_handler flags_commandlineflag
flags_commandlineflag_internal flags_config flags_internal flags_marshalling flags_parse
flags_private_handle_accessor flags_program_name flags_reflection flags_usage flags_usage_internal
graphcycles_internal hash hashtablez_sampler int128 log_severity low_level_hash malloc_internal
random_distributions random_internal_platform random_internal_pool_urbg random_internal_randen
random_internal_randen_hwaes random_internal_randen_hwaes_impl random_internal_randen_slow
random_internal_seed_material random_seed_gen_exception random_seed_sequences raw_hash_set
raw_logging_internal spinlock_wait stacktrace status statusor str_format_internal strerror strings
strings_internal symbolize synchronization throw_delegate time time_zone
"""

# What libgrpc.a needs beside Abseil and Protobuf.
GRPC_PARTS = ["address_sorting", "re2", "upb", "cares", "z", "gpr", "ssl", "crypto"]

def _shared(libs):
    return (["-Wl,--push-state,--as-needed"] +
            ["-l" + lib for lib in libs] +
            ["-Wl,--pop-state", "-pthread"])

def _static(libs):
    return (["-Wl,--push-state,-Bstatic", "-Wl,--start-group"] +
            ["-l" + lib for lib in libs] +
            ["-Wl,--end-group", "-Wl,--pop-state", "-pthread", "-ldl", "-lm"])

def link_needed(libs, static_only = []):
    """Linkopts for system libraries; what is not used does not become a dependency.

    Shared; in the program that is given away (--config=dist) static, together with `static_only`,
    which a shared library would bring by itself.
    """
    return select({
        "//tools/bazel:dist": _static(libs + static_only),
        "//conditions:default": _shared(libs),
    })

def link_shared(libs):
    """Linkopts for system libraries of which Debian has no archive."""
    return _shared(libs)

def absl_libs():
    return ["absl_" + lib for lib in ABSL.replace("\n", " ").split(" ") if lib]
