// trainctl model export: from a job with a coordinator, from a folder, and everything that can be wrong on the way.
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/temporary_folder.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/client/testing.h"
#include "runtime/onnx/import.h"
#include "runtime/onnx/model_file.h"
#include "runtime/onnx/testing.h"
#include "runtime/tensorfile/safetensors.h"
#include "tools/trainctl/testing.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using absl::StrContains;
using Floats = std::vector<float>;

constexpr char kJobId[] = "digits-1a2b";

// Tensors of one dimension by name: what onnx and safetensors do with shapes is tested elsewhere.
using Weights = std::map<std::string, Floats>;

// The parameters of an mlp 4-3-2-2, every value of a tensor the same.
Weights MlpWeights() {
  return {{"fc1.weight", Floats(12, 0.5F)}, {"fc1.bias", Floats(3, 0.25F)},
          {"fc2.weight", Floats(6, -1)},    {"fc2.bias", Floats(2, 2)},
          {"fc3.weight", Floats(4, 3)},     {"fc3.bias", Floats(2, 4)}};
}

pb::ModelSpec MlpSpec() {
  pb::ModelSpec spec;
  spec.set_zoo("mlp");
  for (const auto& [key, value] : std::map<std::string, double>{
           {"height", 2}, {"width", 2}, {"hidden1", 3}, {"hidden2", 2}, {"classes", 2}}) {
    (*spec.mutable_params())[key] = value;
  }
  return spec;
}

// What the coordinator streams for these weights.
std::vector<pb::DownloadReply> Messages(const Weights& weights, int64_t step) {
  std::vector<pb::DownloadReply> messages(1);
  pb::WeightsHead& head = *messages[0].mutable_head();
  head.mutable_checkpoint()->set_step(step);
  std::vector<tensorfile::TensorData> data;
  for (const auto& [name, values] : weights) {
    const auto bytes = static_cast<int64_t>(values.size() * sizeof(float));
    pb::WeightsTensor& tensor = *head.add_tensors();
    tensor.set_name(name);
    tensor.set_dtype("F32");
    tensor.add_shape(static_cast<int64_t>(values.size()));
    tensor.set_bytes(bytes);
    messages.emplace_back().set_data(reinterpret_cast<const char*>(values.data()),
                                     static_cast<size_t>(bytes));
    data.push_back({name, "F32", {static_cast<int64_t>(values.size())}, values.data(),
                    static_cast<uint64_t>(bytes)});
  }
  head.set_weights_sha256(checkpoint::WeightsSha256(data));
  return messages;
}

// A coordinator with one job, and a folder to export into.
class World {
 public:
  explicit World(const Weights& weights = MlpWeights(), const pb::ModelSpec& model = MlpSpec())
      : messages_(Messages(weights, 40)) {
    coordinator.methods.get = [model](const pb::GetJobRequest& request, pb::Job* job) {
      if (!absl::StartsWith(kJobId, request.job_id())) {
        return grpc::Status(grpc::StatusCode::NOT_FOUND, "no job begins with that");
      }
      job->set_job_id(kJobId);
      *job->mutable_spec()->mutable_model() = model;
      return grpc::Status::OK;
    };
    coordinator.methods.download = [this](auto*, const pb::DownloadRequest& request, auto* writer) {
      asked_step = request.step();
      CHECK(request.job_id() == kJobId);
      for (const pb::DownloadReply& message : messages_) writer->Write(message);
      return grpc::Status::OK;
    };
  }

  Ran Export(std::vector<std::string> words) {
    words.insert(words.begin(), {"model", "export"});
    words.insert(words.end(), {"-c", coordinator.address()});
    return Trainctl(words);
  }
  std::string File(const char* name) const { return folder_.File(name); }
  std::vector<pb::DownloadReply>& messages() { return messages_; }

  client::FakeCoordinator coordinator;
  int64_t asked_step = -1;

 private:
  std::vector<pb::DownloadReply> messages_;
  base::TemporaryFolder folder_;
};

// The values of a parameter in an ONNX file.
Floats InOnnx(const std::string& path, const std::string& name) {
  const auto model = onnx::ImportModel(base::PosixFileSystem(), path);
  REQUIRE(model.status() == absl::OkStatus());
  const graph::ValueId id = model->graph.FindValue(name);
  REQUIRE(id != graph::kNoValue);
  return *model->graph.value(id).initializer.values;
}

TEST_CASE("a job's model is written as ONNX, with the weights of its checkpoint", "[export]") {
  World world;
  const Ran ran = world.Export({"digits", "--output", world.File("m.onnx")});
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(StrContains(ran.out, absl::StrCat(world.File("m.onnx"), ": onnx, step 40, 6 tensors, ")));
  CHECK(world.asked_step == 0);
  CHECK(InOnnx(world.File("m.onnx"), "fc2.weight") == Floats(6, -1));
  const auto model = onnx::ImportModel(base::PosixFileSystem(), world.File("m.onnx"));
  CHECK(model->inputs == std::vector<std::string>{"input"});
}

TEST_CASE("safetensors hold every tensor by its own name", "[export]") {
  World world;
  const std::string path = world.File("m.safetensors");  // the name says the format
  const Ran ran = world.Export({"digits@40", "--output", path, "-o", "json"});
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  const auto said = base::Json::Parse(ran.out);
  CHECK(said->Find("format")->string_or("") == "safetensors");
  CHECK(said->Find("step")->int_or(0) == 40);
  CHECK(said->Find("file")->string_or("") == path);
  CHECK(world.asked_step == 40);
  const auto file = tensorfile::SafetensorsFile::Open(base::PosixFileSystem(), path);
  REQUIRE(file.ok());
  CHECK((*file)->tensors().size() == 6);
  CHECK((*file)->metadata().at("step") == "40");
  Floats bias(3);
  REQUIRE((*file)->Read(*(*file)->Find("fc1.bias"), bias.data()).ok());
  CHECK(bias == Floats(3, 0.25F));
}

TEST_CASE("best is the checkpoint with the best metric", "[export]") {
  World world;
  world.coordinator.methods.list_checkpoints = [](const pb::GetJobRequest&,
                                                  pb::ListCheckpointsReply* reply) {
    for (const int step : {60, 40}) {
      pb::CheckpointInfo& info = *reply->add_checkpoints();
      info.set_step(step);
      info.set_counts(true);
      (*info.mutable_metrics())["validation/loss"] = step;
    }
    return grpc::Status::OK;
  };
  REQUIRE(world.Export({"digits@best", "--output", world.File("m.onnx")}).code == 0);
  CHECK(world.asked_step == 40);
}

TEST_CASE("a model that the job brought along goes back into its own file", "[export]") {
  onnx::ModelBuilder original = onnx::LinearModel();
  original.mutable_proto().set_producer_name("pytorch");
  const std::string bytes = original.proto().SerializeAsString();
  pb::ModelSpec spec;
  spec.set_onnx("/storage/artifacts/" + base::Sha256Hex(bytes));
  World world({{"fc.weight", Floats(12, 7)}, {"fc.bias", Floats(3, 8)}}, spec);
  world.coordinator.methods.download_artifact = [&](auto*, const auto& request, auto* writer) {
    CHECK(request.sha256() == base::Sha256Hex(bytes));
    pb::DownloadArtifactReply message;
    message.set_data(bytes);
    writer->Write(message);
    return grpc::Status::OK;
  };
  const Ran ran = world.Export({"digits", "--output", world.File("m.onnx")});
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(InOnnx(world.File("m.onnx"), "fc.weight") == Floats(12, 7));
}

TEST_CASE("each mistake has its line and its exit code, and leaves no file", "[export]") {
  World world;
  const std::string target = world.File("m.onnx");
  const struct {
    std::vector<std::string> words;
    int code;
    std::string said;
  } cases[] = {
      {{"other"}, 102, "no job begins with that"},
      {{"digits@worst"}, 2, "'@worst' is not @latest, @best or @STEP"},
      {{"digits", "--format", "pickle"}, 2, "must be one of onnx, safetensors"},
      {{"digits", "--model", "zoo:mlp"}, 2, "--model is for a path"},
      {{"digits", "--output", world.File("none/m.onnx")}, 1, "none"},
      {{"digits", "--output", base::ParentPath(target)}, 1, "is a folder"},
      {{"./none"}, 2, "name it by --model"},
      {{"./none", "--format", "safetensors"}, 1, "No such file or directory"},
      {{"./none", "--model", "zoo:mpl"}, 1, "No such file or directory"},
      {{"./none", "--model", "none.yaml"}, 2, "none.yaml"},
  };
  for (const auto& c : cases) {
    std::vector<std::string> words = c.words;
    if (c.words.back().find(base::ParentPath(target)) == std::string::npos) {
      words.insert(words.end(), {"--output", target});
    }
    const Ran ran = world.Export(words);
    CAPTURE(words, ran.err);
    CHECK(ran.code == c.code);
    CHECK(StrContains(ran.err, c.said));
    CHECK(ran.out.empty());
    CHECK_FALSE(base::PosixFileSystem().Exists(target));
  }
}

TEST_CASE("a file that is there stays, unless it is to be replaced", "[export]") {
  World world;
  const std::string target = world.File("m.onnx");
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), target, "mine").ok());
  const Ran refused = world.Export({"digits", "--output", target});
  CHECK(refused.code == 1);
  CHECK(StrContains(refused.err, "is there already; --force replaces it"));
  CHECK(world.asked_step == -1);  // nothing was fetched in vain
  CHECK(base::PosixFileSystem().ReadFile(target).value() == "mine");
  CHECK(world.Export({"digits", "--output", target, "--force"}).code == 0);
  CHECK(InOnnx(target, "fc3.bias") == Floats(2, 4));
}

TEST_CASE("weights that are not whole, or of another model, are not written", "[export]") {
  const auto export_of = [](World& world) {
    Ran ran = world.Export({"digits", "--output", world.File("m.onnx")});
    CHECK_FALSE(base::PosixFileSystem().Exists(world.File("m.onnx")));
    CHECK(ran.code == 1);
    return ran.err;
  };
  World changed;
  changed.messages()[1].mutable_data()->back() ^= 1;
  CHECK(StrContains(export_of(changed), "their SHA-256 differs"));
  World cut;
  cut.messages().pop_back();
  CHECK(StrContains(export_of(cut), "sent other weights than it announced"));
  World foreign({{"fc1.weight", Floats(12, 1)}, {"head.bias", Floats(2, 1)}});
  const std::string said = export_of(foreign);
  CHECK(StrContains(said, "'fc1.bias' is missing"));
  CHECK(StrContains(said, "'head.bias' is not of the model"));
  World damaged;
  damaged.coordinator.methods.download = [](auto*, const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::DATA_LOSS, "weights-00000: 96: damaged");
  };
  CHECK(StrContains(export_of(damaged), "weights-00000: 96: damaged"));
}

TEST_CASE("a safetensors file becomes ONNX once its model is named", "[export]") {
  const base::TemporaryFolder folder;
  World world({{"fc.weight", Floats(12, 7)}, {"fc.bias", Floats(3, 8)}});
  const std::string weights = folder.File("w.safetensors");
  REQUIRE(world.Export({"digits", "--output", weights}).code == 0);
  const std::string model = folder.File("linear.onnx");
  REQUIRE(onnx::WriteModel(onnx::LinearModel().proto(), model, base::PosixFileSystem()).ok());
  const std::string target = folder.File("trained.onnx");
  const Ran ran = Trainctl({"model", "export", weights, "--model", model, "--output", target});
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(StrContains(ran.out, "trained.onnx: onnx, step 40, 2 tensors"));
  CHECK(InOnnx(target, "fc.bias") == Floats(3, 8));
}

TEST_CASE("a folder of checkpoints gives its newest whole one, without a coordinator", "[export]") {
  const base::TemporaryFolder folder;
  base::FileSystem& files = base::PosixFileSystem();
  checkpoint::ShardSpec shard;
  const Weights weights = MlpWeights();
  for (const auto& [name, values] : weights) {
    shard.weights.push_back({name, "F32", {static_cast<int64_t>(values.size())}, values.data(),
                             values.size() * sizeof(float)});
  }
  const checkpoint::SaveId id{30, 1, checkpoint::NewNonce()};
  REQUIRE(checkpoint::Prepare(files, folder.path(), id, 100).ok());
  const auto reports = checkpoint::WriteShard(files, folder.path(), id, shard);
  REQUIRE(reports.ok());
  checkpoint::CommitSpec commit;
  commit.id = id;
  commit.reports = *reports;
  commit.lineage = {{1, 0}};
  commit.trainer_state = base::Json(base::Json::Object());
  commit.weights_sha256 = checkpoint::WeightsSha256(shard.weights);
  commit.created = absl::FromUnixSeconds(1000);
  const auto committed = checkpoint::Commit(files, folder.path(), commit);
  REQUIRE(committed.ok());

  const std::string job_file = folder.File("job.yaml");
  REQUIRE(base::WriteFileAtomically(files, job_file,
                                    "apiVersion: ringmaster/v1\nkind: train\nname: digits\n"
                                    "model: {zoo: mlp, params: {height: 2, width: 2, hidden1: 3, "
                                    "hidden2: 2, classes: 2}}\n"
                                    "data: {train: {path: x, format: idx}}\n"
                                    "train:\n  steps: 1\n  global_batch_size: 1\n"
                                    "  optimizer: {type: SGD, params: {lr: 0.1}}\n")
              .ok());
  for (const std::string& path : {folder.path(), committed->path}) {
    const std::string target = folder.File("m.onnx");
    const Ran ran = Trainctl({"model", "export", path, "--model", job_file, "--output", target, "-f"});
    CAPTURE(path, ran.err);
    REQUIRE(ran.code == 0);
    CHECK(InOnnx(target, "fc1.weight") == Floats(12, 0.5F));
  }
  const std::string damaged = base::JoinPath(committed->path, "weights-00000-of-00001.safetensors");
  REQUIRE(base::WriteFileAtomically(files, damaged, "x").ok());
  for (const std::string& path : {folder.path(), committed->path}) {
    const std::string target = folder.File("m.safetensors");
    const Ran ran = Trainctl({"model", "export", path, "--output", target});
    CHECK(ran.code == 1);
    CHECK(StrContains(ran.err, "weights-00000-of-00001.safetensors"));
    CHECK_FALSE(files.Exists(target));
  }
}

}  // namespace
}  // namespace rm::trainctl
