// The gRPC service Cluster.
#ifndef RM_RUNTIME_COORDINATOR_CLUSTER_SERVICE_H_
#define RM_RUNTIME_COORDINATOR_CLUSTER_SERVICE_H_

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "runtime/coordinator/coordinator.h"
#include "runtime/coordinator/task_thread.h"

namespace rm::coordinator {

// What the server knows of itself. Filled before the engine's thread starts, constant from then on.
struct ServerFacts {
  std::string address;  // where clients and workers reach it
  absl::Time started;
};

// Thread-safe. Borrows all; they outlive the server. `facts` is read on the engine's thread.
[[nodiscard]] std::unique_ptr<grpc::Service> MakeClusterService(TaskThread& engine,
                                                                const Coordinator& coordinator,
                                                                const ServerFacts& facts);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_CLUSTER_SERVICE_H_
