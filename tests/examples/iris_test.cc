// examples/iris.yaml and iris_onnx.yaml as people run them: parsed, checked, trained on two ranks, and
// right more often than nine times out of ten.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/memory_file_system.h"
#include "base/temporary_folder.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/preflight/preflight.h"
#include "runtime/trainer/trainer.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm {
namespace {

namespace pb = ::ringmaster::v1;

// The job of the file, with paths as trainctl sends them.
pb::JobSpec Example(const std::string& file) {
  const auto yaml = base::PosixFileSystem().ReadFile("examples/" + file);
  REQUIRE(yaml.ok());
  const jobspec::ParseResult parsed = jobspec::Parse(*yaml);
  for (const auto& error : parsed.errors) FAIL(error.message);
  pb::JobSpec spec = parsed.spec;
  jobspec::MakePathsAbsolute(&spec, std::filesystem::absolute("examples").string());
  return spec;
}

TEST_CASE("the iris example passes preflight, and a slip in its schema does not") {
  const base::TemporaryFolder folder;
  pb::JobSpec spec = Example("iris.yaml");
  CHECK(preflight::Check(spec, {}, folder.path(), base::PosixFileSystem()).empty());
  spec.mutable_data()->mutable_schema()->set_label("specie");
  const auto errors = preflight::Check(spec, {}, folder.path(), base::PosixFileSystem());
  REQUIRE(errors.size() == 2);
  CHECK_THAT(errors[0], Catch::Contains("did you mean 'species'?"));
}

TEST_CASE("the network of the other example is looked for where the job file is, and its inputs are known") {
  const base::TemporaryFolder folder;
  pb::JobSpec spec = Example("iris_onnx.yaml");
  CHECK(preflight::Check(spec, {}, folder.path(), base::PosixFileSystem()).empty());
  auto& inputs = *spec.mutable_data()->mutable_inputs();
  inputs["flower"] = inputs["flowers"];
  inputs.erase("flowers");
  const auto errors = preflight::Check(spec, {}, folder.path(), base::PosixFileSystem());
  REQUIRE_FALSE(errors.empty());
  CHECK_THAT(errors[0], Catch::Contains("the model has no input 'flower'"));
  CHECK_THAT(errors[0], Catch::Contains("did you mean 'flowers'?"));
}

void TrainAndCheck(const std::string& file) {
  const base::TemporaryFolder folder;
  const pb::JobSpec spec = Example(file);
  std::vector<trainer::TrainResult> results(2);
  trainer::RunGang(2, [&](comm::Communicator& communicator) {
    pb::RankStart start = trainer::StartOf(spec, communicator.rank(), 2);
    start.set_checkpoint_folder(folder.path());
    trainer::RecordingObserver observer;
    const trainer::StopSignal stop;
    auto trainer =
        trainer::Trainer::Create(start, base::PosixFileSystem(), communicator, observer, stop);
    if (!trainer.ok()) return communicator.Abort(trainer.status());
    auto result = (*trainer)->Run();
    if (result.ok()) results[static_cast<size_t>(communicator.rank())] = *std::move(result);
  });
  for (const trainer::TrainResult& result : results) {
    CHECK(result.step == 1000);
    CHECK(result.metrics.at("validation/samples") == 30);
    CHECK(result.metrics.at("validation/accuracy") > 0.9);
    CHECK(result.weights_sha256 == results[0].weights_sha256);
  }
}

TEST_CASE("the iris example learns to tell the flowers apart, in seconds") { TrainAndCheck("iris.yaml"); }

TEST_CASE("so does the network from a file") { TrainAndCheck("iris_onnx.yaml"); }

}  // namespace
}  // namespace rm
