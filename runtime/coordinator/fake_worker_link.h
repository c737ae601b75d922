// A worker's stream that only remembers: for tests.
#ifndef RM_RUNTIME_COORDINATOR_FAKE_WORKER_LINK_H_
#define RM_RUNTIME_COORDINATOR_FAKE_WORKER_LINK_H_

#include <vector>

#include "runtime/coordinator/attached_workers.h"

namespace rm::coordinator {

// Not thread-safe.
class FakeWorkerLink final : public WorkerLink {
 public:
  void Send(const ::ringmaster::v1::WorkerCommand& command) override { sent.push_back(command); }
  void Close(const absl::Status& status) override {
    if (closed.ok()) closed = status;
  }

  std::vector<::ringmaster::v1::WorkerCommand> sent;
  absl::Status closed;  // OK: open
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_FAKE_WORKER_LINK_H_
