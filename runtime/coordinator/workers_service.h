// The gRPC service Workers: a stream for each attached worker.
#ifndef RM_RUNTIME_COORDINATOR_WORKERS_SERVICE_H_
#define RM_RUNTIME_COORDINATOR_WORKERS_SERVICE_H_

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "runtime/coordinator/coordinator.h"
#include "runtime/coordinator/task_thread.h"

namespace rm::coordinator {

// Thread-safe. Borrows both; they outlive the server. What a worker says is handled by
// WorkerSession on the engine's thread; heartbeats are only noted and wait for nothing. Reading
// pauses while 256 messages of a stream wait there.
[[nodiscard]] std::unique_ptr<grpc::Service> MakeWorkersService(TaskThread& engine,
                                                                Coordinator& coordinator);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_WORKERS_SERVICE_H_
