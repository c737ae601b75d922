// Checkpoints of a job in training: the step loop is held up for a memory copy only.
//
// A save runs beside the training: Begin copies this rank's tensors and a background thread writes them; when every
// rank has voted (Votes::shard_written, summed with the gradients) all call Collect together, and rank 0 commits in the
// background. A save that fails anywhere is abandoned everywhere: the previous checkpoint stays and training goes on.
// All ranks call Begin, Collect and Finish at the same steps; only their background threads run alone.
#ifndef RM_RUNTIME_TRAINER_SAVER_H_
#define RM_RUNTIME_TRAINER_SAVER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "base/json.h"
#include "comm/collective/communicator.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/trainer/replica.h"

namespace rm::trainer {

struct SaverOptions {
  base::FileSystem* files = nullptr;  // outlives the saver
  std::string folder;                 // of the job's checkpoints
  int64_t generation = 1;
  checkpoint::Lineage lineage;
  int keep_last = 2;
};

// What became of a save; every rank learns it, the path and warnings only rank 0.
struct SaveOutcome {
  int64_t step = 0;
  absl::Status status;
  std::string path;
  std::vector<std::string> warnings;
  std::map<std::string, double> metrics;
};

// One thread (the trainer's) calls everything. The replica and the communicator outlive it.
class Saver {
 public:
  Saver(SaverOptions options, const Replica& replica, comm::Communicator& communicator);
  // Waits for the background thread; an unfinished save leaves a temporary folder that the next commit removes.
  ~Saver();
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  // Collective. Starts a save of the replica as it is after `step` applied steps. REQUIRES: !active().
  // An error is a broken communicator; a folder that cannot be written shows in the outcome.
  [[nodiscard]] absl::Status Begin(int64_t step, base::Json trainer_state,
                                   std::map<std::string, double> metrics);

  // From Begin until the outcome is taken.
  [[nodiscard]] bool active() const { return active_; }
  // This rank's part is written (or has failed): its vote.
  [[nodiscard]] bool shard_written() const { return active_ && !collected_ && written_; }

  // Collective, once all ranks have voted: exchanges the reports and starts the commit.
  [[nodiscard]] absl::Status Collect();

  // The outcome on this rank, once there is one; then active() is false.
  [[nodiscard]] std::optional<SaveOutcome> TakeOutcome();

  // Collective: ends the save in the foreground and agrees on its outcome; a rank that has taken its outcome already gets it
  // again, as rank 0 sees it. REQUIRES: active() on some rank.
  [[nodiscard]] absl::StatusOr<SaveOutcome> Finish();

 private:
  // A copy of some tensors of the replica.
  struct Snapshot {
    std::vector<float> memory;
    std::vector<checkpoint::TensorData> tensors;
  };

  absl::StatusOr<std::string> AgreeOnNonce(int64_t step);
  void TakeSnapshot();
  void WriteShard();
  void Commit(std::vector<checkpoint::ShardReport> reports);
  void JoinThread();
  [[nodiscard]] absl::StatusOr<std::vector<checkpoint::ShardReport>> ExchangeReports();

  const SaverOptions options_;
  const Replica* replica_;
  comm::Communicator* communicator_;

  bool active_ = false;
  bool collected_ = false;
  checkpoint::SaveId id_;
  base::Json trainer_state_;
  SaveOutcome outcome_;                // written by the thread until done_
  Snapshot weights_;                   // rank 0: all of them, for the fingerprint; others: their share
  Snapshot optimizer_;
  std::vector<checkpoint::TensorData> own_weights_;  // the share of weights_ that this rank writes
  absl::StatusOr<std::vector<checkpoint::ShardReport>> reports_;
  std::atomic<bool> written_{false};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

// Which of `world_size` ranks writes each tensor: the largest first, each to the rank with the least bytes so far, so that
// shares are near equal. Pure; the same on every rank. Returns a rank a tensor.
[[nodiscard]] std::vector<int> AssignTensors(const std::vector<StateTensor>& tensors,
                                             int world_size);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_SAVER_H_
