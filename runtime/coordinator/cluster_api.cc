// The cluster as operators ask for it: who is there, and how much of it is in use.
#include "runtime/coordinator/cluster_api.h"

#include <unistd.h>

#include "runtime/coordinator/job_view.h"

namespace rm::coordinator {

namespace pb = ::ringmaster::v1;

pb::NodesReply ListNodes(const Coordinator& coordinator) {
  pb::NodesReply reply;
  // Lost ones too: an operator who misses a machine looks here for the reason.
  for (const auto& [id, worker] : coordinator.state().workers()) {
    *reply.add_nodes() = ViewNode(worker);
  }
  return reply;
}

pb::StatusReply ClusterStatus(const Coordinator& coordinator, const std::string& address,
                              absl::Time started) {
  pb::StatusReply reply;
  reply.set_version(coordinator.config().version);
  reply.set_address(address);
  reply.set_storage(coordinator.config().folders.storage);
  reply.set_started_ns(absl::ToUnixNanos(started));
  reply.set_pid(getpid());
  CountCluster(coordinator.state(), &reply);
  return reply;
}

}  // namespace rm::coordinator
