// The gRPC service Jobs: each call becomes a task of the coordinator's thread.
#ifndef RM_RUNTIME_COORDINATOR_JOBS_SERVICE_H_
#define RM_RUNTIME_COORDINATOR_JOBS_SERVICE_H_

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "runtime/coordinator/artifact_store.h"
#include "runtime/coordinator/coordinator.h"
#include "runtime/coordinator/jobs_api.h"
#include "runtime/coordinator/log_service.h"
#include "runtime/coordinator/task_thread.h"

namespace rm::coordinator {

// Thread-safe. What a call means is said in proto/api.proto and jobs_api.h. Borrows all; they
// outlive the server. `engine` is the thread of coordinator and API.
[[nodiscard]] std::unique_ptr<grpc::Service> MakeJobsService(TaskThread& engine,
                                                             Coordinator& coordinator, JobsApi& api,
                                                             LogService& logs,
                                                             const ArtifactStore& artifacts);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_JOBS_SERVICE_H_
