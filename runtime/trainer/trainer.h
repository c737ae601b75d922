// The step loop of one rank: start reading here.
//
//   each step:  batch = samples [s·B, (s+1)·B) of the epoch's permutation, this rank's share
//               forward → backward, buckets reduced as they fill → wait → optimizer
//               votes that rode on the last bucket: stop? checkpoint part written?
//   now and then: evaluation, checkpoint (in the background), a report to whoever watches
//
// All ranks run this loop in step; whatever they must agree on comes out of the allreduce, so they take every branch
// together. A communicator that fails ends Run at once with Aborted: the weights are then those of the last whole step.
#ifndef RM_RUNTIME_TRAINER_TRAINER_H_
#define RM_RUNTIME_TRAINER_TRAINER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/file_system.h"
#include "comm/collective/communicator.h"
#include "comm/collective/shard_tree.h"
#include "proto/rank.pb.h"
#include "proto/scheduler.pb.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/data/batch_reader.h"
#include "runtime/graph/graph.h"
#include "runtime/trainer/activity.h"
#include "runtime/trainer/data_sources.h"
#include "runtime/trainer/evaluator.h"
#include "runtime/trainer/lr_schedule.h"
#include "runtime/trainer/replica.h"
#include "runtime/trainer/saver.h"
#include "runtime/trainer/stepper.h"

namespace rm::trainer {

// What a rank hears from outside while it trains. Thread-safe: set by any thread, read once a step.
struct StopSignal {
  std::atomic<bool> stop{false};
  std::atomic<bool> checkpoint{false};  // … and write one before leaving
};

// Who is told how it goes. Called on the trainer's thread; must not block.
class TrainerObserver {
 public:
  virtual ~TrainerObserver() = default;
  // `progress.seconds` and rates are this rank's own; the loss is the gang's.
  virtual void OnProgress(const ringmaster::v1::Progress& progress) = 0;
  virtual void OnEvaluated(int64_t step, const std::map<std::string, double>& metrics) = 0;
  virtual void OnSaved(const SaveOutcome& outcome) = 0;
  // What comes next, after `step` applied steps; at least once a step.
  virtual void OnDoing(Doing doing, int64_t step) = 0;
  // Something people should know that changes nothing, said by rank 0 alone: bad records, a checkpoint passed over. `step`:
  // applied steps so far.
  virtual void OnNotice(const ringmaster::v1::Reason& notice, int64_t step) = 0;
};

// How a training ended.
struct TrainResult {
  int64_t step = 0;      // applied steps
  bool stopped = false;  // before the end, as asked
  std::map<std::string, double> metrics;
  std::string weights_sha256;
};

// Thread-compatible. `files`, `communicator`, `observer` and `stop` outlive it.
class Trainer {
 public:
  // Opens the data, builds the model, and loads the newest checkpoint that counts, if there is one (rank 0 chooses, all load).
  // Collective. InvalidArgument for what the user's spec or data cause.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Trainer>> Create(
      const ringmaster::v1::RankStart& start, base::FileSystem& files,
      comm::Communicator& communicator, TrainerObserver& observer, const StopSignal& stop);

  // What rank 0 chose for all; the fingerprint is this rank's own.
  [[nodiscard]] const ringmaster::v1::Plan& plan() const { return plan_; }

  // Steps that are applied already: 0, or those of the checkpoint.
  [[nodiscard]] int64_t first_step() const { return step_; }
  [[nodiscard]] int64_t total_steps() const { return total_steps_; }

  // Trains to the end, or to a stop. Collective. The final checkpoint is committed when it returns.
  [[nodiscard]] absl::StatusOr<TrainResult> Run();

 private:
  Trainer(const ringmaster::v1::RankStart& start, base::FileSystem& files,
          comm::Communicator& communicator, TrainerObserver& observer, const StopSignal& stop);

  // Parts of Create, in order.
  absl::Status MakePlan();
  absl::Status OpenData();
  absl::Status BuildModel();
  absl::Status BuildReplica();
  absl::Status BuildStepper();
  absl::Status BuildEvaluator();
  absl::Status Resume();
  absl::Status CheckPlan();
  absl::Status CheckJobContinues() const;
  absl::StatusOr<std::string> ChooseCheckpoint();
  absl::Status CheckContinuesFrom(const checkpoint::Checkpoint& loaded);
  void BuildSaver();

  // Parts of a step.
  absl::StatusOr<StepOutcome> OneStep();
  absl::Status AfterStep(const StepOutcome& outcome);
  absl::Status Evaluate();
  absl::Status BeginSave();
  absl::Status NoteSave(const SaveOutcome& outcome);
  absl::Status FinalSave();
  void Report();
  void TellOfModel();
  void TellOfBadRecords();
  void NoteBatch(const StepOutcome& outcome);

  [[nodiscard]] int MicroBatches() const;
  // Exact mode: this rank's shards.
  [[nodiscard]] comm::ShardRun Shards() const;
  // The coordinator has filled in how many shards there are.
  [[nodiscard]] bool is_exact() const { return train_.virtual_shards() > 0; }
  [[nodiscard]] double EpochAt(int64_t step) const;
  [[nodiscard]] bool EvaluationDue() const;
  [[nodiscard]] bool SaveDue(const StepOutcome& outcome) const;
  [[nodiscard]] base::Json TrainerState() const;
  [[nodiscard]] absl::Status LoadTensors(const std::string& path);

  const ringmaster::v1::RankStart start_;
  const ringmaster::v1::TrainSpec& train_;  // of start_
  base::FileSystem& files_;
  comm::Communicator& communicator_;
  TrainerObserver& observer_;
  const StopSignal& stop_;

  ringmaster::v1::Plan plan_;  // with this rank's fingerprint, once the program is compiled
  std::vector<std::string> model_warnings_;  // of an imported model
  graph::Graph model_;  // empty again when replica and evaluator are made of it
  DataSources data_;
  std::optional<data::BatchReader> reader_;
  std::unique_ptr<Replica> replica_;
  std::optional<Stepper> stepper_;
  std::unique_ptr<Evaluator> evaluator_;  // may be null
  std::optional<Saver> saver_;
  LrSchedule learning_rate_;

  int64_t step_ = 0;  // applied steps
  int64_t total_steps_ = 0;
  bool first_step_ = true;  // of this process: it allocates and warms up, and takes its time
  int64_t evaluated_at_ = -1;
  int64_t saved_at_ = -1;  // last step a save was begun at
  std::map<std::string, double> metrics_;
  absl::Duration input_time_, checkpoint_time_;
  absl::Time last_save_time_, last_report_time_, started_;
  int64_t last_report_step_ = 0;
  bool told_of_empty_batch_ = false;  // once is enough
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_TRAINER_H_
