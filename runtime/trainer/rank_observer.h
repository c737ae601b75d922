// Tells the worker, the log and metrics.jsonl how a rank's training goes.
#ifndef RM_RUNTIME_TRAINER_RANK_OBSERVER_H_
#define RM_RUNTIME_TRAINER_RANK_OBSERVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "runtime/trainer/activity.h"
#include "runtime/trainer/rank_link.h"
#include "runtime/trainer/trainer.h"

namespace rm::trainer {

// Called on the trainer's thread. Nothing it does can fail a step: a line that cannot be sent or written is dropped. The board,
// which outlives it, shows at any time what the trainer said last of its step and of what it is doing.
class RankObserver final : public TrainerObserver {
 public:
  // Rank 0 also appends to <folder>/metrics.jsonl, a JSON object a line: step, generation, and what was measured.
  RankObserver(RankLink& link, base::FileSystem& files, const ringmaster::v1::RankStart& start,
               ActivityBoard& board);

  void OnProgress(const ringmaster::v1::Progress& progress) override;
  void OnEvaluated(int64_t step, const std::map<std::string, double>& metrics) override;
  void OnSaved(const SaveOutcome& outcome) override;
  void OnDoing(Doing doing, int64_t step) override;
  void OnNotice(const ringmaster::v1::Reason& notice, int64_t step) override;

 private:
  void AppendMetrics(int64_t step, const std::map<std::string, double>& metrics);

  RankLink& link_;
  base::FileSystem& files_;
  const int rank_;
  const int64_t generation_;
  const std::string metrics_path_;
  std::unique_ptr<base::WritableFile> metrics_file_;
  ActivityBoard& board_;
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_RANK_OBSERVER_H_
