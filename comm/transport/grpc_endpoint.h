// The listening side of the gRPC transport: one server and one queue for the life of the process.
#ifndef RM_COMM_TRANSPORT_GRPC_ENDPOINT_H_
#define RM_COMM_TRANSPORT_GRPC_ENDPOINT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// Listens at a free port of options.listen_host. Unavailable when that cannot be done.
//
// It has no thread: a thread that is inside a call of one of its transports serves all of them, and
// answers peers that dial. Peers of a later generation wait for its Connect, those of an earlier
// one are refused.
[[nodiscard]] absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenGrpcEndpoint(
    const TransportOptions& options);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_GRPC_ENDPOINT_H_
