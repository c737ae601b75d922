// The gRPC service Artifacts.
#ifndef RM_RUNTIME_COORDINATOR_ARTIFACTS_SERVICE_H_
#define RM_RUNTIME_COORDINATOR_ARTIFACTS_SERVICE_H_

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "runtime/coordinator/artifact_store.h"
#include "runtime/coordinator/task_thread.h"

namespace rm::coordinator {

// Borrows both, which outlive the server. `disk` is a thread whose tasks may wait for the storage.
[[nodiscard]] std::unique_ptr<grpc::Service> MakeArtifactsService(TaskThread& disk,
                                                                  ArtifactStore& store);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_ARTIFACTS_SERVICE_H_
