// Exact mode over generations: an interrupted job ends with the bits of an undisturbed one, whatever the number of ranks before
// and after, and is refused where it would not.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/memory_file_system.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

constexpr int64_t kSteps = 8;
constexpr int kShards = 4;

// A convnet with dropout over images that do not fill an epoch evenly (7 batches of 12 and 5 images left), and a schedule that
// moves at every step.
pb::JobSpec ExactJob(const std::string& optimizer) {
  pb::JobSpec spec = SmallJob();
  spec.mutable_model()->set_zoo("convnet");
  spec.mutable_model()->clear_params();
  (*spec.mutable_model()->mutable_params())["dropout"] = 0.25;
  pb::TrainSpec& train = *spec.mutable_train();
  train.clear_epochs();
  train.set_steps(kSteps);
  train.set_determinism("exact");
  train.set_virtual_shards(kShards);
  train.set_gradient_clipping(0.5);
  train.mutable_optimizer()->set_type(optimizer);
  train.mutable_optimizer()->clear_params();
  (*train.mutable_optimizer()->mutable_params())["lr"] = 0.003;
  (*train.mutable_optimizer()->mutable_params())["weight_decay"] = 0.1;
  train.mutable_optimizer()->add_no_decay("*.bias");
  train.mutable_scheduler()->set_type("StepLR");
  (*train.mutable_scheduler()->mutable_params())["step_size"] = 1;
  (*train.mutable_scheduler()->mutable_params())["gamma"] = 0.9;
  return spec;
}

// A cluster that remembers what the coordinator and the storage would.
class Job {
 public:
  explicit Job(pb::JobSpec spec) : spec_(std::move(spec)) {
    WriteDigits(files, "/data/train", 89, 6);
    WriteDigits(files, "/data/test", 7, 6);
  }

  // The next generation, of `ranks` ranks, up to `steps` steps; what rank 0 says of it.
  absl::StatusOr<TrainResult> Train(int ranks, int64_t steps) {
    ++generation_;
    absl::StatusOr<TrainResult> result = absl::InternalError("no rank 0");
    RunGang(ranks, [&](comm::Communicator& communicator) {
      auto mine = OnRank(communicator, steps);
      if (communicator.rank() == 0) result = std::move(mine);
    });
    return result;
  }

  base::MemoryFileSystem files;
  pb::Plan plan;  // as the coordinator keeps it
  std::vector<pb::Reason> notices;

 private:
  absl::StatusOr<TrainResult> OnRank(comm::Communicator& communicator, int64_t steps) {
    const StopSignal stop;
    RecordingObserver observer;
    pb::RankStart start =
        StartOf(spec_, communicator.rank(), communicator.world_size(), generation_);
    start.mutable_spec()->mutable_train()->set_steps(steps);
    *start.mutable_plan() = plan;
    auto trainer = Trainer::Create(start, files, communicator, observer, stop);
    if (communicator.rank() == 0) notices = observer.notices;
    if (!trainer.ok()) return trainer.status();
    auto result = (*trainer)->Run();
    communicator.Barrier().IgnoreError();
    if (communicator.rank() == 0) plan = (*trainer)->plan();
    return result;
  }

  const pb::JobSpec spec_;
  int64_t generation_ = 0;
};

std::string HashOf(const absl::StatusOr<TrainResult>& result) {
  INFO(result.status());
  REQUIRE(result.ok());
  return result->weights_sha256;
}

TEST_CASE("a job that goes on at other world sizes ends with an undisturbed job's bits") {
  for (const char* const optimizer : {"SGD", "AdamW"}) {
    const std::string undisturbed = HashOf(Job(ExactJob(optimizer)).Train(1, kSteps));
    for (const std::vector<int>& sizes :
         std::vector<std::vector<int>>{{3, 1}, {1, 4}, {4, 3, 2}, {2, 2, 3, 1}}) {
      CAPTURE(optimizer, sizes);
      Job job(ExactJob(optimizer));
      for (size_t i = 0; i + 1 < sizes.size(); ++i) {
        HashOf(job.Train(sizes[i], 2 * static_cast<int64_t>(i + 1) + 1));
      }
      CHECK(HashOf(job.Train(sizes.back(), kSteps)) == undisturbed);
    }
  }
}

TEST_CASE("the plan of the first generation binds the later ones") {
  pb::JobSpec spec = ExactJob("SGD");
  spec.mutable_communication()->set_bucket_size(4096);
  Job job(spec);
  HashOf(job.Train(2, 2));
  const pb::Plan first = job.plan;
  CHECK(first.threads() == 1);
  CHECK(first.bucket_bytes() == 4096);
  CHECK(first.wire_dtype() == "fp32");
  CHECK(absl::StartsWith(first.fingerprint(), "ISA "));
  HashOf(job.Train(3, 4));
  CHECK(job.plan.SerializeAsString() == first.SerializeAsString());
}

TEST_CASE("machines unlike those the job began on are refused, by its plan and by its checkpoint") {
  for (const bool coordinator_knows : {true, false}) {
    CAPTURE(coordinator_knows);
    Job job(ExactJob("SGD"));
    job.plan.set_threads(1);
    job.plan.set_bucket_bytes(4096);  // another choice stands for another machine
    job.plan.set_wire_dtype("fp32");
    HashOf(job.Train(2, 2));
    if (coordinator_knows) {
      job.plan.set_fingerprint("ISA of elsewhere");
    } else {
      job.plan.Clear();
    }
    const auto refused = job.Train(2, 4);
    CHECK(absl::IsFailedPrecondition(refused.status()));
    CHECK_THAT(std::string(refused.status().message()),
               Catch::StartsWith("DeterminismMismatch: ") &&
                   Catch::Contains(coordinator_knows ? "what this job has trained so far"
                                                     : "checkpoint step-000000000002-g1"));
  }
}

TEST_CASE("fast mode goes on anywhere, and says its new plan") {
  pb::JobSpec spec = ExactJob("SGD");
  spec.mutable_train()->set_determinism("fast");
  spec.mutable_train()->set_virtual_shards(0);
  Job job(spec);
  HashOf(job.Train(2, 2));
  const std::string first = job.plan.fingerprint();
  job.plan.set_fingerprint("ISA of elsewhere");
  job.plan.set_threads(3);  // of a larger machine
  HashOf(job.Train(2, 4));
  CHECK(job.plan.threads() == 1);
  CHECK(job.plan.fingerprint() == first);
}

TEST_CASE("an exact job that has saved nothing yet begins anew on other machines") {
  const std::string undisturbed = HashOf(Job(ExactJob("SGD")).Train(1, 4));
  Job job(ExactJob("SGD"));
  job.plan.set_threads(1);  // the generation before was lost with all that it had trained
  job.plan.set_bucket_bytes(4096);
  job.plan.set_wire_dtype("fp32");
  job.plan.set_fingerprint("ISA of elsewhere");
  CHECK(HashOf(job.Train(2, 4)) == undisturbed);
  CHECK(absl::StartsWith(job.plan.fingerprint(), "ISA "));
  CHECK(job.plan.fingerprint() != "ISA of elsewhere");
}

// Copies the newest checkpoint as an older release would have written it.
void ForgetFingerprint(base::MemoryFileSystem& files) {
  const auto found = checkpoint::FindNewest(files, "/checkpoints", {}, nullptr);
  REQUIRE(found.ok());
  const auto loaded = checkpoint::Checkpoint::Load(files, found->path);
  REQUIRE(loaded.ok());
  std::vector<std::vector<char>> memory;
  checkpoint::ShardSpec shard;
  for (const bool weights : {true, false}) {
    for (const auto& [name, info] : weights ? (*loaded)->weights() : (*loaded)->optimizer()) {
      int64_t bytes = sizeof(float);
      for (const int64_t size : info.shape) bytes *= size;
      memory.emplace_back(static_cast<size_t>(bytes));
      const auto count = static_cast<uint64_t>(bytes);
      REQUIRE((weights ? (*loaded)->ReadWeights(name, memory.back().data(), count)
                       : (*loaded)->ReadOptimizer(name, memory.back().data(), count))
                  .ok());
      (weights ? shard.weights : shard.optimizer)
          .push_back({name, "F32", info.shape, memory.back().data(), count});
    }
  }
  checkpoint::CommitSpec commit;
  commit.id = {found->step + 1, found->generation, "older"};
  REQUIRE(checkpoint::Prepare(files, "/checkpoints", commit.id, 1 << 20).ok());
  commit.reports = *checkpoint::WriteShard(files, "/checkpoints", commit.id, shard);
  commit.trainer_state.Set("step", found->step + 1);
  commit.weights_sha256 = checkpoint::WeightsSha256(shard.weights);
  REQUIRE(checkpoint::Commit(files, "/checkpoints", commit).ok());
}

TEST_CASE("a checkpoint that does not say what it was computed on is taken, with a word about it") {
  Job job(ExactJob("SGD"));
  HashOf(job.Train(1, 2));
  CHECK(job.notices.empty());
  ForgetFingerprint(job.files);
  const auto result = job.Train(2, 5);
  CHECK(result->step == 5);
  REQUIRE(job.notices.size() == 1);
  CHECK(job.notices[0].code() == "NoFingerprint");
  CHECK_THAT(job.notices[0].sentence(), Catch::Contains("checkpoint step-000000000003-g1"));
}

}  // namespace
}  // namespace rm::trainer
