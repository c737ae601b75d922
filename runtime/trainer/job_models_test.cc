// Whole trainings of networks from files, with every loss and every kind of input: right at every world size, in every way that a
// batch can be cut, and from a checkpoint.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "base/temporary_folder.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/onnx/testing.h"
#include "runtime/tensorfile/npy.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;
using ringmaster::onnx::TensorProto;
using Shape = std::vector<int64_t>;

// What rank 0 says of a training, and what it was told.
struct Trained {
  absl::Status status;
  TrainResult result;
  RecordingObserver observer;
};

// A network in a file, data in memory, and a job over both.
struct World {
  base::TemporaryFolder folder;
  base::MemoryFileSystem files;
  pb::JobSpec spec = SmallJob();

  World(const onnx::ModelBuilder& model, const std::string& loss) {
    const std::string path = folder.File("net.onnx");
    REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), path,
                                      model.proto().SerializeAsString())
                .ok());
    spec.mutable_model()->Clear();
    spec.mutable_model()->set_onnx(path);
    spec.mutable_model()->set_loss(loss);
    spec.mutable_train()->clear_epochs();
    spec.mutable_train()->set_steps(12);
    spec.mutable_train()->set_global_batch_size(5);
    Source("npy", "/train", "/test");
  }
  void Source(const std::string& format, const std::string& training, const std::string& validation) {
    spec.mutable_data()->mutable_train()->set_format(format);
    spec.mutable_data()->mutable_train()->set_path(training);
    spec.mutable_data()->mutable_validation()->set_format(format);
    spec.mutable_data()->mutable_validation()->set_path(validation);
  }
  void Put(const std::string& path, const std::string& bytes) {
    REQUIRE(files.MakeFolders(base::ParentPath(path)).ok());
    REQUIRE(base::WriteFileAtomically(files, path, bytes).ok());
  }
  template <typename T>
  void PutNpy(const std::string& path, const char* dtype, const Shape& shape,
              const std::vector<T>& values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    Put(path, tensorfile::EncodeNpy(dtype, shape, bytes).value());
  }

  // Trains from the beginning, or from the checkpoint that is there.
  Trained Train(int ranks, int64_t generation = 1) {
    std::vector<Trained> all(static_cast<size_t>(ranks));
    RunGang(ranks, [&](comm::Communicator& communicator) {
      Trained& own = all[static_cast<size_t>(communicator.rank())];
      own.status = TrainOne(communicator, generation, own);
      if (!own.status.ok()) communicator.Abort(own.status);
    });
    return std::move(all[0]);
  }
  Trained TrainAnew(int ranks) {
    REQUIRE(files.RemoveAll("/checkpoints").ok());
    return Train(ranks);
  }

 private:
  absl::Status TrainOne(comm::Communicator& communicator, int64_t generation, Trained& own) {
    const StopSignal stop;
    const pb::RankStart start =
        StartOf(spec, communicator.rank(), communicator.world_size(), generation);
    auto trainer = Trainer::Create(start, files, communicator, own.observer, stop);
    if (!trainer.ok()) return trainer.status();
    auto result = (*trainer)->Run();
    if (!result.ok()) return result.status();
    own.result = *std::move(result);
    return absl::OkStatus();
  }
};

// y = (x + Σ table[ids]) · wᵀ + b: (batch, 3) and (batch, 2) in, (batch, outputs) out.
onnx::ModelBuilder TwoInputs(int64_t outputs) {
  onnx::ModelBuilder model;
  std::vector<float> table, weight;
  for (int i = 0; i < 15; ++i) table.push_back(0.1F * static_cast<float>(i % 4) - 0.1F);
  for (int64_t i = 0; i < 3 * outputs; ++i) weight.push_back(0.3F - 0.2F * static_cast<float>(i % 5));
  model.Input("x", {"batch", "3"})
      .Input("ids", {"batch", "2"}, TensorProto::INT64)
      .Weights("table.weight", {5, 3}, table)
      .Weights("fc.weight", {outputs, 3}, weight)
      .Weight("fc.bias", {outputs}, 0.1F)
      .Integers("axes", {1})
      .Node("Gather", {"table.weight", "ids"}, {"rows"})
      .Node("ReduceSum", {"rows", "axes"}, {"sum"})
      .Int("keepdims", 0)
      .Node("Add", {"x", "sum"}, {"h"})
      .Node("Gemm", {"h", "fc.weight", "fc.bias"}, {"y"})
      .Int("transB", 1)
      .Output("y");
  return model;
}

// `count` samples for TwoInputs: x drawn, ids in turn; the target is a function of both.
void PutSamples(World& world, const std::string& path, int64_t count, const std::string& loss) {
  base::RandomStream random(11, static_cast<uint64_t>(count));
  std::vector<float> x, number;
  std::vector<int32_t> ids, label;
  for (int64_t i = 0; i < count; ++i) {
    float sum = 0;
    for (int j = 0; j < 3; ++j) {
      x.push_back(2 * random.NextUniform() - 1);
      sum += x.back();
    }
    ids.push_back(static_cast<int32_t>(i % 5));
    ids.push_back(static_cast<int32_t>(i % 3));
    const float y = sum + static_cast<float>(i % 5) - 2;
    number.push_back(loss == "mse" ? y : y > 0 ? 1.0F : 0.0F);
    label.push_back(y > 0 ? 1 : 0);
  }
  world.PutNpy(path + "/x.npy", "F32", {count, 3}, x);
  world.PutNpy(path + "/ids.npy", "I32", {count, 2}, ids);
  if (loss == "softmax_cross_entropy") {
    world.PutNpy(path + "/target.npy", "I32", {count}, label);
  } else {
    world.PutNpy(path + "/target.npy", "F32", {count}, number);
  }
}

// Samples do not fill epochs, shares differ, and the validation set is smaller than the gang at times.
struct NpyWorld : World {
  explicit NpyWorld(const std::string& loss)
      : World(TwoInputs(loss == "softmax_cross_entropy" ? 2 : 1), loss) {
    PutSamples(*this, "/train", 23, loss);
    PutSamples(*this, "/test", 7, loss);
  }
};

// The same numbers but for rounding.
void CheckClose(const Trained& a, const Trained& b) {
  INFO(a.status << " " << b.status);
  REQUIRE((a.status.ok() && b.status.ok()));
  REQUIRE(a.result.metrics.size() == b.result.metrics.size());
  for (const auto& [name, value] : a.result.metrics) {
    CAPTURE(name);
    CHECK(b.result.metrics.at(name) == Approx(value).epsilon(2e-5));
  }
}

const char* const kLosses[] = {"softmax_cross_entropy", "mse", "sigmoid_binary_cross_entropy"};

TEST_CASE("every loss over several inputs ends alike at every world size and in parts") {
  for (const char* const loss : kLosses) {
    CAPTURE(loss);
    NpyWorld world(loss);
    const Trained alone = world.TrainAnew(1);
    CHECK(alone.result.metrics.at("validation/samples") == 7);
    CHECK(alone.result.metrics.count("validation/accuracy") == (std::string(loss) == "mse" ? 0 : 1));
    for (const int ranks : {2, 3, 5}) CheckClose(alone, world.TrainAnew(ranks));
    world.spec.mutable_train()->set_gradient_accumulation(2);
    for (const int ranks : {1, 2}) CheckClose(alone, world.TrainAnew(ranks));
  }
}

TEST_CASE("with every loss the network learns what there is to learn") {
  for (const char* const loss : kLosses) {
    CAPTURE(loss);
    NpyWorld world(loss);
    world.spec.mutable_train()->set_steps(200);
    world.spec.mutable_train()->mutable_evaluate_every()->set_steps(1);
    const Trained trained = world.TrainAnew(2);
    REQUIRE(trained.status.ok());
    const auto& evaluations = trained.observer.evaluations;
    const double first = evaluations.begin()->second.at("validation/loss");
    const double last = evaluations.rbegin()->second.at("validation/loss");
    CHECK(last < 0.5 * first);
  }
}

TEST_CASE("exact mode gives the same bits at every world size, and after an interruption") {
  for (const char* const loss : kLosses) {
    CAPTURE(loss);
    NpyWorld world(loss);
    world.spec.mutable_train()->set_global_batch_size(8);
    world.spec.mutable_train()->set_determinism("exact");
    world.spec.mutable_train()->set_virtual_shards(4);
    const std::string hash = world.TrainAnew(1).result.weights_sha256;
    CHECK_FALSE(hash.empty());
    for (const int ranks : {2, 3, 4}) CHECK(world.TrainAnew(ranks).result.weights_sha256 == hash);
    world.spec.mutable_train()->set_steps(5);
    REQUIRE(world.TrainAnew(2).status.ok());
    world.spec.mutable_train()->set_steps(12);
    CHECK(world.Train(3, /*generation=*/2).result.weights_sha256 == hash);
  }
}

TEST_CASE("checkpoints hold the file's own names, and what a pattern freezes stays as the file has it") {
  NpyWorld world("mse");
  world.spec.mutable_model()->add_freeze("table.*");
  REQUIRE(world.TrainAnew(2).status.ok());
  std::vector<std::string> warnings;
  const auto found = checkpoint::FindNewest(world.files, "/checkpoints", {}, &warnings);
  REQUIRE(found.ok());
  const auto loaded = checkpoint::Checkpoint::Load(world.files, found->path);
  REQUIRE(loaded.ok());
  CHECK((*loaded)->weights().size() == 3);
  std::vector<float> table(15), weight(3);
  REQUIRE((*loaded)->ReadWeights("table.weight", table.data(), 60).ok());
  REQUIRE((*loaded)->ReadWeights("fc.weight", weight.data(), 12).ok());
  CHECK(table[3] == 0.1F * 3 - 0.1F);
  CHECK(weight[0] != 0.3F);
}

TEST_CASE("losses are exact means: by hand, with weights that all but stand still") {
  World world(onnx::LinearModel(), "mse");
  world.PutNpy<float>("/train/x.npy", "F32", {2, 4}, {0, 0, 0, 0, 0, 0, 0, 0});
  world.PutNpy<float>("/train/target.npy", "F32", {2, 3}, {0, 0, 0, 0, 0, 0});
  world.PutNpy<float>("/test/x.npy", "F32", {3, 4}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  world.PutNpy<float>("/test/target.npy", "F32", {3, 3}, {1.5F, 4.5F, 8, 2.5F, 5.5F, 13, 0, 0, 0});
  (*world.spec.mutable_train()->mutable_optimizer()->mutable_params())["lr"] = 1e-12;
  world.spec.mutable_train()->set_steps(1);
  // Rows: (1.5, 4.5, 9), (2.5, 5.5, 10) and the bias (0.5, −0.5, 0): squares of 1, 9 and 0.5 over 3 numbers each, 3 samples.
  for (const int ranks : {1, 2, 3}) {
    CHECK(world.TrainAnew(ranks).result.metrics.at("validation/loss") ==
          Approx((1 + 9 + 0.5) / 9).epsilon(1e-6));
  }
}

TEST_CASE("accuracy of two sides counts numbers on the right side of one half") {
  World world(onnx::LinearModel(), "sigmoid_binary_cross_entropy");
  world.PutNpy<float>("/train/x.npy", "F32", {1, 4}, {0, 0, 0, 0});
  world.PutNpy<float>("/train/target.npy", "F32", {1, 3}, {0, 0, 0});
  world.PutNpy<float>("/test/x.npy", "F32", {2, 4}, {0, 0, 0, 0, -1, 0, 0, 0});
  world.PutNpy<uint8_t>("/test/target.npy", "U8", {2, 3}, {1, 1, 0, 0, 0, 1});
  (*world.spec.mutable_train()->mutable_optimizer()->mutable_params())["lr"] = 1e-12;
  world.spec.mutable_train()->set_steps(1);
  world.spec.mutable_train()->set_global_batch_size(2);
  // Logits (0.5, −0.5, 0) and (−0.5, −5.5, −9): right are 1 and 3 (0 says no), then 1 and 2.
  for (const int ranks : {1, 2}) {
    CHECK(world.TrainAnew(ranks).result.metrics.at("validation/accuracy") == Approx(4.0 / 6));
  }
}

// tokens (batch, 4) → an embedding → logits (batch, 4, 7).
onnx::ModelBuilder LanguageModel() {
  onnx::ModelBuilder model;
  std::vector<float> table, head;
  for (int i = 0; i < 42; ++i) table.push_back(0.2F * static_cast<float>(i * 5 % 7) - 0.6F);
  for (int i = 0; i < 42; ++i) head.push_back(0.1F * static_cast<float>(i * 3 % 11) - 0.5F);
  model.Input("tokens", {"batch", "4"}, TensorProto::INT64)
      .Weights("wte.weight", {7, 6}, table)
      .Weights("head", {6, 7}, head)
      .Node("Gather", {"wte.weight", "tokens"}, {"h"})
      .Node("MatMul", {"h", "head"}, {"logits"})
      .Output("logits");
  return model;
}

// Each token is followed by the next one but one, modulo 7.
std::string TokenFile(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += std::string({static_cast<char>(2 * i % 7), '\0'});
  return bytes;
}

TEST_CASE("language models train on windows of tokens, from a file and built in, at every world size") {
  for (const bool from_file : {true, false}) {
    CAPTURE(from_file);
    World world(LanguageModel(), "softmax_cross_entropy");
    if (!from_file) {
      world.spec.mutable_model()->Clear();
      world.spec.mutable_model()->set_zoo("gpt");
      for (const auto& [name, value] : {std::pair{"vocabulary", 7}, {"context", 4}, {"width", 8},
                                        {"layers", 1}, {"heads", 2}}) {
        (*world.spec.mutable_model()->mutable_params())[name] = value;
      }
    }
    world.Put("/train.u16", TokenFile(4 * 23 + 2));
    world.Put("/test.u16", TokenFile(4 * 7 + 1));
    world.Source("tokens", "/train.u16", "/test.u16");
    const Trained alone = world.TrainAnew(1);
    REQUIRE(alone.status.ok());
    CHECK(alone.result.metrics.at("validation/samples") == 7);
    for (const int ranks : {2, 3}) CheckClose(alone, world.TrainAnew(ranks));
    world.spec.mutable_train()->set_steps(150);
    const Trained longer = world.TrainAnew(2);
    CHECK(longer.result.metrics.at("validation/accuracy") > 0.99);
    CHECK(longer.result.metrics.at("validation/loss") < 0.2);
  }
}

TEST_CASE("the loss of tokens is the mean over tokens, not over windows") {
  World world(LanguageModel(), "softmax_cross_entropy");
  world.Put("/train.u16", TokenFile(4 * 5 + 1));
  world.Put("/test.u16", TokenFile(4 * 3 + 1));
  world.Source("tokens", "/train.u16", "/test.u16");
  (*world.spec.mutable_train()->mutable_optimizer()->mutable_params())["lr"] = 1e-12;
  world.spec.mutable_train()->set_steps(1);
  const Trained trained = world.TrainAnew(2);
  REQUIRE(trained.status.ok());
  // A model of seven classes that has learnt nothing is near log 7 a token; four times that a window.
  CHECK(trained.result.metrics.at("validation/loss") < 2 * std::log(7.0));
  CHECK(trained.result.metrics.at("train/loss") < 2 * std::log(7.0));
}

TEST_CASE("columns of a table go to two inputs") {
  World world(TwoInputs(1), "mse");
  world.Source("csv", "/train.csv", "/test.csv");
  std::string table = "a,city,b,c,n,y\n";
  for (int i = 0; i < 20; ++i) {
    table += absl::StrCat(i % 3, ".5,", i % 2 == 0 ? "Ulm" : "Bonn", ",", i % 4, ",-1,", i % 5, ",",
                          0.25 * (i % 7), "\n");
  }
  world.Put("/train.csv", table);
  world.Put("/test.csv", table);
  pb::DataSpec& data = *world.spec.mutable_data();
  data.mutable_schema()->set_label("y");
  (*data.mutable_schema()->mutable_types())["city"] = "category";
  (*data.mutable_schema()->mutable_types())["n"] = "int";
  for (const char* const column : {"a", "b", "c"}) (*data.mutable_inputs())["x"].add_columns(column);
  for (const char* const column : {"city", "n"}) (*data.mutable_inputs())["ids"].add_columns(column);
  const Trained alone = world.TrainAnew(1);
  CheckClose(alone, world.TrainAnew(3));
}

TEST_CASE("what people should know of the file is a notice of the job") {
  auto model = TwoInputs(1);
  model.Node("Relu", {"y"}, {"more"}).Output("more");
  World world(model, "mse");
  PutSamples(world, "/train", 23, "mse");
  PutSamples(world, "/test", 7, "mse");
  const Trained trained = world.TrainAnew(2);
  REQUIRE(trained.observer.notices.size() == 1);
  CHECK(trained.observer.notices[0].code() == "ModelImport");
  CHECK_THAT(trained.observer.notices[0].sentence(),
             Catch::Contains("the model has 2 outputs; the loss is computed of 'y'"));
}

TEST_CASE("a bad record of any input has no weight, at every world size") {
  NpyWorld world("mse");
  std::vector<int32_t> ids(46, 1);
  ids[8] = 5;  // sample 4: the table has five rows
  world.PutNpy("/train/ids.npy", "I32", {23, 2}, ids);
  CHECK_THAT(std::string(world.TrainAnew(1).status.message()),
             Catch::Contains("field 'ids': '5' is out of range"));
  world.spec.mutable_data()->set_on_bad_record("skip");
  CheckClose(world.TrainAnew(1), world.TrainAnew(3));
}

}  // namespace
}  // namespace rm::trainer
