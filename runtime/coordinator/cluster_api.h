// The Cluster service of proto/api.proto without gRPC. On the coordinator's thread.
#ifndef RM_RUNTIME_COORDINATOR_CLUSTER_API_H_
#define RM_RUNTIME_COORDINATOR_CLUSTER_API_H_

#include <string>

#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "runtime/coordinator/coordinator.h"

namespace rm::coordinator {

// All workers that were ever attached, in the order of their ids.
[[nodiscard]] ::ringmaster::v1::NodesReply ListNodes(const Coordinator& coordinator);

// `address` is where clients and workers reach this coordinator.
[[nodiscard]] ::ringmaster::v1::StatusReply ClusterStatus(const Coordinator& coordinator,
                                                          const std::string& address,
                                                          absl::Time started);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_CLUSTER_API_H_
