#include "runtime/trainer/saver.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/memory_file_system.h"
#include "kernels/kernels.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

std::unique_ptr<Replica> SmallReplica(comm::Communicator& communicator) {
  ReplicaOptions options;
  options.local_batch = 4;
  options.kernels = kernels::CpuKernels();
  options.bucket_bytes_max = 4096;
  auto optimizer = MakeOptimizer(SmallJob().train().optimizer());
  RM_CHECK(optimizer.ok());
  auto replica = Replica::Build(TrainingGraph(SmallJob().model(), 4), options, *std::move(optimizer), communicator);
  RM_CHECK(replica.ok());
  return *std::move(replica);
}

SaverOptions OptionsFor(base::FileSystem& files) {
  SaverOptions options;
  options.files = &files;
  options.folder = "/checkpoints";
  return options;
}

TEST_CASE("tensors are shared out evenly, each to one rank, the same on every rank") {
  std::vector<std::vector<float>> memory;
  std::vector<StateTensor> tensors;
  for (const size_t size : {10U, 500U, 20U, 480U, 30U, 40U}) {
    memory.emplace_back(size);
    tensors.push_back({std::to_string(size), {}, absl::MakeSpan(memory.back())});
  }
  for (const int ranks : {1, 2, 3, 9}) {
    const std::vector<int> rank_of = AssignTensors(tensors, ranks);
    REQUIRE(rank_of.size() == tensors.size());
    std::vector<size_t> load(static_cast<size_t>(ranks), 0);
    for (size_t i = 0; i < tensors.size(); ++i) {
      REQUIRE(rank_of[i] >= 0);
      REQUIRE(rank_of[i] < ranks);
      load[static_cast<size_t>(rank_of[i])] += tensors[i].values.size();
    }
    if (ranks == 2) CHECK(load[0] == load[1]);
    CHECK(AssignTensors(tensors, ranks) == rank_of);
  }
}

TEST_CASE("a save holds the weights of its step, though training goes on meanwhile") {
  base::MemoryFileSystem files;
  std::vector<std::string> hashes(3);
  RunGang(3, [&](comm::Communicator& communicator) {
    const auto replica = SmallReplica(communicator);
    hashes[static_cast<size_t>(communicator.rank())] = replica->WeightsSha256();
    Saver saver(OptionsFor(files), *replica, communicator);
    RM_CHECK(!saver.active());
    RM_CHECK(saver.Begin(7, base::Json(base::Json::Object()), {{"train/loss", 0.5}}).ok());
    RM_CHECK(saver.active());
    for (const StateTensor& tensor : replica->Weights()) tensor.values[0] += 1;  // the next step
    const auto outcome = saver.Finish();
    RM_CHECK(outcome.ok());
    RM_CHECK(outcome->status.ok());
    RM_CHECK(outcome->step == 7);
    RM_CHECK(!saver.active());
  });
  const auto verified = checkpoint::Verify(files, "/checkpoints/step-000000000007-g1");
  REQUIRE(verified.ok());
  CHECK(verified->ok());
  CHECK(verified->weights_sha256 == hashes[0]);
  CHECK(verified->info.metrics.at("train/loss") == 0.5);
  const auto loaded = checkpoint::Checkpoint::Load(files, "/checkpoints/step-000000000007-g1");
  REQUIRE(loaded.ok());
  CHECK((*loaded)->weights().size() == 6);
  CHECK((*loaded)->optimizer().size() == 6);
  CHECK((*loaded)->optimizer().count("momentum/fc1.weight") == 1);
}

TEST_CASE("ranks vote when their part is written, collect together, and rank 0 commits beside the training") {
  base::MemoryFileSystem files;
  RunGang(2, [&](comm::Communicator& communicator) {
    const auto replica = SmallReplica(communicator);
    Saver saver(OptionsFor(files), *replica, communicator);
    RM_CHECK(saver.Begin(1, base::Json(base::Json::Object()), {}).ok());
    RM_CHECK(!saver.TakeOutcome().has_value());
    double votes = 0;
    while (votes < 2) {  // as the step loop does, with the sum of the votes
      votes = saver.shard_written() ? 1 : 0;
      RM_CHECK(communicator.SumInPlace(absl::MakeSpan(&votes, 1)).ok());
    }
    RM_CHECK(saver.Collect().ok());
    RM_CHECK(!saver.shard_written());  // a vote is cast once
    std::optional<SaveOutcome> outcome;
    while (!(outcome = saver.TakeOutcome()).has_value()) std::this_thread::yield();
    RM_CHECK(outcome->status.ok());
    RM_CHECK((communicator.rank() == 0) == !outcome->path.empty());
    RM_CHECK(!saver.active());
    // The saver is ready for the next one.
    RM_CHECK(saver.Begin(2, base::Json(base::Json::Object()), {}).ok());
    RM_CHECK(saver.Finish().ok());
  });
  CHECK(files.Exists("/checkpoints/step-000000000001-g1/manifest.json"));
  CHECK(files.Exists("/checkpoints/step-000000000002-g1/manifest.json"));
}

TEST_CASE("a disk that fails at any operation of a save is told to every rank, and nothing half is left") {
  // Counts the operations of a save, then fails at each of them in turn.
  int64_t operations = 0;
  for (int64_t fail_at = 0; fail_at <= operations; ++fail_at) {
    base::MemoryFileSystem files;
    const int64_t before = files.operations();
    if (fail_at > 0) {
      files.FailFrom(before + fail_at, base::MemoryFileSystem::Fault::kDiskFull);
    }
    std::vector<absl::Status> statuses(2);
    RunGang(2, [&](comm::Communicator& communicator) {
      const auto replica = SmallReplica(communicator);
      Saver saver(OptionsFor(files), *replica, communicator);
      RM_CHECK(saver.Begin(3, base::Json(base::Json::Object()), {}).ok());
      const auto outcome = saver.Finish();
      RM_CHECK(outcome.ok());
      statuses[static_cast<size_t>(communicator.rank())] = outcome->status;
    });
    if (fail_at == 0) operations = files.operations() - before;
    CAPTURE(fail_at);
    CHECK(statuses[0].ok() == statuses[1].ok());
    files.FailFrom(0, base::MemoryFileSystem::Fault::kDiskFull);
    const auto list = checkpoint::List(files, "/checkpoints", {});
    REQUIRE(list.ok());
    CHECK(list->size() == (statuses[0].ok() ? 1 : 0));
    for (const auto& info : *list) CHECK(checkpoint::Verify(files, info.path)->ok());
  }
  CHECK(operations > 8);
}

}  // namespace
}  // namespace rm::trainer
