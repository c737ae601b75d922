#include "runtime/preflight/preflight.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/memory_file_system.h"
#include "base/temporary_folder.h"
#include "kernels/kernels.h"
#include "proto/job.pb.h"
#include "runtime/model/model.h"
#include "runtime/onnx/testing.h"
#include "runtime/tensorfile/safetensors.h"

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
  std::string host;

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
    return preflight::Check(spec, positions, "/storage/job", files, host);
  }
  // Two columns and a label, for a model that takes two numbers.
  void UseCsv(const std::string& training, const std::string& validation) {
    Put(files, "/data/train.csv", training);
    Put(files, "/data/test.csv", validation);
    auto& params = *spec.mutable_model()->mutable_params();
    params["height"] = 1;
    params["width"] = 2;
    params["classes"] = 2;
    pb::DataSpec& data = *spec.mutable_data();
    data.mutable_train()->set_path("/data/train.csv");
    data.mutable_train()->set_format("csv");
    data.mutable_validation()->set_path("/data/test.csv");
    data.mutable_validation()->set_format("csv");
    data.mutable_schema()->set_label("y");
    spec.mutable_train()->set_global_batch_size(2);
  }
  // All errors, word for word.
  void ExpectExactly(const std::vector<std::string>& errors) { CHECK(Check() == errors); }
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

TEST_CASE("bf16 is refused where the CPU does not multiply it, with the host and what it lacks") {
  World world;
  world.host = "node-7";
  world.spec.mutable_train()->set_precision("bf16");
  if (kernels::CpuMultipliesBfloat16()) {
    world.Expect({});
    return;
  }
  world.Expect({"train.precision: on host node-7: bf16 needs a CPU that multiplies bfloat16"});
  CHECK(world.Check()[0].find("avx512_bf16") != std::string::npos);
  CHECK(world.Check()[0].find("use fp32, or machines that have it") != std::string::npos);
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
  world.Expect({
                "data.validation.path: /data/many-labels-idx1-ubyte at offset 18, sample 10: field "
                "'label': '10' is out of range: the model has 10 classes, 0 to 9",
                "data.validation.path: /data/many-labels-idx1-ubyte at offset 19, sample 11: ",
                "data.validation.path: /data/many-labels-idx1-ubyte at offset 30, sample 22: ",
                "data.validation.path: /data/many-labels-idx1-ubyte at offset 31, sample 23: ",
                "data.validation.path: /data/many-labels-idx1-ubyte at offset 42, sample 34: ",
                "data.validation.path: /data/many-labels-idx1-ubyte at offset 43, sample 35: ",
                "data.validation.path: 6 of 40 records are bad; mend them, or set "
                "data.on_bad_record to skip or quarantine",
                "data.train.path: the data's samples are [1, 14, 14]"});
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

TEST_CASE("weights that do not fit the model are refused with every name, those that fit are not") {
  World world;
  world.spec.mutable_model()->set_weights("/base.safetensors");
  world.Expect({"model.weights: "});  // it is not there
  std::vector<tensorfile::TensorData> tensors;
  const auto write = [&] {
    auto file = world.files.Create("/base.safetensors");
    REQUIRE(file.ok());
    REQUIRE(tensorfile::WriteSafetensors(tensors, {}, **file).ok());
  };
  write();
  const auto graph = model::BuildGraph(world.spec.model());
  REQUIRE(graph.ok());
  const std::string all = world.Check().at(0);
  std::vector<std::vector<float>> values;
  for (const graph::ValueId id : graph->parameters()) {
    const graph::Value& parameter = graph->value(id);
    CHECK(all.find("'" + parameter.name + "' is missing") != std::string::npos);
    size_t elements = 1;
    for (const int64_t size : parameter.shape) elements *= static_cast<size_t>(size);
    values.emplace_back(elements, 0.5F);
    tensors.push_back({parameter.name, "F32",
                       std::vector<int64_t>(parameter.shape.begin(), parameter.shape.end()),
                       values.back().data(), elements * sizeof(float)});
  }
  write();
  world.Expect({});
}

TEST_CASE("too little memory is refused with what is needed") {
  World world;
  world.spec.mutable_resources()->set_memory_per_rank(1 << 20);
  world.Expect({"resources.memory_per_rank: a rank needs about"});
  world.spec.mutable_resources()->set_memory_per_rank(int64_t{1} << 30);
  world.Expect({});
}

TEST_CASE("in exact mode a rank needs the memory of one virtual shard, not of its whole share") {
  World world;
  world.spec.mutable_train()->clear_epochs();
  world.spec.mutable_train()->set_steps(1);
  world.spec.mutable_train()->set_global_batch_size(8192);
  world.spec.mutable_resources()->set_memory_per_rank(int64_t{40} << 20);
  world.Expect({"resources.memory_per_rank: a rank needs about"});
  world.spec.mutable_train()->set_determinism("exact");
  world.spec.mutable_train()->set_virtual_shards(1024);
  world.Expect({});
  // The sums of nine levels of shards are 18 MiB of it.
  world.spec.mutable_resources()->set_memory_per_rank(int64_t{20} << 20);
  world.Expect({"resources.memory_per_rank: a rank needs about"});
}

TEST_CASE("a checkpoint folder that cannot be written is refused with the reason") {
  World world;
  Put(world.files, "/storage-is-a-file", "x");
  const auto errors =
      preflight::Check(world.spec, {}, "/storage-is-a-file/job", world.files);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("checkpoint.path: checkpoints cannot be written to /storage-is-a-file/job") == 0);
}

TEST_CASE("what this machine lacks is told with its name, what is wrong with a file is not") {
  World world;
  world.host = "node-7";
  world.spec.mutable_data()->mutable_train()->set_path("/data/nothing");
  std::string labels = *world.files.ReadFile("/data/test-labels-idx1-ubyte");
  Put(world.files, "/data/test-labels-idx1-ubyte", labels.substr(0, labels.size() - 2));
  world.ExpectExactly(
      {"data.train.path: on host node-7: there is neither /data/nothing-images-idx3-ubyte nor "
       "/data/nothing-images-idx3-ubyte.gz",
       "data.validation.path: /data/test-labels-idx1-ubyte: expected 10 bytes of data (10) after the "
       "header of 8 bytes, found 8"});
}

TEST_CASE("a checkpoint folder that cannot be written is told with the machine") {
  World world;
  Put(world.files, "/storage", "a file in the way");
  world.host = "node-7";
  const auto errors = world.Check();
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors[0], Catch::StartsWith("checkpoint.path: on host node-7: checkpoints cannot be "
                                          "written to /storage/job: "));
}

TEST_CASE("a csv job that can run has no findings") {
  World world;
  world.UseCsv("a,b,y\n1,2,0\n3,4,1\n", "b,a,y\n1,2,1\n");
  world.ExpectExactly({});
}

TEST_CASE("a schema that does not fit the file is told at the schema's place in the job file") {
  World world;
  world.UseCsv("a,b,kind\n1,2,0\n3,4,1\n", "a,b,kind\n1,2,0\n");
  world.spec.mutable_data()->mutable_schema()->set_label("knd");
  pb::SourcePosition position;
  position.set_field_path("data.schema.label");
  position.set_line(12);
  position.set_column(11);
  world.positions.push_back(position);
  const std::string sentence = "data.schema.label: the file has no column 'knd' – did you mean "
                               "'kind'? It has a, b, kind";
  world.ExpectExactly({"12:11: /data/train.csv: " + sentence, "12:11: /data/test.csv: " + sentence});
}

TEST_CASE("bad records are listed one by one, the first ten, with their number") {
  World world;
  std::string training = "a,b,y\n";
  for (int i = 0; i < 12; ++i) training += "1,oops,0\n";
  world.UseCsv(training + "1,2,5\n1,2,1\n", "a,b,y\n,1,0\n1,2,1\n");
  std::vector<std::string> errors;
  for (int line = 2; line <= 11; ++line) {
    errors.push_back("data.train.path: /data/train.csv:" + std::to_string(line) +
                     ":3: field 'b': 'oops' is not a float");
  }
  errors.push_back("data.train.path: 13 of 14 records are bad (the first 10 are listed); mend them, "
                   "or set data.on_bad_record to skip or quarantine");
  errors.push_back("data.validation.path: /data/test.csv:2:1: field 'a': '' is missing");
  errors.push_back("data.validation.path: 1 of 2 records are bad; mend them, or set "
                   "data.on_bad_record to skip or quarantine");
  world.ExpectExactly(errors);
}

TEST_CASE("bad records that are passed over are no findings, unless nothing else is left") {
  for (const char* const rule : {"skip", "quarantine"}) {
    World world;
    world.UseCsv("a,b,y\n1,?,0\n3,4,1\n", "a,b,y\n1,2,1\n");
    world.spec.mutable_data()->set_on_bad_record(rule);
    world.ExpectExactly({});
    Put(world.files, "/data/test.csv", "a,b,y\n?,2,1\n");
    world.ExpectExactly({"data.validation.path: /data/test.csv:2:1: field 'a': '?' is not a float",
                         "data.validation.path: 1 of 1 records are bad: none is left to train or "
                         "validate with"});
  }
}

TEST_CASE("a ragged row is told with its place") {
  World world;
  world.UseCsv("a,b,y\n1,2,0\n3,1\n4,5,1\n", "a,b,y\n1,2,1\n");
  world.ExpectExactly({"data.train.path: /data/train.csv:3:1: the record has 2 fields, the header "
                       "has 3 columns",
                       "data.train.path: 1 of 3 records are bad; mend them, or set "
                       "data.on_bad_record to skip or quarantine"});
}

TEST_CASE("a table of another width than the model's is refused with what would fit") {
  World world;
  world.UseCsv("a,b,c,y\n1,2,3,0\n3,4,5,1\n", "a,b,c,y\n1,2,3,1\n");
  const std::string sentence = "the data's samples are [3], the model takes [1, 1, 2]; set the "
                               "model's params (channels: 1, height: 1, width: 3) or use other data";
  world.ExpectExactly({"data.train.path: " + sentence, "data.validation.path: " + sentence});
}

TEST_CASE("tokens are for language models, and their vocabulary must be the model's") {
  World world;
  Put(world.files, "/data/text.u16", std::string("\1\0\2\0\3\0\4\0\7\0", 10));
  world.spec.mutable_data()->clear_validation();
  world.spec.mutable_data()->mutable_train()->set_path("/data/text.u16");
  world.spec.mutable_data()->mutable_train()->set_format("tokens");
  world.ExpectExactly({"data.train.path: /data/text.u16: the format is tokens, but the model's input "
                       "'input' is float32 [1, 28, 28]; use idx, csv or npy"});
  world.spec.mutable_model()->set_zoo("gpt");
  auto& params = *world.spec.mutable_model()->mutable_params();
  params.clear();
  for (const auto& [name, value] : {std::pair{"context", 2}, {"width", 8}, {"layers", 1},
                                    {"heads", 2}, {"vocabulary", 7}}) {
    params[name] = value;
  }
  world.spec.mutable_train()->set_global_batch_size(2);
  world.ExpectExactly({"data.train.path: /data/text.u16 at offset 8: token 7 is out of range: the "
                       "vocabulary has 7 tokens, 0 to 6"});
  params["vocabulary"] = 8;
  CHECK(world.Check().empty());
}

TEST_CASE("an npy folder without the model's input is told on this machine") {
  World world;
  world.host = "h";
  world.spec.mutable_data()->mutable_train()->set_path("/data/arrays");
  world.spec.mutable_data()->mutable_train()->set_format("npy");
  const auto errors = world.Check();
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors[0], Catch::StartsWith("data.train.path: on host h: "));
  CHECK_THAT(errors[0], Catch::Contains("/data/arrays/input.npy"));
}

TEST_CASE("without a model nothing is said of data that only the model gives a meaning") {
  World world;
  const auto use = [&world](const std::string& format) {
    world.spec.mutable_data()->mutable_train()->set_format(format);
    world.spec.mutable_data()->mutable_validation()->set_format(format);
    return world.Check();
  };
  // One error, the model's, where there would be two or three.
  const auto expect_model_alone = [](const std::vector<std::string>& errors) {
    CAPTURE(errors);
    REQUIRE(errors.size() == 1);
    CHECK_THAT(errors[0], Catch::Contains("mpl"));
  };
  // Targets that are numbers: no class labels.
  world.UseCsv("a,b,y\n1,2,0.5\n3,4,-1\n", "a,b,y\n1,2,0.25\n");
  world.spec.mutable_model()->set_loss("mse");
  world.spec.mutable_model()->set_zoo("mpl");
  expect_model_alone(use("csv"));
  expect_model_alone(use("npy"));
  world.spec.mutable_model()->clear_loss();
  expect_model_alone(use("npy"));  // its inputs, and so its files, have names that only the model knows
  CHECK(use("csv").size() > 1);    // 0.5 is no class of any model
  // Images are read all the same.
  world.spec.mutable_data()->mutable_train()->set_path("/data/nothing");
  world.spec.mutable_data()->mutable_validation()->set_path("/data/test");
  CHECK(use("idx").size() == 2);
}

// A network in a file: preflight reads models from the machine's own disk.
struct FileModel {
  base::TemporaryFolder folder;
  explicit FileModel(const onnx::ModelBuilder& model, World& world) {
    const std::string path = folder.File("net.onnx");
    REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), path,
                                      model.proto().SerializeAsString())
                .ok());
    world.UseCsv("a,b,c,d,y\n1,2,3,4,0\n3,4,5,6,1\n", "a,b,c,d,y\n1,2,3,4,1\n");
    world.spec.mutable_model()->Clear();
    world.spec.mutable_model()->set_onnx(path);
  }
};

TEST_CASE("a network from a file is checked with its data like any other") {
  World world;
  FileModel model(onnx::LinearModel(), world);
  CHECK(world.Check().empty());
  SECTION("its own names are frozen by pattern") {
    world.spec.mutable_model()->add_freeze("fc.bias");
    CHECK(world.Check().empty());
    world.spec.mutable_model()->add_freeze("fc1.*");
    world.ExpectExactly({"model.onnx: model.freeze: 'fc1.*' fits no parameter of the model"});
  }
  SECTION("a loss of numbers wants as many as the output has") {
    world.spec.mutable_model()->set_loss("mse");
    const std::string sentence =
        ": the model's output wants targets of shape [3] for each sample, the data's are []";
    world.ExpectExactly({"data.train.path" + sentence, "data.validation.path" + sentence});
  }
}

TEST_CASE("operators that are missing are told at once, each with its node, at the file's place") {
  World world;
  onnx::ModelBuilder builder = onnx::LinearModel();
  builder.Node("Frobnicate", {"logits"}, {"a"}).Node("Twist", {"a"}, {"b"});
  builder.mutable_proto().mutable_graph()->mutable_output(0)->set_name("b");
  FileModel model(builder, world);
  const auto errors = world.Check();
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors[0], Catch::StartsWith("model.onnx: "));
  CHECK_THAT(errors[0], Catch::Contains("Frobnicate") && Catch::Contains("Twist"));
}

}  // namespace
}  // namespace rm::preflight
