#include "runtime/preflight/preflight.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/memory_file_system.h"
#include "proto/job.pb.h"

namespace rm::preflight {
namespace {

namespace pb = ::ringmaster::v1;

void Put(base::FileSystem& files, const std::string& path, const std::string& bytes) {
  REQUIRE(base::WriteFileAtomically(files, path, bytes).ok());
}

std::string BigEndian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xFF);
  return bytes;
}

// An IDX data set of `count` blank images with labels 0, 1, … modulo `classes`.
void PutImages(base::FileSystem& files, const std::string& prefix, uint32_t count, uint32_t side,
               uint32_t classes) {
  Put(files, prefix + "-images-idx3-ubyte",
      BigEndian(0x803) + BigEndian(count) + BigEndian(side) + BigEndian(side) +
          std::string(count * side * side, '\0'));
  std::string labels;
  for (uint32_t i = 0; i < count; ++i) labels += static_cast<char>(i % classes);
  Put(files, prefix + "-labels-idx1-ubyte", BigEndian(0x801) + BigEndian(count) + labels);
}

// A job that can run: 40 training and 10 validation images.
struct World {
  base::MemoryFileSystem files;
  pb::JobSpec spec;
  std::vector<pb::SourcePosition> positions;

  World() {
    REQUIRE(files.MakeFolders("/data").ok());
    PutImages(files, "/data/train", 40, 28, 10);
    PutImages(files, "/data/test", 10, 28, 10);
    spec.mutable_model()->set_zoo("mlp");
    spec.mutable_data()->mutable_train()->set_path("/data/train");
    spec.mutable_data()->mutable_train()->set_format("idx");
    spec.mutable_data()->mutable_validation()->set_path("/data/test");
    spec.mutable_data()->mutable_validation()->set_format("idx");
    spec.mutable_train()->set_epochs(1);
    spec.mutable_train()->set_global_batch_size(8);
    spec.mutable_resources()->set_ranks_min(2);
    spec.mutable_resources()->set_ranks_max(2);
  }
  std::vector<std::string> Check() {
    return preflight::Check(spec, positions, "/storage/job", files);
  }
  void Expect(const std::vector<std::string>& parts) {
    const std::vector<std::string> errors = Check();
    std::string all;
    for (const std::string& error : errors) all += error + "\n";
    CAPTURE(all);
    REQUIRE(errors.size() == parts.size());
    for (size_t i = 0; i < parts.size(); ++i) {
      CHECK(errors[i].find(parts[i]) != std::string::npos);
    }
  }
};

TEST_CASE("a job that can run has no findings, and its checkpoint folder exists and is empty") {
  World world;
  world.Expect({});
  CHECK(world.files.List("/storage/job")->empty());
}

TEST_CASE("missing data is named with the field, or with its place in the job file") {
  World world;
  world.spec.mutable_data()->mutable_train()->set_path("/data/nothing");
  world.Expect({"data.train.path: "});
  pb::SourcePosition position;
  position.set_field_path("data.train.path");
  position.set_line(7);
  position.set_column(19);
  world.positions.push_back(position);
  world.Expect({"7:19: "});
  CHECK(world.Check()[0].find("/data/nothing") != std::string::npos);
}

TEST_CASE("all errors come at once") {
  World world;
  world.spec.mutable_data()->mutable_train()->set_path("/data/nothing");
  world.spec.mutable_data()->mutable_validation()->set_path("/data/nowhere");
  world.spec.mutable_model()->set_zoo("convnett");
  world.Expect({"nothing", "nowhere", "convnet"});
}

TEST_CASE("data that does not fit the model is found in either source") {
  World world;
  PutImages(world.files, "/data/small", 40, 14, 10);
  PutImages(world.files, "/data/many", 40, 28, 12);
  world.spec.mutable_data()->mutable_train()->set_path("/data/small");
  world.spec.mutable_data()->mutable_validation()->set_path("/data/many");
  world.Expect({"data.train.path: the data's samples are [1, 14, 14]",
                "data.validation.path: the data has labels up to 11"});
}

TEST_CASE("a truncated file is found before the job starts") {
  World world;
  const std::string path = "/data/train-images-idx3-ubyte";
  std::string bytes = *world.files.ReadFile(path);
  bytes.resize(bytes.size() - 1);
  Put(world.files, path, bytes);
  world.Expect({"train-images-idx3-ubyte"});
}

TEST_CASE("a job of no step is refused with its numbers") {
  World world;
  world.spec.mutable_train()->set_global_batch_size(64);
  world.Expect({"train.global_batch_size: 1 epochs of 40 samples do not fill one batch of 64"});
  world.spec.mutable_train()->set_steps(1);
  world.Expect({});
}

TEST_CASE("too little memory is refused with what is needed") {
  World world;
  world.spec.mutable_resources()->set_memory_per_rank(1 << 20);
  world.Expect({"resources.memory_per_rank: a rank needs about"});
  world.spec.mutable_resources()->set_memory_per_rank(int64_t{1} << 30);
  world.Expect({});
}

TEST_CASE("a checkpoint folder that cannot be written is refused with the reason") {
  World world;
  Put(world.files, "/storage-is-a-file", "x");
  const auto errors =
      preflight::Check(world.spec, {}, "/storage-is-a-file/job", world.files);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("checkpoint.path: checkpoints cannot be written to /storage-is-a-file/job") == 0);
}

}  // namespace
}  // namespace rm::preflight
