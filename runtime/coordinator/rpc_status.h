// absl::Status to grpc::Status, with its payloads as the details of a google.rpc.Status.
#ifndef RM_RUNTIME_COORDINATOR_RPC_STATUS_H_
#define RM_RUNTIME_COORDINATOR_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace rm::coordinator {

// The codes of both are the same numbers. Each payload becomes one Any of the details: its type URL
// and its bytes. Pure.
[[nodiscard]] grpc::Status ToGrpc(const absl::Status& status);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_RPC_STATUS_H_
