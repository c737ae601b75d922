// How our gRPC channels and servers are set up: one place for all tuning, each with its reason.
#ifndef RM_COMM_TRANSPORT_GRPC_SETTINGS_H_
#define RM_COMM_TRANSPORT_GRPC_SETTINGS_H_

#include <grpcpp/channel.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>

namespace rm::comm {

// A channel with a connection of its own to `address` (host:port). Connects when first used.
[[nodiscard]] std::shared_ptr<grpc::Channel> MakeGrpcChannel(const std::string& address);

// Settings of the side that listens on `host`, which is the one that receives data.
void ApplyGrpcServerSettings(const std::string& host, grpc::ServerBuilder& builder);

// Makes the process's allocator keep what gRPC frees (a slice for every 64 KiB received) instead of
// giving it back to the kernel and faulting it in again: a third of the CPU time of an allreduce.
// Process-wide; calling it again does nothing more.
void KeepFreedMemory();

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_GRPC_SETTINGS_H_
