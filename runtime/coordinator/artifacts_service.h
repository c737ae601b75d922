// The gRPC service Artifacts of proto/api.proto. What its calls mean is in artifacts_api.h; here
// they meet gRPC's threads.
#ifndef RM_RUNTIME_COORDINATOR_ARTIFACTS_SERVICE_H_
#define RM_RUNTIME_COORDINATOR_ARTIFACTS_SERVICE_H_

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "base/file_system.h"
#include "runtime/coordinator/artifact_store.h"
#include "runtime/coordinator/task_thread.h"

namespace rm::coordinator {

// Thread-safe. Borrows all three, which outlive the server. `disk` is a thread whose tasks may wait
// for the storage, `files` the file system that the storage is on.
[[nodiscard]] std::unique_ptr<grpc::Service> MakeArtifactsService(TaskThread& disk,
                                                                  ArtifactStore& store,
                                                                  const base::FileSystem& files);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_ARTIFACTS_SERVICE_H_
