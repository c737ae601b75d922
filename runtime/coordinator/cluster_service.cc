// Both calls only read, but on the coordinator's thread like everything else: so they see a state
// that is durable and whole, and need no lock.
#include "runtime/coordinator/cluster_service.h"

#include "proto/api.grpc.pb.h"
#include "runtime/coordinator/cluster_api.h"
#include "runtime/coordinator/rpc_glue.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;
using Context = grpc::CallbackServerContext;
using Unary = grpc::ServerUnaryReactor;

class ClusterService final : public pb::Cluster::CallbackService {
 public:
  ClusterService(TaskThread& engine, const Coordinator& coordinator, const ServerFacts& facts)
      : engine_(engine), coordinator_(coordinator), facts_(facts) {}

  Unary* Nodes(Context* context, const pb::NodesRequest* /*request*/,
               pb::NodesReply* reply) override {
    Unary* const reactor = context->DefaultReactor();
    engine_.Post([this, reactor, reply] {
      FinishCall<pb::NodesReply>(reactor, reply, ListNodes(coordinator_));
    });
    return reactor;
  }

  Unary* Status(Context* context, const pb::StatusRequest* /*request*/,
                pb::StatusReply* reply) override {
    Unary* const reactor = context->DefaultReactor();
    engine_.Post([this, reactor, reply] {
      FinishCall<pb::StatusReply>(reactor, reply,
                                  ClusterStatus(coordinator_, facts_.address, facts_.started));
    });
    return reactor;
  }

 private:
  TaskThread& engine_;
  const Coordinator& coordinator_;
  const ServerFacts& facts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeClusterService(TaskThread& engine,
                                                  const Coordinator& coordinator,
                                                  const ServerFacts& facts) {
  return std::make_unique<ClusterService>(engine, coordinator, facts);
}

}  // namespace rm::coordinator
