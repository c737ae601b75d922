#include "runtime/coordinator/server.h"

#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/sha256.h"
#include "base/temporary_folder.h"
#include "proto/api.grpc.pb.h"
#include "proto/error_details.pb.h"
#include "runtime/coordinator/test_stream_worker.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

pb::SubmitRequest RequestFor(const std::string& name, int32_t ranks) {
  pb::SubmitRequest request;
  pb::JobSpec& spec = *request.mutable_spec();
  spec.set_api_version("ringmaster/v1");
  spec.set_kind("train");
  spec.set_name(name);
  spec.mutable_model()->set_zoo("mlp");
  spec.mutable_data()->mutable_train()->set_path("/data/train");
  spec.mutable_data()->mutable_train()->set_format("idx");
  spec.mutable_train()->set_steps(10);
  spec.mutable_train()->set_global_batch_size(64);
  spec.mutable_train()->mutable_optimizer()->set_type("SGD");
  (*spec.mutable_train()->mutable_optimizer()->mutable_params())["lr"] = 0.1;
  spec.mutable_resources()->set_ranks_min(ranks);
  spec.mutable_resources()->set_ranks_max(ranks);
  request.set_user("ada");
  request.set_preflight_wait_seconds(30);
  return request;
}

// A server over a state folder, with a client of each of its services.
struct Cluster {
  const std::string state;
  std::unique_ptr<Server> server;
  std::unique_ptr<pb::Jobs::Stub> jobs;
  std::unique_ptr<pb::Cluster::Stub> cluster;
  std::unique_ptr<pb::Checkpoints::Stub> checkpoints;
  std::shared_ptr<grpc::Channel> channel;

  static absl::StatusOr<std::unique_ptr<Server>> TryStart(const std::string& state,
                                                          const std::string& listen) {
    Options options;
    options.listen = listen;
    options.state = state;
    options.address_file = state + ".address";
    REQUIRE(Check("/", options).ok());
    return Server::Start(options, [](const absl::Status&) {});
  }

  explicit Cluster(const std::string& folder, const std::string& listen = "127.0.0.1:0")
      : state(folder) {
    auto started = TryStart(state, listen);
    INFO(started.status());
    REQUIRE(started.ok());
    server = *std::move(started);
    channel = grpc::CreateChannel(server->address(), grpc::InsecureChannelCredentials());
    jobs = pb::Jobs::NewStub(channel);
    cluster = pb::Cluster::NewStub(channel);
    checkpoints = pb::Checkpoints::NewStub(channel);
  }

  grpc::Status Submit(const pb::SubmitRequest& request, pb::SubmitReply* reply) {
    grpc::ClientContext context;
    return jobs->Submit(&context, request, reply);
  }
  std::string MustSubmit(const std::string& name, int32_t ranks) {
    pb::SubmitReply reply;
    const grpc::Status status = Submit(RequestFor(name, ranks), &reply);
    INFO(status.error_message());
    REQUIRE(status.ok());
    return reply.job_id();
  }
  std::string MustSubmitWithoutWorkers(const std::string& name) {
    pb::SubmitRequest request = RequestFor(name, 1);
    request.set_preflight_wait_seconds(0);
    pb::SubmitReply reply;
    REQUIRE(Submit(request, &reply).ok());
    return reply.job_id();
  }
  pb::Job Get(const std::string& job_id) {
    grpc::ClientContext context;
    pb::GetJobRequest request;
    request.set_job_id(job_id);
    pb::Job job;
    REQUIRE(jobs->Get(&context, request, &job).ok());
    return job;
  }
  // Waits until so many workers are attached.
  void AwaitWorkers(int wanted) {
    int ready = 0;
    while (ready < wanted) {
      grpc::ClientContext context;
      pb::NodesReply reply;
      REQUIRE(cluster->Nodes(&context, {}, &reply).ok());
      ready = 0;
      for (const pb::Node& node : reply.nodes()) ready += node.state() == pb::READY ? 1 : 0;
    }
  }
  // Watches the job until `holds`, or the stream ends; returns the last view.
  pb::Job WatchUntil(const std::string& job_id, const std::function<bool(const pb::Job&)>& holds) {
    grpc::ClientContext context;
    pb::GetJobRequest request;
    request.set_job_id(job_id);
    const auto stream = jobs->Watch(&context, request);
    pb::Job job;
    while (stream->Read(&job)) {
      if (holds(job)) context.TryCancel();
    }
    (void)stream->Finish();
    return job;
  }
  pb::Job AwaitState(const std::string& job_id, pb::JobState state_wanted) {
    pb::Job job =
        WatchUntil(job_id, [&](const pb::Job& view) { return view.state() == state_wanted; });
    REQUIRE(job.state() == state_wanted);
    return job;
  }
};

// A unary or streaming call without generated code: sends `request`, returns the first answer.
std::string CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                    const std::string& request) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto next = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  REQUIRE(next());
  const grpc::Slice slice(request);
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  REQUIRE(next());
  grpc::ByteBuffer reply;
  call->Read(&reply, nullptr);
  std::string bytes;
  if (next()) {
    std::vector<grpc::Slice> slices;
    REQUIRE(reply.Dump(&slices).ok());
    for (const grpc::Slice& part : slices) {
      bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
  }
  context.TryCancel();
  grpc::Status status;
  call->Finish(&status, nullptr);
  (void)next();
  queue.Shutdown();
  while (next()) {
  }
  return bytes;
}

// Sends an artifact in pieces of 100 KB; `cut`: the client goes away in the middle.
grpc::Status Upload(Cluster& cluster, const std::string& content, const std::string& sha256,
                    std::string* path, bool cut = false) {
  const auto artifacts = pb::Artifacts::NewStub(cluster.channel);
  grpc::ClientContext context;
  pb::UploadArtifactReply reply;
  const auto writer = artifacts->Upload(&context, &reply);
  pb::UploadArtifactRequest message;
  message.set_sha256(sha256);
  message.set_bytes(static_cast<int64_t>(content.size()));
  bool goes_on = writer->Write(message);
  for (size_t at = 0; at < content.size() && goes_on; at += 100'000) {
    message.Clear();
    message.set_data(content.substr(at, 100'000));
    goes_on = writer->Write(message);
    if (cut && at > content.size() / 2) context.TryCancel();
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  *path = reply.path();
  return status;
}

TEST_CASE("a job goes all the way through, over the wire") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  StreamWorker w1(cluster.server->address(), StreamWorker::HelloOf("w1", 1));
  cluster.AwaitWorkers(1);  // the first to attach gets rank 0, whose progress is the job's
  StreamWorker w2(cluster.server->address(), StreamWorker::HelloOf("w2", 1));
  cluster.AwaitWorkers(2);

  const std::string job = cluster.MustSubmit("mnist", 2);
  CHECK(absl::StartsWith(job, "mnist-"));
  const std::vector<pb::RankRef> on_w1 = w1.AwaitRunning(job);
  const std::vector<pb::RankRef> on_w2 = w2.AwaitRunning(job);
  REQUIRE(on_w1.size() == 1);
  REQUIRE(on_w2.size() == 1);
  CHECK(cluster.AwaitState(job, pb::RUNNING).placement_size() == 2);

  pb::RankMessage progress;
  progress.mutable_progress()->set_step(5);
  w1.Report(on_w1[0], progress);
  CHECK(cluster.WatchUntil(job, [](const pb::Job& view) { return view.progress().step() == 5; })
            .progress()
            .step() == 5);
  w1.Finish(on_w1[0], 10);
  w2.Finish(on_w2[0], 10);
  const pb::Job ended = cluster.WatchUntil(job, [](const pb::Job&) { return false; });
  CHECK(ended.state() == pb::SUCCEEDED);
  CHECK(ended.weights_sha256() == "cafe");
  CHECK(ended.metrics().at("validation/accuracy") == 0.98);
  CHECK(ended.user() == "ada");
}

TEST_CASE("logs and events are streamed while they come, and end with the job") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  StreamWorker worker(cluster.server->address(), StreamWorker::HelloOf("w1", 1));
  cluster.AwaitWorkers(1);
  const std::string job = cluster.MustSubmit("mnist", 1);
  const std::vector<pb::RankRef> ranks = worker.AwaitRunning(job);

  grpc::ClientContext log_context;
  pb::LogsRequest logs;
  logs.set_job_id("mnist");
  logs.set_follow(true);
  const auto log_stream = cluster.jobs->Logs(&log_context, logs);
  grpc::ClientContext event_context;
  pb::EventsRequest events;
  events.set_job_id(job);
  events.set_follow(true);
  const auto event_stream = cluster.jobs->Events(&event_context, events);

  const auto write_log = [&](int64_t offset, const std::string& text) {
    pb::WorkerMessage chunk;
    *chunk.mutable_log()->mutable_rank() = ranks[0];
    chunk.mutable_log()->set_offset(offset);
    chunk.mutable_log()->set_data(text);
    worker.Send(chunk);
  };
  write_log(0, "step 1\nstep");
  pb::LogLines lines;
  REQUIRE(log_stream->Read(&lines));
  CHECK(lines.lines(0) == "step 1");
  write_log(11, " 2\n");
  REQUIRE(log_stream->Read(&lines));
  CHECK(lines.lines(0) == "step 2");
  write_log(14, "the end");
  worker.Finish(ranks[0], 10);
  REQUIRE(log_stream->Read(&lines));
  CHECK(lines.lines(0) == "the end");
  CHECK_FALSE(log_stream->Read(&lines));
  CHECK(log_stream->Finish().ok());

  std::vector<pb::JobState> states;
  pb::JobEvent event;
  while (event_stream->Read(&event)) states.push_back(event.transition().to());
  CHECK(event_stream->Finish().ok());
  CHECK(states == std::vector<pb::JobState>{pb::QUEUED, pb::QUEUED, pb::STARTING, pb::RUNNING,
                                            pb::SUCCEEDED});
}

pb::WorkerMessage LogChunk(const pb::RankRef& rank, int64_t offset, const std::string& text) {
  pb::WorkerMessage chunk;
  *chunk.mutable_log()->mutable_rank() = rank;
  chunk.mutable_log()->set_offset(offset);
  chunk.mutable_log()->set_data(text);
  return chunk;
}

TEST_CASE("what a worker says arrives in order, however fast it comes") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  StreamWorker worker(cluster.server->address(), StreamWorker::HelloOf("w1", 1));
  cluster.AwaitWorkers(1);
  const std::string job = cluster.MustSubmit("mnist", 1);
  const std::vector<pb::RankRef> ranks = worker.AwaitRunning(job);
  // Many times what may wait for the coordinator's thread: reading pauses and goes on.
  constexpr int kLines = 3000;
  int64_t offset = 0;
  for (int i = 0; i < kLines; ++i) {
    const std::string line = absl::StrCat("line ", i, "\n");
    worker.Send(LogChunk(ranks[0], offset, line));
    offset += static_cast<int64_t>(line.size());
  }
  worker.Finish(ranks[0], 10);
  cluster.AwaitState(job, pb::SUCCEEDED);

  grpc::ClientContext context;
  pb::LogsRequest request;
  request.set_job_id(job);
  request.set_follow(true);
  const auto stream = cluster.jobs->Logs(&context, request);
  pb::LogLines lines;
  int seen = 0;
  int wrong = 0;
  while (stream->Read(&lines)) {
    for (const std::string& line : lines.lines()) {
      if (line != absl::StrCat("line ", seen++)) ++wrong;
    }
  }
  CHECK(stream->Finish().ok());
  CHECK(seen == kLines);
  CHECK(wrong == 0);
}

TEST_CASE("a server that stops while everyone talks to it lets everyone go") {
  for (int round = 0; round < 3; ++round) {
    const base::TemporaryFolder folder;
    Cluster cluster(folder.File("state"));
    StreamWorker worker(cluster.server->address(), StreamWorker::HelloOf("w1", 1));
    cluster.AwaitWorkers(1);
    const std::string job = cluster.MustSubmit("mnist", 1);
    const std::vector<pb::RankRef> ranks = worker.AwaitRunning(job);
    std::atomic<bool> over{false};
    std::vector<std::thread> talkers;
    talkers.emplace_back([&] {
      for (int64_t i = 0; !over; ++i) worker.Send(LogChunk(ranks[0], i, "x"));
    });
    talkers.emplace_back([&] {
      while (!over) {
        grpc::ClientContext context;
        pb::EventsRequest request;
        pb::JobEvent event;
        const auto stream = cluster.jobs->Events(&context, request);
        while (stream->Read(&event)) {
        }
        (void)stream->Finish();
      }
    });
    talkers.emplace_back([&] {
      const std::string content(2'000'000, 'w');
      while (!over) {
        std::string path;
        (void)Upload(cluster, content, base::Sha256Hex(content), &path);
      }
    });
    (void)cluster.MustSubmitWithoutWorkers("another");
    cluster.server->Stop();
    over = true;
    for (std::thread& talker : talkers) talker.join();
    CHECK(worker.AwaitEnd().error_code() == grpc::StatusCode::UNAVAILABLE);
  }
}

TEST_CASE("the cluster tells about itself") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  StreamWorker worker(cluster.server->address(), StreamWorker::HelloOf("w1", 3));
  cluster.AwaitWorkers(1);
  grpc::ClientContext status_context;
  pb::StatusReply status;
  REQUIRE(cluster.cluster->Status(&status_context, {}, &status).ok());
  CHECK(status.version() == "0.1.0");
  CHECK(status.address() == cluster.server->address());
  CHECK(status.storage() == folder.File("state/storage"));
  CHECK(status.slots() == 3);
  CHECK(status.pid() == getpid());
  grpc::ClientContext nodes_context;
  pb::NodesReply nodes;
  REQUIRE(cluster.cluster->Nodes(&nodes_context, {}, &nodes).ok());
  REQUIRE(nodes.nodes_size() == 1);
  CHECK(nodes.nodes(0).host() == "host-of-w1");
}

TEST_CASE("errors carry their code, and those of a job file every violation with its place") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  pb::SubmitReply reply;

  pb::SubmitRequest invalid = RequestFor("mnist", 1);
  invalid.mutable_spec()->mutable_train()->set_global_batch_size(-5);
  invalid.mutable_spec()->mutable_model()->clear_zoo();
  pb::SourcePosition& position = *invalid.add_source_positions();
  position.set_field_path("train.global_batch_size");
  position.set_line(7);
  position.set_column(3);
  const grpc::Status refused = cluster.Submit(invalid, &reply);
  CHECK(refused.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  pb::RpcStatus details;
  REQUIRE(details.ParseFromString(refused.error_details()));
  REQUIRE(details.details_size() == 1);
  CHECK(details.details(0).type_url() == "type.googleapis.com/google.rpc.BadRequest");
  pb::BadRequest bad;
  REQUIRE(bad.ParseFromString(details.details(0).value()));
  CHECK(bad.field_violations_size() >= 2);

  StreamWorker worker(cluster.server->address(), StreamWorker::HelloOf("w1", 1));
  cluster.AwaitWorkers(1);
  CHECK(cluster.Submit(RequestFor("mnist", 2), &reply).error_code() ==
        grpc::StatusCode::RESOURCE_EXHAUSTED);

  pb::GetJobRequest unknown;
  unknown.set_job_id("nobody");
  pb::Job job;
  grpc::ClientContext get;
  CHECK(cluster.jobs->Get(&get, unknown, &job).error_code() == grpc::StatusCode::NOT_FOUND);
  grpc::ClientContext watch;
  const auto stream = cluster.jobs->Watch(&watch, unknown);
  CHECK_FALSE(stream->Read(&job));
  CHECK(stream->Finish().error_code() == grpc::StatusCode::NOT_FOUND);
  grpc::ClientContext logs_context;
  pb::LogsRequest logs;
  logs.set_job_id("nobody");
  pb::LogLines lines;
  const auto log_stream = cluster.jobs->Logs(&logs_context, logs);
  CHECK_FALSE(log_stream->Read(&lines));
  CHECK(log_stream->Finish().error_code() == grpc::StatusCode::NOT_FOUND);
  grpc::ClientContext verify_context;
  pb::VerifyReply verified;
  pb::VerifyRequest verify;
  verify.set_job_id("nobody");
  CHECK(cluster.checkpoints->Verify(&verify_context, verify, &verified).error_code() ==
        grpc::StatusCode::NOT_FOUND);
}

TEST_CASE(
    "a worker of another version, or with an id that is taken, is sent away with the reason") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  pb::Hello old = StreamWorker::HelloOf("w1", 1);
  old.set_version("9.9.9");
  StreamWorker stranger(cluster.server->address(), old);
  const grpc::Status version = stranger.AwaitEnd();
  CHECK(version.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK(absl::StrContains(version.error_message(), "the worker is version '9.9.9'"));

  StreamWorker first(cluster.server->address(), StreamWorker::HelloOf("w1", 1));
  cluster.AwaitWorkers(1);
  pb::Hello twin = StreamWorker::HelloOf("w1", 1);
  twin.set_pid(200);
  StreamWorker second(cluster.server->address(), twin);
  CHECK(second.AwaitEnd().error_code() == grpc::StatusCode::ALREADY_EXISTS);
}

TEST_CASE("files that jobs bring along are uploaded once, and named in jobs by their content") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  const std::string content(3'000'000, 'w');
  const std::string sha256 = base::Sha256Hex(content);
  pb::SubmitRequest job = RequestFor("mnist", 1);
  job.set_preflight_wait_seconds(0);
  job.mutable_spec()->mutable_model()->set_weights("artifact:" + sha256);
  pb::SubmitReply reply;
  const grpc::Status missing = cluster.Submit(job, &reply);
  CHECK(missing.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(absl::StrContains(missing.error_message(), "model.weights: no artifact " + sha256));

  std::string path;
  CHECK(Upload(cluster, content, sha256, &path, /*cut=*/true).error_code() ==
        grpc::StatusCode::CANCELLED);
  CHECK(Upload(cluster, content, base::Sha256Hex("other"), &path).error_code() ==
        grpc::StatusCode::INVALID_ARGUMENT);
  // Several at once, as several users would.
  std::vector<std::thread> users;
  std::vector<grpc::Status> results(4);
  for (grpc::Status& result : results) {
    users.emplace_back([&cluster, &content, &sha256, &result] {
      std::string unused;
      result = Upload(cluster, content, sha256, &unused);
    });
  }
  for (std::thread& user : users) user.join();
  for (const grpc::Status& result : results) CHECK(result.ok());
  CHECK(Upload(cluster, content, sha256, &path).ok());
  CHECK(path == folder.File("state/storage/artifacts/") + sha256);
  CHECK(base::PosixFileSystem().ReadFile(path).value() == content);

  const grpc::Status submitted = cluster.Submit(job, &reply);
  INFO(submitted.error_message());
  REQUIRE(submitted.ok());
  CHECK(cluster.Get(reply.job_id()).spec().model().weights() == path);
  cluster.server->Stop();
  // What was cut off has left nothing.
  CHECK(base::PosixFileSystem().List(folder.File("state/storage/artifacts")).value() ==
        std::vector<std::string>{sha256});
}

TEST_CASE("requests with nonsense in them are refused over the wire, and the server lives") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  const auto code_of = [](const grpc::Status& status) { return status.error_code(); };
  for (const std::string& id : {std::string(), std::string(1 << 20, 'x'), std::string("a\nb")}) {
    pb::GetJobRequest request;
    request.set_job_id(id);
    pb::Job job;
    pb::ListCheckpointsReply list;
    grpc::ClientContext get;
    CHECK(code_of(cluster.jobs->Get(&get, request, &job)) ==
          grpc::StatusCode::INVALID_ARGUMENT);
    grpc::ClientContext checkpoints;
    CHECK(code_of(cluster.checkpoints->List(&checkpoints, request, &list)) ==
          grpc::StatusCode::INVALID_ARGUMENT);
  }
  pb::SubmitReply reply;
  CHECK(code_of(cluster.Submit({}, &reply)) == grpc::StatusCode::INVALID_ARGUMENT);
  pb::SubmitRequest big = RequestFor("mnist", 1);
  big.set_user(std::string(5 << 20, 'x'));
  CHECK(code_of(cluster.Submit(big, &reply)) == grpc::StatusCode::INVALID_ARGUMENT);
  pb::VerifyRequest verify;
  verify.set_job_id("x");
  verify.set_step(-1);
  pb::VerifyReply verified;
  grpc::ClientContext verify_context;
  CHECK(code_of(cluster.checkpoints->Verify(&verify_context, verify, &verified)) ==
        grpc::StatusCode::INVALID_ARGUMENT);
  // Bytes that are no message at all.
  CHECK(CallRaw(cluster.channel, "/ringmaster.v1.Jobs/Submit", std::string(1000, '\xff')).empty());
  CHECK(CallRaw(cluster.channel, "/ringmaster.v1.Workers/Attach", std::string(1000, '\xff'))
            .empty());
  CHECK(cluster.MustSubmitWithoutWorkers("still-here").size() > 6);
}

TEST_CASE("after a restart the worker re-attaches with what it runs, and the job goes on") {
  const base::TemporaryFolder folder;
  std::string job;
  std::string address;
  std::vector<pb::RankRef> ranks;
  {
    Cluster cluster(folder.File("state"));
    address = cluster.server->address();
    StreamWorker worker(address, StreamWorker::HelloOf("w1", 1));
    cluster.AwaitWorkers(1);
    job = cluster.MustSubmit("mnist", 1);
    ranks = worker.AwaitRunning(job);
    cluster.AwaitState(job, pb::RUNNING);
    cluster.server->Stop();
    CHECK(worker.AwaitEnd().error_code() == grpc::StatusCode::UNAVAILABLE);
  }
  Cluster cluster(folder.File("state"), address);
  CHECK(cluster.Get(job).state() == pb::RUNNING);
  pb::Hello back = StreamWorker::HelloOf("w1", 1);
  *back.add_running() = ranks[0];
  StreamWorker worker(address, back);
  cluster.AwaitWorkers(1);
  worker.Finish(ranks[0], 10);
  const pb::Job ended = cluster.AwaitState(job, pb::SUCCEEDED);
  CHECK(ended.generation() == 1);
  CHECK(ended.restarts() == 0);
}

TEST_CASE("stopping ends every stream and every wait with Unavailable, and jobs stay") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  pb::SubmitRequest request = RequestFor("mnist", 1);
  request.set_preflight_wait_seconds(0);
  pb::SubmitReply submitted;
  REQUIRE(cluster.Submit(request, &submitted).ok());

  grpc::ClientContext watch_context;
  pb::GetJobRequest get;
  get.set_job_id(submitted.job_id());
  const auto watch = cluster.jobs->Watch(&watch_context, get);
  pb::Job job;
  REQUIRE(watch->Read(&job));
  grpc::ClientContext logs_context;
  pb::LogsRequest logs;
  logs.set_job_id(submitted.job_id());
  logs.set_follow(true);
  const auto log_stream = cluster.jobs->Logs(&logs_context, logs);
  grpc::Status waited;
  std::thread waiter([&] {  // nobody will ever answer its preflight
    pb::SubmitReply reply;
    waited = cluster.Submit(RequestFor("waits", 1), &reply);
  });
  // The waiter's job is there: it waits for its verdict.
  while (true) {
    grpc::ClientContext context;
    pb::ListJobsReply list;
    REQUIRE(cluster.jobs->List(&context, {}, &list).ok());
    if (list.jobs_size() == 2) break;
  }
  cluster.server->Stop();
  waiter.join();
  CHECK(waited.ok());  // it was durable: the answer is its id
  while (watch->Read(&job)) {
  }
  CHECK(watch->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  pb::LogLines lines;
  CHECK_FALSE(log_stream->Read(&lines));
  CHECK(log_stream->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);

  cluster.server.reset();
  Cluster again(folder.File("state"));
  CHECK(again.Get(submitted.job_id()).state() == pb::QUEUED);
}

TEST_CASE("clients that vanish, and one that never reads, do not hold up the server") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    pb::EventsRequest request;
    request.set_follow(true);
    const auto stream = cluster.jobs->Events(&context, request);
    context.TryCancel();
    pb::JobEvent event;
    while (stream->Read(&event)) {
    }
    CHECK(stream->Finish().error_code() == grpc::StatusCode::CANCELLED);
  }
  grpc::ClientContext idle;
  pb::EventsRequest request;
  request.set_follow(true);
  const auto stream = cluster.jobs->Events(&idle, request);
  for (int i = 0; i < 50; ++i) {
    pb::SubmitRequest submit = RequestFor(absl::StrCat("j", i), 1);
    submit.set_preflight_wait_seconds(0);
    pb::SubmitReply reply;
    REQUIRE(cluster.Submit(submit, &reply).ok());
  }
  cluster.server->Stop();
  idle.TryCancel();
}

TEST_CASE("the standard health service and reflection are there") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  // HealthCheckResponse{status: SERVING}
  CHECK(CallRaw(cluster.channel, "/grpc.health.v1.Health/Check", "") == "\x08\x01");
  // ServerReflectionRequest{list_services: ""}
  const std::string services =
      CallRaw(cluster.channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              std::string("\x3a\x00", 2));
  for (const char* name : {"Jobs", "Cluster", "Checkpoints", "Artifacts", "Workers"}) {
    CHECK(absl::StrContains(services, absl::StrCat("ringmaster.v1.", name)));
  }
}

std::string HttpGet(const std::string& address, const std::string& path) {
  const std::vector<std::string> parts = absl::StrSplit(address, ':');
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(parts.at(1))));
  inet_pton(AF_INET, parts.at(0).c_str(), &to.sin_addr);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
  const std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n");
  REQUIRE(send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
  std::string reply;
  char buffer[4096];
  for (ssize_t got = 1; got > 0;) {
    got = read(fd, buffer, sizeof(buffer));
    if (got > 0) reply.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
  return reply;
}

TEST_CASE("the pages over HTTP, and the file that says where they are") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));
  const std::vector<std::string> lines =
      absl::StrSplit(base::PosixFileSystem().ReadFile(folder.File("state.address")).value(), '\n');
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == cluster.server->address());
  CHECK(lines[1] == cluster.server->http_address());
  CHECK(absl::EndsWith(HttpGet(lines[1], "/healthz"), "\r\n\r\nok\n"));
  CHECK(absl::EndsWith(HttpGet(lines[1], "/readyz"), "\r\n\r\nok\n"));
  const std::string metrics = HttpGet(lines[1], "/metrics");
  CHECK(absl::StrContains(metrics, "Content-Type: text/plain; version=0.0.4"));
  CHECK(absl::StrContains(metrics, "\nringmaster_jobs{state=\"running\"} 0\n"));
}

TEST_CASE("what cannot be started says why in one line, and changes nothing") {
  const base::TemporaryFolder folder;
  Cluster cluster(folder.File("state"));

  const auto same_state = Cluster::TryStart(folder.File("state"), "127.0.0.1:0");
  CHECK(absl::IsFailedPrecondition(same_state.status()));
  CHECK(absl::StrContains(same_state.status().message(),
                          absl::StrCat("in use by another coordinator (process ", getpid())));

  const auto same_port = Cluster::TryStart(folder.File("other"), cluster.server->address());
  CHECK(absl::StartsWith(same_port.status().message(),
                         absl::StrCat("cannot listen on ", cluster.server->address(),
                                      ": Address already in use by process ", getpid())));

  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), folder.File("file"), "x").ok());
  const auto no_folder = Cluster::TryStart(folder.File("file/state"), "127.0.0.1:0");
  CHECK(absl::StartsWith(
      no_folder.status().message(),
      absl::StrCat("--state ", folder.File("file/state"), " cannot be written: ")));
  CHECK(cluster.server->address() != "");
}

}  // namespace
}  // namespace rm::coordinator
