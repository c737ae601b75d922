#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/temporary_folder.h"
#include "proto/error_details.pb.h"
#include "runtime/client/testing.h"
#include "runtime/onnx/testing.h"
#include "tools/trainctl/testing.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;
using absl::StrContains;

constexpr char kJob[] =
    "apiVersion: ringmaster/v1\n"
    "kind: train\n"
    "name: mnist\n"
    "model: {zoo: mlp}\n"
    "data:\n"
    "  train: {path: digits, format: idx}\n"
    "train:\n"
    "  epochs: 1\n"
    "  global_batch_size: 10\n"
    "  optimizer: {type: SGD, params: {lr: 0.1}}\n";

// A coordinator that takes a job, and a folder with its file.
struct World {
  base::TemporaryFolder folder;
  client::FakeCoordinator coordinator;
  std::vector<pb::SubmitRequest> submitted;
  std::vector<std::string> preflight_errors;
  pb::Job job;

  World() {
    job.set_job_id("mnist-abc123");
    job.set_state(pb::SUCCEEDED);
    (*job.mutable_metrics())["validation/accuracy"] = 0.9712;
    job.set_last_checkpoint("/storage/mnist-abc123/step-000000000010-g1");
    job.set_log_folder("/state/logs/mnist-abc123");
    coordinator.methods.submit = [this](const pb::SubmitRequest& request, pb::SubmitReply* reply) {
      submitted.push_back(request);
      if (!request.validate_only()) reply->set_job_id(job.job_id());
      reply->mutable_preflight_errors()->Add(preflight_errors.begin(), preflight_errors.end());
      return grpc::Status::OK;
    };
    coordinator.methods.get = [this](const pb::GetJobRequest&, pb::Job* reply) {
      *reply = job;
      return grpc::Status::OK;
    };
    Write("job.yaml", kJob);
  }

  void Write(const std::string& name, const std::string& text) {
    REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), folder.File(name), text).ok());
  }
  Ran Submit(std::vector<std::string> words, const std::string& file = "job.yaml") {
    words.insert(words.begin(), {"submit", folder.File(file), "-c", coordinator.address()});
    return Trainctl(words);
  }
};

TEST_CASE("a job is submitted once, with its places in the file, absolute paths and who asked") {
  World world;
  const Ran ran = world.Submit({});
  CHECK(ran.code == 0);
  CHECK(ran.out == "mnist-abc123\n");
  CHECK(ran.err == "follow it with: trainctl logs -f mnist-abc123\n");
  REQUIRE(world.submitted.size() == 1);
  const pb::SubmitRequest request = world.submitted[0];
  CHECK(request.spec().name() == "mnist");
  CHECK(request.spec().data().train().path() == world.folder.File("digits"));
  CHECK(request.source_positions_size() > 5);
  CHECK_FALSE(request.request_id().empty());
  CHECK_FALSE(request.user().empty());
  CHECK_FALSE(request.validate_only());
  CHECK(request.preflight_wait_seconds() == 10);
  world.Submit({});
  CHECK(world.submitted[1].request_id() != request.request_id());
}

TEST_CASE("fields and the name can be given on the command line") {
  World world;
  CHECK(world.Submit({"--set", "train.epochs=7", "--set=resources.ranks=3", "--name", "other"}).code ==
        0);
  CHECK(world.submitted[0].spec().train().epochs() == 7);
  CHECK(world.submitted[0].spec().resources().ranks_max() == 3);
  CHECK(world.submitted[0].spec().name() == "other");
}

TEST_CASE("a wrong file is refused here, with every error at its place, and nothing is submitted") {
  World world;
  world.Write("job.yaml", absl::StrCat(kJob, "trian: {}\nkind: train\n"));
  const Ran ran = world.Submit({});
  CHECK(ran.code == 2);
  CHECK(StrContains(ran.err, world.folder.File("job.yaml") + ":11:1: "));
  CHECK(StrContains(ran.err, "did you mean 'train'?"));
  CHECK(StrContains(ran.err, ":12:1: "));
  CHECK(StrContains(ran.err, "^"));
  CHECK(ran.out.empty());
  CHECK(world.submitted.empty());
}

TEST_CASE("a file that is not there is a job-file error as well") {
  World world;
  const Ran ran = world.Submit({}, "missing.yaml");
  CHECK(ran.code == 2);
  CHECK(StrContains(ran.err, "missing.yaml"));
  CHECK(world.submitted.empty());
}

TEST_CASE("what the coordinator finds is shown at its place in the file") {
  World world;
  world.coordinator.methods.submit = [](const pb::SubmitRequest&, pb::SubmitReply*) {
    pb::BadRequest bad;
    auto* placed = bad.add_field_violations();
    placed->set_field("train.epochs");
    placed->set_description("8:11: too many");
    auto* field = bad.add_field_violations();
    field->set_field("resources.ranks");
    field->set_description("too few");
    pb::RpcStatus details;
    auto* any = details.add_details();
    any->set_type_url("type.googleapis.com/google.rpc.BadRequest");
    any->set_value(bad.SerializeAsString());
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the job is invalid",
                        details.SerializeAsString());
  };
  const Ran ran = world.Submit({});
  CHECK(ran.code == 2);
  const std::string file = world.folder.File("job.yaml");
  CHECK(ran.err == absl::StrCat(file, ":8:11: too many\n", file, ": resources.ranks: too few\n"));
}

TEST_CASE("a job that fails its preflight is an error of the file, but has an id") {
  World world;
  world.preflight_errors = {"6:17: no such file", "data.train.path: damaged"};
  const Ran ran = world.Submit({"--follow"});
  CHECK(ran.code == 2);
  CHECK(ran.out == "mnist-abc123\n");
  const std::string file = world.folder.File("job.yaml");
  CHECK(ran.err ==
        absl::StrCat(file, ":6:17: no such file\n", file, ": data.train.path: damaged\n"));
}

// The job file with first weights from this path.
std::string WithWeights(const std::string& path) {
  return absl::StrReplaceAll(kJob, {{"{zoo: mlp}", absl::StrCat("{zoo: mlp, weights: ", path, "}")}});
}

TEST_CASE("weights go with the job: uploaded once, and named by their content") {
  World world;
  world.Write("base.safetensors", "weights");
  world.Write("job.yaml", WithWeights("base.safetensors"));
  const std::string digest = base::Sha256Hex("weights");
  std::string uploaded;
  bool present = false;
  world.coordinator.methods.has_artifacts = [&](const pb::HasArtifactsRequest& request,
                                                pb::HasArtifactsReply* reply) {
    if (!present) reply->add_missing(request.sha256(0));
    return grpc::Status::OK;
  };
  world.coordinator.methods.upload_artifact = [&](auto* reader, pb::UploadArtifactReply*) {
    pb::UploadArtifactRequest piece;
    while (reader->Read(&piece)) uploaded += piece.data();
    return grpc::Status::OK;
  };
  const Ran ran = world.Submit({});
  INFO(ran.err);
  CHECK(ran.code == 0);
  CHECK(uploaded == "weights");
  CHECK(world.submitted.at(0).spec().model().weights() == "artifact:" + digest);
  SECTION("of what is there nothing is sent again") {
    present = true;
    CHECK(world.Submit({}).code == 0);
    CHECK(uploaded == "weights");
    CHECK(world.submitted.at(1).spec().model().weights() == "artifact:" + digest);
  }
  SECTION("a dry run uploads nothing") {
    uploaded.clear();
    const Ran dry = world.Submit({"--dry-run"});
    CHECK(dry.code == 0);
    CHECK(uploaded.empty());
    CHECK(StrContains(dry.out, "weights: " + world.folder.File("base.safetensors")));
  }
}

TEST_CASE("weights that cannot be read are an error of the file, before anyone is dialled") {
  World world;
  for (const char* flag : {"--wait", "--dry-run"}) {
    world.Write("job.yaml", WithWeights("none.safetensors"));
    const Ran ran = world.Submit({flag});
    CHECK(ran.code == 2);
    CHECK(absl::StartsWith(ran.err, world.folder.File("job.yaml") + ":4:28: 'model.weights': "));
    CHECK(StrContains(ran.err, world.folder.File("none.safetensors")));
    CHECK(ran.out.empty());
  }
  CHECK(world.submitted.empty());
}

// What a coordinator without artifacts is sent.
void TakeUploads(World& world, std::string& uploaded) {
  world.coordinator.methods.has_artifacts = [](const pb::HasArtifactsRequest& request,
                                               pb::HasArtifactsReply* reply) {
    reply->add_missing(request.sha256(0));
    return grpc::Status::OK;
  };
  world.coordinator.methods.upload_artifact = [&](auto* reader, pb::UploadArtifactReply*) {
    pb::UploadArtifactRequest piece;
    while (reader->Read(&piece)) uploaded += piece.data();
    return grpc::Status::OK;
  };
}

// The job file with a network of its own.
std::string WithModel(const std::string& path) {
  return absl::StrReplaceAll(kJob, {{"{zoo: mlp}", absl::StrCat("{onnx: ", path, "}")}});
}

TEST_CASE("a network goes with the job, named by its content") {
  World world;
  const std::string bytes = onnx::LinearModel().proto().SerializeAsString();
  world.Write("net.onnx", bytes);
  world.Write("job.yaml", WithModel("net.onnx"));
  std::string uploaded;
  TakeUploads(world, uploaded);
  const Ran ran = world.Submit({});
  INFO(ran.err);
  CHECK(ran.code == 0);
  CHECK(uploaded == bytes);
  CHECK(world.submitted.at(0).spec().model().onnx() == "artifact:" + base::Sha256Hex(bytes));
  CHECK(world.submitted.at(0).spec().model().zoo().empty());
}

TEST_CASE("tensors in files beside a network travel inside of it") {
  World world;
  auto proto = onnx::LinearModel().proto();
  auto* bias = proto.mutable_graph()->mutable_initializer(1);
  bias->clear_float_data();
  bias->set_data_location(ringmaster::onnx::TensorProto::EXTERNAL);
  auto* location = bias->add_external_data();
  location->set_key("location");
  location->set_value("net.data");
  world.Write("net.onnx", proto.SerializeAsString());
  world.Write("net.data", std::string(12, '\0'));
  world.Write("job.yaml", WithModel("net.onnx"));
  std::string uploaded;
  TakeUploads(world, uploaded);
  const Ran ran = world.Submit({});
  INFO(ran.err);
  CHECK(ran.code == 0);
  ringmaster::onnx::ModelProto sent;
  REQUIRE(sent.ParseFromString(uploaded));
  CHECK(sent.graph().initializer(1).raw_data() == std::string(12, '\0'));
  CHECK(sent.graph().initializer(1).external_data_size() == 0);
}

TEST_CASE("what people should know of a network is said when it is submitted, with its place") {
  World world;
  auto model = onnx::LinearModel();
  model.Node("Relu", {"logits"}, {"more"}).Output("more");
  world.Write("net.onnx", model.proto().SerializeAsString());
  world.Write("job.yaml", WithModel("net.onnx"));
  const Ran ran = world.Submit({"--dry-run"});
  CHECK(ran.code == 0);
  CHECK(StrContains(ran.err, world.folder.File("job.yaml") +
                                 ":4:15: warning: the model has 2 outputs; the loss is computed "
                                 "of 'logits', the others are not trained"));
}

TEST_CASE("a network that cannot be read is an error of the file, before anyone is dialled") {
  World world;
  world.Write("net.onnx", "no network");
  world.Write("job.yaml", WithModel("net.onnx"));
  const Ran ran = world.Submit({});
  CHECK(ran.code == 2);
  CHECK(absl::StartsWith(ran.err, world.folder.File("job.yaml") + ":4:15: 'model.onnx': "));
  CHECK(StrContains(ran.err, "net.onnx is no ONNX model"));
  CHECK(world.submitted.empty());
}

TEST_CASE("an upload that fails submits nothing") {
  World world;
  world.Write("w", "weights");
  world.Write("job.yaml", WithWeights("w"));
  world.coordinator.methods.has_artifacts = [&](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "the storage is full");
  };
  const Ran ran = world.Submit({});
  CHECK(ran.code == 1);
  CHECK(ran.err == absl::StrCat("trainctl: uploading ", world.folder.File("w"),
                                ": the storage is full\n"));
  CHECK(world.submitted.empty());
}

TEST_CASE("a dry run prints the job with its defaults and submits nothing") {
  World world;
  const Ran ran = world.Submit({"--dry-run"});
  CHECK(ran.code == 0);
  CHECK(world.submitted[0].validate_only());
  CHECK(StrContains(ran.out, "name: mnist"));
  CHECK(StrContains(ran.out, "max_restarts"));
  CHECK(StrContains(ran.err, "nothing was submitted"));
  SECTION("and fails as the submission would") {
    world.preflight_errors = {"6:17: no such file"};
    const Ran failed = world.Submit({"--dry-run"});
    CHECK(failed.code == 2);
    CHECK(failed.out.empty());
    CHECK(StrContains(failed.err, ":6:17: no such file"));
  }
}

TEST_CASE("refusals have their exit codes") {
  const struct {
    grpc::StatusCode status;
    int code;
  } cases[] = {
      {grpc::StatusCode::RESOURCE_EXHAUSTED, 104}, {grpc::StatusCode::PERMISSION_DENIED, 77},
      {grpc::StatusCode::UNAVAILABLE, 69},         {grpc::StatusCode::FAILED_PRECONDITION, 1},
      {grpc::StatusCode::INVALID_ARGUMENT, 2},
  };
  for (const auto& c : cases) {
    World world;
    world.coordinator.methods.submit = [&](const pb::SubmitRequest&, pb::SubmitReply*) {
      return grpc::Status(c.status, "refused: the cluster has 2 slots");
    };
    const Ran ran = world.Submit({"--patience", "0s"});
    CAPTURE(c.code);
    CHECK(ran.code == c.code);
    CHECK(ran.out.empty());
    CHECK(StrContains(ran.err, "the cluster has 2 slots"));
  }
}

TEST_CASE("waiting and following end with the job's result and its exit code") {
  for (const char* flag : {"--wait", "--follow", "-f"}) {
    World world;
    const Ran ran = world.Submit({flag});
    CAPTURE(flag);
    CHECK(ran.code == 0);
    CHECK(ran.out ==
          "mnist-abc123\nvalidation accuracy 97.12 %\n"
          "checkpoint /storage/mnist-abc123/step-000000000010-g1\nlogs /state/logs/mnist-abc123\n");
  }
  World world;
  world.job.set_state(pb::FAILED);
  world.job.mutable_reason()->set_code("NonFiniteLoss");
  world.job.mutable_reason()->set_sentence("the loss of step 3 is nan");
  const Ran ran = world.Submit({"--wait"});
  CHECK(ran.code == 100);
  CHECK(StrContains(ran.err, "mnist-abc123 Failed – NonFiniteLoss: the loss of step 3 is nan"));
}

TEST_CASE("for programs the answer is JSON or YAML, one document for each answer") {
  World world;
  const Ran json = world.Submit({"-o", "json"});
  CHECK(base::Json::Parse(json.out)->Find("job_id")->string_or("") == "mnist-abc123");
  CHECK(StrContains(world.Submit({"-o", "yaml"}).out, "job_id: \"mnist-abc123\"\n"));
  CHECK(world.Submit({"-o", "name", "--wait"}).out == "mnist-abc123\n");
  const Ran waited = world.Submit({"-o", "json", "--wait"});
  const size_t second = waited.out.find("\n{") + 1;
  CHECK(base::Json::Parse(waited.out.substr(0, second)).ok());
  const auto job = base::Json::Parse(waited.out.substr(second));
  REQUIRE(job.ok());
  CHECK(job->Find("state")->string_or("") == "SUCCEEDED");
}

}  // namespace
}  // namespace rm::trainctl
