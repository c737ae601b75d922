#include "runtime/trainer/fingerprint.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "base/check.h"
#include "kernels/kernels.h"
#include "runtime/graph/training.h"
#include "runtime/trainer/trainer_testing.h"
#include "runtime/zoo/zoo.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

pb::Plan PlanOf(int threads, int64_t bucket_bytes) {
  pb::Plan plan;
  plan.set_threads(threads);
  plan.set_bucket_bytes(bucket_bytes);
  plan.set_wire_dtype("fp32");
  return plan;
}

std::string FingerprintOfBatch(const std::string& model, int64_t batch,
                               kernels::KernelTable table = kernels::CpuKernels(),
                               const pb::Plan& plan = PlanOf(1, 4096),
                               graph::Precision precision = graph::Precision::kFloat32) {
  const auto graph = zoo::BuildModel(model, {});
  REQUIRE(graph.ok());
  graph::CompileOptions options;
  options.batch = batch;
  options.kernels = table;
  options.training = false;
  options.precision = precision;
  const auto program = graph::Program::Compile(*graph, options);
  REQUIRE(program.ok());
  return FingerprintOf(**program, plan);
}

TEST_CASE("the same program has the same fingerprint, and it says what it is made of") {
  const std::string one = FingerprintOfBatch("mlp", 8);
  CHECK(one == FingerprintOfBatch("mlp", 8));
  CHECK_THAT(one, Catch::StartsWith("ISA "));
  CHECK_THAT(one, Catch::Contains("oneDNN "));
  CHECK_THAT(one, Catch::Contains(", 1 thread, plan "));
}

TEST_CASE("another model, batch or set of kernels is another plan") {
  const std::string one = FingerprintOfBatch("mlp", 8);
  CHECK(one != FingerprintOfBatch("mlp", 9));
  CHECK(one != FingerprintOfBatch("convnet", 8));
  CHECK(one != FingerprintOfBatch("mlp", 8, kernels::ReferenceKernels()));
}

TEST_CASE("so is another precision, and people can read which") {
  const std::string narrow = FingerprintOfBatch("mlp", 8, kernels::CpuKernels(), PlanOf(1, 4096),
                                                graph::Precision::kBfloat16);
  CHECK_THAT(narrow, Catch::Contains(", 1 thread, bf16, plan "));
  const std::string wide = FingerprintOfBatch("mlp", 8);
  CHECK_THAT(wide, !Catch::Contains("bf16"));
  CHECK(narrow.substr(narrow.find("plan ")) != wide.substr(wide.find("plan ")));
}

TEST_CASE("so is whatever else the plan says, but for the fingerprint in it") {
  const auto with = [](const pb::Plan& plan) {
    return FingerprintOfBatch("mlp", 8, kernels::CpuKernels(), plan);
  };
  const std::string one = with(PlanOf(1, 4096));
  CHECK(one != with(PlanOf(1, 8192)));
  CHECK_THAT(with(PlanOf(2, 4096)), Catch::Contains(", 2 threads, plan "));
  pb::Plan plan = PlanOf(1, 4096);
  plan.set_fingerprint("of an earlier generation");
  CHECK(one == with(plan));
  plan.set_wire_dtype("bf16");
  CHECK(one != with(plan));
}

TEST_CASE("rank 0 chooses for all, and keeps to what the job had chosen before") {
  RunGang(3, [](comm::Communicator& communicator) {
    const pb::Plan own = PlanOf(1 + communicator.rank(), 100);
    const auto first = AgreeOnPlan(communicator, pb::Plan(), own);
    RM_CHECK(first.ok() && first->threads() == 1 && first->bucket_bytes() == 100);
    // Rank 2 was not told of the kept one: it follows all the same.
    const pb::Plan kept = communicator.rank() == 2 ? pb::Plan() : PlanOf(4, 200);
    const auto later = AgreeOnPlan(communicator, kept, own);
    RM_CHECK(later.ok() && later->threads() == 4 && later->bucket_bytes() == 200);
  });
}

TEST_CASE("what goes on is compared with what was, and both are named") {
  CHECK(CheckContinues("checkpoint x", "ISA a", "ISA a").ok());
  const absl::Status status = CheckContinues("checkpoint x", "ISA a", "ISA b");
  CHECK(absl::IsFailedPrecondition(status));
  CHECK_THAT(std::string(status.message()),
             Catch::StartsWith("DeterminismMismatch: checkpoint x was computed by (ISA a), this "
                               "generation would by (ISA b): "));
}

TEST_CASE("equal fingerprints pass; one that differs is named on every rank") {
  RunGang(3, [](comm::Communicator& communicator) {
    RM_CHECK(CheckFingerprints(communicator, "ISA x").ok());
    const absl::Status status =
        CheckFingerprints(communicator, communicator.rank() == 2 ? "ISA y" : "ISA x");
    RM_CHECK(absl::IsFailedPrecondition(status), status.ToString());
    RM_CHECK(absl::StartsWith(status.message(),
                              "DeterminismMismatch: rank 2 computes by (ISA y), rank 0 by (ISA x)"),
             status.ToString());
  });
}

}  // namespace
}  // namespace rm::trainer
