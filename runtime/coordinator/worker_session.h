// What a worker says on its stream, turned into events of the scheduler.
//
//   Hello      version, id and storage are checked; Welcome, and the event WorkerAttached
//   report     RankListening, RankJoined, CheckpointCommitted, TrainingDone; progress and metrics
//   exited     RankExited, with the cause and step the rank itself had reported
//   refused    StartRefused
//   preflight  the answer to a question
//   log        to the log thread
//
// A worker that may not attach is told why by the status its stream ends with: InvalidArgument (a
// broken Hello), FailedPrecondition (another version, storage that is not shared), AlreadyExists
// (the id is taken). Messages of a stream that another one of the same worker has replaced are
// dropped.
#ifndef RM_RUNTIME_COORDINATOR_WORKER_SESSION_H_
#define RM_RUNTIME_COORDINATOR_WORKER_SESSION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "proto/worker.pb.h"
#include "runtime/coordinator/attached_workers.h"
#include "runtime/coordinator/coordinator.h"

namespace rm::coordinator {

// One stream from its first message to its end. On the coordinator's thread.
class WorkerSession {
 public:
  // Borrows the coordinator. `link` is shared with the stream's callbacks.
  WorkerSession(Coordinator& coordinator, std::shared_ptr<WorkerLink> link);

  void OnMessage(::ringmaster::v1::WorkerMessage message);
  // The stream has ended, from whichever side. Idempotent.
  void OnEnd();

 private:
  // The parts of OnMessage. CheckHello says why a worker may not attach.
  void OnHello(const ::ringmaster::v1::Hello& hello);
  [[nodiscard]] absl::Status CheckHello(const ::ringmaster::v1::Hello& hello) const;
  [[nodiscard]] absl::Status CheckIdIsFree(const ::ringmaster::v1::Hello& hello) const;
  void OnReport(const ::ringmaster::v1::RankReport& report);
  void OnExited(::ringmaster::v1::RankExited exited);

  Coordinator& coordinator_;
  const std::shared_ptr<WorkerLink> link_;
  std::string worker_id_;  // empty: no Hello was taken
};

// The event that a rank's report means for the scheduler; none set: it means nothing to it. Pure.
[[nodiscard]] ::ringmaster::v1::Event EventOf(const ::ringmaster::v1::RankReport& report);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_WORKER_SESSION_H_
