// What a worker says on its stream, turned into events of the scheduler.
//
//   Hello      version and id are checked; Welcome, which asks what the worker reads at the probe
//   probe      compared with what was written there; then the event WorkerAttached
//   report     RankListening, RankJoined, CheckpointCommitted, TrainingDone, RankNotice; progress,
//              activity and metrics
//   exited     RankExited, with the cause and step the rank itself had reported
//   refused    StartRefused
//   preflight  the answer to a question
//   log        to the log thread
//
// A worker that may not attach is told why by the status its stream ends with: InvalidArgument (a
// broken Hello), FailedPrecondition (another version), AlreadyExists (the id is taken). Messages of
// a stream that another one of the same worker has replaced are dropped.
//
// The storage is no condition for attaching: ranks that run are adopted whatever the worker reads.
// A worker that reads something else than was written, nothing, or not within 2 s is attached with
// that as its problem, and gets no new ranks. When the right answer comes after that, the stream is
// ended, and the worker's next attach begins anew.
#ifndef RM_RUNTIME_COORDINATOR_WORKER_SESSION_H_
#define RM_RUNTIME_COORDINATOR_WORKER_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/worker.pb.h"
#include "runtime/coordinator/attached_workers.h"
#include "runtime/coordinator/coordinator.h"

namespace rm::coordinator {

// One stream from its first message to its end. On the coordinator's thread. Held by a shared
// pointer, because the wait for the probe's answer may outlive it.
class WorkerSession : public std::enable_shared_from_this<WorkerSession> {
 public:
  // How long the worker may take to read the probe.
  static constexpr absl::Duration kProbeWithin = absl::Seconds(2);

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
  // What the worker reads at the probe, or that it said nothing in time; the first of both makes
  // it attached.
  void OnProbe(const ::ringmaster::v1::StorageProbe& answer);
  void OnProbeTimeout();
  // Why the worker does not see the cluster's storage; empty: it does.
  [[nodiscard]] std::string StorageProblem(const ::ringmaster::v1::StorageProbe& answer) const;
  // Tells the scheduler, and takes what was said while the probe was read.
  void BecomeAttached(const std::string& storage_problem);
  // What a worker says once it is attached.
  void OnWord(::ringmaster::v1::WorkerMessage message);
  // Adds an event with this worker as the one who reported it.
  void AddReported(::ringmaster::v1::Event event);
  void OnReport(const ::ringmaster::v1::RankReport& report);
  void OnExited(::ringmaster::v1::RankExited exited);
  // A rank of the job here has lost a peer: that confirms the silence of other workers of its gang.
  void ConfirmLosses(const scheduler::Job& job);

  Coordinator& coordinator_;
  const std::shared_ptr<WorkerLink> link_;
  std::string worker_id_;  // empty: no Hello was taken
  ::ringmaster::v1::Hello hello_;
  bool is_attached_ = false;  // the scheduler was told
  // Said before the worker was attached: taken in order once it is. Bounded by the stream, which
  // reads on only as long as it keeps up, and by the wait.
  std::vector<::ringmaster::v1::WorkerMessage> held_;
};

// The event that a rank's report means for the scheduler; none set: it means nothing to it. Pure.
[[nodiscard]] ::ringmaster::v1::Event EventOf(const ::ringmaster::v1::RankReport& report);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_WORKER_SESSION_H_
