"""The rule that runs protoc; used through rm_proto_library and rm_grpc_library only."""

RmProtoInfo = provider(
    doc = "The .proto files of a target and of all it imports.",
    fields = ["protos"],
)

def _rm_protoc_impl(ctx):
    own = ctx.files.srcs
    protos = depset(own, transitive = [dep[RmProtoInfo].protos for dep in ctx.attr.deps])
    extensions = [".pb.h", ".pb.cc"]
    flags = ["-I.", "--cpp_out=" + ctx.bin_dir.path]
    if ctx.attr.grpc:
        extensions += [".grpc.pb.h", ".grpc.pb.cc"]
        flags += [
            "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin",
            "--grpc_out=" + ctx.bin_dir.path,
        ]
    outs = [
        ctx.actions.declare_file(src.basename[:-len(".proto")] + extension)
        for src in own
        for extension in extensions
    ]
    ctx.actions.run(
        executable = "/usr/bin/protoc",
        arguments = flags + [src.path for src in own],
        inputs = protos,
        outputs = outs,
        mnemonic = "RmProtoc",
    )
    return [
        DefaultInfo(files = depset(outs)),
        RmProtoInfo(protos = protos),
        OutputGroupInfo(
            hdrs = depset([out for out in outs if out.extension == "h"]),
            srcs = depset([out for out in outs if out.extension == "cc"]),
        ),
    ]

rm_protoc = rule(
    implementation = _rm_protoc_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".proto"], mandatory = True),
        "deps": attr.label_list(providers = [RmProtoInfo]),
        "grpc": attr.bool(),
    },
)
