// The gRPC service Checkpoints.
#ifndef RM_RUNTIME_COORDINATOR_CHECKPOINTS_SERVICE_H_
#define RM_RUNTIME_COORDINATOR_CHECKPOINTS_SERVICE_H_

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "runtime/coordinator/coordinator.h"
#include "runtime/coordinator/stoppable_files.h"
#include "runtime/coordinator/task_thread.h"

namespace rm::coordinator {

// Thread-safe. Borrows all; they outlive the server. Files are read on `reader`, which may take
// seconds, so that the coordinator's thread never waits for them; when it is told to stop, what is
// under way ends with Unavailable.
[[nodiscard]] std::unique_ptr<grpc::Service> MakeCheckpointsService(TaskThread& engine,
                                                                    TaskThread& reader,
                                                                    const Coordinator& coordinator,
                                                                    const StoppableFiles& files);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_CHECKPOINTS_SERVICE_H_
