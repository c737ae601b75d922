// A coordinator with workers that a test plays, on a clock that the test moves: for tests.
//
//   TestWorld world;
//   TestWorker w1(world, "w1", 2);
//   world.Submit("mnist", 2);          // → "mnist-aaaaaa", its preflight passed
//   w1.Listens("mnist-aaaaaa", 1, 0);  // generation 1, rank 0
#ifndef RM_RUNTIME_COORDINATOR_TEST_WORLD_H_
#define RM_RUNTIME_COORDINATOR_TEST_WORLD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/simulated_clock.h"
#include "base/temporary_folder.h"
#include "proto/api.pb.h"
#include "proto/worker.pb.h"
#include "runtime/coordinator/coordinator.h"
#include "runtime/coordinator/fake_worker_link.h"
#include "runtime/coordinator/worker_session.h"

namespace rm::coordinator {

// The journal is real, in a temporary folder. Not thread-safe.
class TestWorld {
 public:
  // With a probe path, workers are asked for the probe before they are attached.
  explicit TestWorld(StorageProbeFile probe = {});

  [[nodiscard]] Coordinator& coordinator() { return *coordinator_; }
  [[nodiscard]] base::SimulatedClock& clock() { return clock_; }
  [[nodiscard]] std::string journal_path() const { return folder_.File("journal.db"); }

  // Ends the coordinator and opens another one over the same journal. Streams of workers are gone.
  void Restart();
  // Lets time pass in steps of at most 200 ms, with a Tick after each.
  void Pass(absl::Duration duration);
  void Tick() { coordinator_->Tick(); }

  // Adds an event, ticks, and returns what came of it.
  absl::Status Do(const ::ringmaster::v1::Event& event);
  // A job of so many ranks is submitted; `passes`: its preflight passes too. Returns its id.
  std::string Submit(const std::string& name, int32_t ranks, bool passes = true);
  absl::Status Cancel(const std::string& job_id, bool kill = false);

  [[nodiscard]] const scheduler::Job& JobOf(const std::string& job_id) const;
  [[nodiscard]] ::ringmaster::v1::JobState StateOf(const std::string& job_id) const;

  // What the coordinator called.
  std::vector<std::string> ended;
  std::vector<absl::Status> failures;
  std::vector<std::pair<std::string, ::ringmaster::v1::LogChunk>> logs;

 private:
  void Open();

  const StorageProbeFile probe_;
  const base::TemporaryFolder folder_;
  base::SimulatedClock clock_;
  std::unique_ptr<Coordinator> coordinator_;
  int submitted_ = 0;
};

[[nodiscard]] ::ringmaster::v1::JobSpec SpecOf(const std::string& name, int32_t ranks);
[[nodiscard]] ::ringmaster::v1::RankRef RankOf(const std::string& job_id, int64_t generation,
                                               int32_t rank);

// A worker as a test plays it. Each call says something to the coordinator and ticks.
class TestWorker {
 public:
  // Attaches, with what it already runs.
  TestWorker(TestWorld& world, const std::string& id, int32_t slots,
             const std::vector<::ringmaster::v1::RankRef>& running = {});
  // As above with a Hello of the test's own making.
  TestWorker(TestWorld& world, const ::ringmaster::v1::Hello& hello);

  [[nodiscard]] static ::ringmaster::v1::Hello HelloOf(const std::string& id, int32_t slots);

  void Say(const ::ringmaster::v1::WorkerMessage& message);
  void Beats();
  void Report(const ::ringmaster::v1::RankRef& rank, const ::ringmaster::v1::RankMessage& message);
  void Listens(const std::string& job_id, int64_t generation, int32_t rank);
  void Joins(const std::string& job_id, int64_t generation, int32_t rank, int64_t first_step = 0);
  void Progresses(const std::string& job_id, int64_t generation, int32_t rank, int64_t step);
  void Finishes(const std::string& job_id, int64_t generation, int32_t rank, int64_t step);
  void Exits(const std::string& job_id, int64_t generation, int32_t rank, int32_t code,
             int32_t signal = 0);
  // Its stream ends.
  void Breaks();

  [[nodiscard]] const absl::Status& closed() const { return link_->closed; }
  [[nodiscard]] FakeWorkerLink& link() { return *link_; }
  // The commands since the last call, one text each: "Welcome", "StartRank j 1/0", "StartGeneration
  // j 1: a b", "StopRank j 1/0 grace 30", "Preflight j".
  [[nodiscard]] std::vector<std::string> TakeCommands();

 private:
  TestWorld& world_;
  const std::string id_;
  std::shared_ptr<FakeWorkerLink> link_;
  std::shared_ptr<WorkerSession> session_;
};

// A job that runs in generation 1: submitted, started, listening and joined on one worker with as
// many slots. Returns its id; the worker's commands are taken.
std::string RunJob(TestWorld& world, TestWorker& worker, const std::string& name, int32_t ranks);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_TEST_WORLD_H_
