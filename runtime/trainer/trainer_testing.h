// What the trainer's tests share: gangs of threads in one process, and small data sets in memory.
#ifndef RM_RUNTIME_TRAINER_TRAINER_TESTING_H_
#define RM_RUNTIME_TRAINER_TRAINER_TESTING_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_file_system.h"
#include "comm/collective/communicator.h"
#include "proto/rank.pb.h"
#include "runtime/graph/graph.h"
#include "runtime/trainer/trainer.h"

namespace rm::trainer {

// Runs `body` on `ranks` threads, each with its communicator of a fresh gang over the loopback transport.
void RunGang(int ranks, const std::function<void(comm::Communicator&)>& body);

// Writes an IDX data set of `count` images of 28 × 28 in `classes` classes, each class a bar at its own place plus noise: a
// small network learns it in a few steps.
void WriteDigits(base::FileSystem& files, const std::string& prefix, int count, int classes);

// Remembers all that a trainer tells.
struct RecordingObserver final : public TrainerObserver {
  void OnProgress(const ringmaster::v1::Progress& progress) override { reports.push_back(progress); }
  void OnEvaluated(int64_t step, const std::map<std::string, double>& metrics) override {
    evaluations[step] = metrics;
  }
  void OnSaved(const SaveOutcome& outcome) override { saves.push_back(outcome); }
  void OnDoing(Doing doing, int64_t step) override {
    const std::string name = DoingName(doing);
    if (doings.empty() || doings.back().first != name) doings.emplace_back(name, step);
  }
  void OnNotice(const ringmaster::v1::Reason& notice, int64_t) override {
    notices.push_back(notice);
  }

  std::vector<ringmaster::v1::Progress> reports;
  std::map<int64_t, std::map<std::string, double>> evaluations;
  std::vector<SaveOutcome> saves;
  std::vector<std::pair<std::string, int64_t>> doings;  // what, and the step it began at
  std::vector<ringmaster::v1::Reason> notices;
};

// A job of an mlp over WriteDigits' data in /data, 4 epochs of 8 steps.
[[nodiscard]] ringmaster::v1::JobSpec SmallJob();

// What a replica of the model is built from.
[[nodiscard]] graph::Graph TrainingGraph(const ringmaster::v1::ModelSpec& spec, int64_t batch);

// The start of rank `rank` of SmallJob (or `spec`): generation 1, checkpoints in /checkpoints.
[[nodiscard]] ringmaster::v1::RankStart StartOf(const ringmaster::v1::JobSpec& spec, int rank,
                                                int world_size, int64_t generation = 1);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_TRAINER_TESTING_H_
