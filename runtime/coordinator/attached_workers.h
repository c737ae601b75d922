// The workers whose streams stand, and how commands reach them.
#ifndef RM_RUNTIME_COORDINATOR_ATTACHED_WORKERS_H_
#define RM_RUNTIME_COORDINATOR_ATTACHED_WORKERS_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "proto/worker.pb.h"

namespace rm::coordinator {

// One worker's stream as its owner sees it. Send and Close are called on the coordinator's thread
// and never block.
class WorkerLink {
 public:
  virtual ~WorkerLink() = default;

  // Queues a command. Dropped when the stream has ended: what matters is given again when the
  // worker re-attaches.
  virtual void Send(const ::ringmaster::v1::WorkerCommand& command) = 0;
  // Ends the stream with `status`. Idempotent.
  virtual void Close(const absl::Status& status) = 0;

  // A message came in. From any thread, without a lock: heartbeats must not wait for anything.
  void Hear() { heard_.store(true, std::memory_order_relaxed); }
  // Whether one came in since the last call.
  bool TakeHeard() { return heard_.exchange(false, std::memory_order_relaxed); }

 private:
  std::atomic<bool> heard_{false};
};

// Not thread-safe.
class AttachedWorkers {
 public:
  struct Attached {
    // Shared with the callbacks of its stream, which outlive the attachment.
    std::shared_ptr<WorkerLink> link;
    ::ringmaster::v1::Hello hello;
    bool is_admitted = false;     // the scheduler was told of it
    std::string storage_problem;  // why it does not see the cluster's storage; empty: it does

    // It may be asked to do new work.
    [[nodiscard]] bool is_usable() const { return is_admitted && storage_problem.empty(); }
  };

  // Enters a worker; a former stream of the same id is closed.
  void Attach(const ::ringmaster::v1::Hello& hello, std::shared_ptr<WorkerLink> link);
  // Takes the worker out if `link` is its present stream; false when it is not (any more).
  bool Detach(const std::string& worker_id, const WorkerLink* link);
  // Closes the worker's stream, if there is one, and takes it out.
  void Close(const std::string& worker_id, const absl::Status& status);
  void CloseAll(const absl::Status& status);

  // The scheduler was told of an attached worker, with this problem of its storage, if any.
  void Admit(const std::string& worker_id, const std::string& storage_problem);

  // nullptr: not attached.
  [[nodiscard]] const Attached* Find(const std::string& worker_id) const;
  // Whether `link` is the present stream of the worker.
  [[nodiscard]] bool IsPresent(const std::string& worker_id, const WorkerLink* link) const;
  // Sends a command; false (and nothing happens) when the worker is not attached.
  bool Send(const std::string& worker_id, const ::ringmaster::v1::WorkerCommand& command) const;

  [[nodiscard]] const std::map<std::string, Attached>& all() const { return workers_; }

 private:
  std::map<std::string, Attached> workers_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_ATTACHED_WORKERS_H_
