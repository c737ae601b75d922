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

std::string FingerprintOfBatch(const std::string& model, int64_t batch,
                               kernels::KernelTable table = kernels::CpuKernels()) {
  const auto graph = zoo::BuildModel(model, {});
  REQUIRE(graph.ok());
  graph::CompileOptions options;
  options.batch = batch;
  options.kernels = table;
  options.training = false;
  const auto program = graph::Program::Compile(*graph, options);
  REQUIRE(program.ok());
  return FingerprintOf(**program, 1);
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
