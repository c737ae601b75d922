// What a rank process does between its start and its end, apart from signals and exit codes.
#ifndef RM_RUNTIME_TRAINER_RANK_SESSION_H_
#define RM_RUNTIME_TRAINER_RANK_SESSION_H_

#include <functional>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "base/file_system.h"
#include "comm/collective/gang.h"
#include "runtime/trainer/activity.h"
#include "runtime/trainer/rank_link.h"
#include "runtime/trainer/trainer.h"

namespace rm::trainer {

// Thread-compatible. Reports everything over the link; also a failure, as a Failed message with a reason.
class RankSession {
 public:
  // `worker_gone` is called, on a thread of the session's own, when the worker has closed the link.
  RankSession(int fd, base::FileSystem& files, std::function<void()> worker_gone);
  ~RankSession();
  RankSession(const RankSession&) = delete;
  RankSession& operator=(const RankSession&) = delete;

  // From the first command to the end of the training. OK: finished. Aborted: another rank broke the collective.
  // Anything else: this rank's own failure; its peers have been told.
  [[nodiscard]] absl::Status Run();

  // Where a signal handler may ask the training to stop.
  [[nodiscard]] StopSignal& stop() { return stop_; }

 private:
  absl::Status Train();
  absl::StatusOr<ringmaster::v1::RankStart> WaitForStart();
  absl::Status Join(const ringmaster::v1::RankStart& start);
  void ReadCommands();
  void ReportFailure(const absl::Status& status);

  RankLink link_;
  const int fd_;
  base::FileSystem& files_;
  std::function<void()> worker_gone_;
  StopSignal stop_;
  std::unique_ptr<comm::Endpoint> endpoint_;
  std::unique_ptr<comm::Communicator> communicator_;  // null before the join, and once Run has returned
  ActivityBoard board_;
  std::thread reader_;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_RANK_SESSION_H_
