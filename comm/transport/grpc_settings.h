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

// Settings of the listening side.
void ApplyGrpcServerSettings(grpc::ServerBuilder& builder);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_GRPC_SETTINGS_H_
