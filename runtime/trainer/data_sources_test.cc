#include "runtime/trainer/data_sources.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/memory_file_system.h"
#include "runtime/model/model.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

// A csv job over two files in memory.
struct World {
  base::MemoryFileSystem files;
  pb::JobSpec spec;

  World(const std::string& training, const std::string& validation) {
    Put("/data/train.csv", training);
    Put("/data/test.csv", validation);
    spec.mutable_model()->set_zoo("mlp");
    auto& params = *spec.mutable_model()->mutable_params();
    params["height"] = 1;
    params["width"] = 1;
    params["classes"] = 2;
    spec.mutable_data()->mutable_train()->set_path("/data/train.csv");
    spec.mutable_data()->mutable_train()->set_format("csv");
    spec.mutable_data()->mutable_validation()->set_path("/data/test.csv");
    spec.mutable_data()->mutable_validation()->set_format("csv");
    spec.mutable_data()->mutable_schema()->set_label("y");
  }
  void Put(const std::string& path, const std::string& bytes) {
    REQUIRE(files.MakeFolders(base::ParentPath(path)).ok());
    REQUIRE(base::WriteFileAtomically(files, path, bytes).ok());
  }
  absl::StatusOr<DataSources> Open() {
    const auto model = model::BuildGraph(spec.model());
    if (!model.ok()) return model.status();
    return OpenDataSources(spec, *model, files);
  }
  std::vector<pb::Reason> Report() {
    const auto sources = Open();
    REQUIRE(sources.ok());
    return ReportBadRecords(*sources, spec.data(), "/job", files);
  }
};

const char kGood[] = "x,y\n1,0\n2,1\n";
const char kOneBad[] = "x,y\n1,0\n?,1\n3,1\n";

TEST_CASE("both sources are opened, the validation file with the means of the training file") {
  World world("x,y\n2,0\n4,1\n", "x,y\n,1\n");
  world.spec.mutable_data()->mutable_schema()->set_missing("mean");
  const auto sources = world.Open();
  REQUIRE(sources.ok());
  CHECK(sources->training->size() == 2);
  float x = 0;
  int64_t label = -1;
  sources->validation->Read(0, &x, &label);
  CHECK(x == 3.0F);
  CHECK(label == 1);
}

TEST_CASE("a job without validation has none") {
  World world(kGood, kGood);
  world.spec.mutable_data()->clear_validation();
  const auto sources = world.Open();
  REQUIRE(sources.ok());
  CHECK(sources->validation == nullptr);
}

TEST_CASE("bad records fail the job unless it wants them passed over") {
  for (const bool in_training : {true, false}) {
    World world(in_training ? kOneBad : kGood, in_training ? kGood : kOneBad);
    const auto failed = world.Open();
    REQUIRE(absl::IsInvalidArgument(failed.status()));
    CHECK(std::string(failed.status().message()) ==
          std::string("BadRecords: /data/") + (in_training ? "train" : "test") +
              ".csv:3:1: field 'x': '?' is not a float; 1 of 3 records are bad; mend them, or set "
              "data.on_bad_record to skip or quarantine");
    world.spec.mutable_data()->set_on_bad_record("skip");
    CHECK(world.Open().ok());
  }
}

TEST_CASE("a source of bad records alone fails the job in any case") {
  World world("x,y\n?,0\n?,1\n", kGood);
  world.spec.mutable_data()->set_on_bad_record("skip");
  const auto failed = world.Open();
  REQUIRE(absl::IsInvalidArgument(failed.status()));
  CHECK_THAT(std::string(failed.status().message()),
             Catch::EndsWith("2 of 2 records are bad: none is left to train or validate with"));
}

TEST_CASE("a label that the model has no class for is a bad record") {
  World world("x,y\n1,0\n2,7\n", kGood);
  const auto failed = world.Open();
  CHECK_THAT(std::string(failed.status().message()),
             Catch::Contains("/data/train.csv:3:3: field 'y': '7' is out of range: the model has 2 "
                             "classes, 0 to 1"));
}

TEST_CASE("a rule that does not exist, and data that do not fit the loss, are told as such") {
  World world(kGood, kGood);
  world.spec.mutable_data()->set_on_bad_record("ignore");
  CHECK_THAT(std::string(world.Open().status().message()),
             Catch::Contains("data.on_bad_record cannot be 'ignore'"));
  world.spec.mutable_data()->set_on_bad_record("");
  world.spec.mutable_model()->set_loss("mse");
  world.spec.mutable_model()->set_zoo("mlp");
  CHECK_THAT(std::string(world.Open().status().message()),
             Catch::Contains("the model's output wants targets of shape [2] for each sample"));
}

TEST_CASE("where all records are good there is nothing to tell") {
  World world(kGood, kGood);
  CHECK(world.Report().empty());
}

TEST_CASE("skipped records are told with their number and the first place") {
  World world(kOneBad, "x,y\n1,0\n2,nobody\n,\n");
  world.spec.mutable_data()->set_on_bad_record("skip");
  const auto notices = world.Report();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].code() == "BadRecords");
  CHECK(notices[0].sentence() ==
        "1 of 3 records are bad and have no weight; the first: /data/train.csv:3:1: field 'x': '?' "
        "is not a float");
  CHECK(notices[1].sentence() ==
        "2 of 3 records are bad and have no weight; the first: /data/test.csv:3:3: field 'y': "
        "'nobody' is not a whole number");
  CHECK_FALSE(world.files.Exists("/job/quarantine"));
}

TEST_CASE("quarantined records are told and written beside the checkpoints") {
  World world(kOneBad, kOneBad);
  world.spec.mutable_data()->set_on_bad_record("quarantine");
  const auto notices = world.Report();
  REQUIRE(notices.size() == 2);
  CHECK_THAT(notices[0].sentence(), Catch::EndsWith("; all are listed in /job/quarantine/train.jsonl"));
  CHECK(*world.files.ReadFile("/job/quarantine/train.jsonl") ==
        "{\"file\":\"/data/train.csv\",\"line\":3,\"column\":1,\"sample\":1,\"field\":\"x\","
        "\"value\":\"?\",\"reason\":\"is not a float\"}\n");
  CHECK(world.files.Exists("/job/quarantine/validation.jsonl"));
}

TEST_CASE("a quarantine that cannot be written is told, and no more") {
  World world(kOneBad, kGood);
  world.spec.mutable_data()->set_on_bad_record("quarantine");
  world.files.FailFrom(world.files.operations() + 1, base::MemoryFileSystem::Fault::kDiskFull);
  const auto notices = world.Report();
  REQUIRE(notices.size() == 1);
  CHECK_THAT(notices[0].sentence(),
             Catch::Contains("; the list could not be written to /job/quarantine/train.jsonl: "));
}

}  // namespace
}  // namespace rm::trainer
