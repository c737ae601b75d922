#include "runtime/client/client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/sha256.h"
#include "base/temporary_folder.h"
#include "proto/error_details.pb.h"
#include "runtime/client/testing.h"

namespace rm::client {
namespace {

using Texts = std::vector<std::string>;

// What happens on the server, for the test to see and to hold up.
class Desk {
 public:
  void Note(const std::string& text) {
    base::MutexLock lock(mutex_);
    noted_.push_back(text);
    changed_.SignalAll();
  }
  Texts noted() {
    base::MutexLock lock(mutex_);
    return noted_;
  }
  void Await(const std::string& text) {
    base::MutexLock lock(mutex_);
    while (noted_.empty() || noted_.back() != text) changed_.Wait(mutex_);
  }
  // A handler waits here until the test lets it go.
  void Hold() {
    base::MutexLock lock(mutex_);
    while (!open_) changed_.Wait(mutex_);
  }
  void Open() {
    base::MutexLock lock(mutex_);
    open_ = true;
    changed_.SignalAll();
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  Texts noted_;
  bool open_ = false;
};

grpc::Status InvalidJob() {
  pb::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field("train.epoch");
  violation->set_description("12:5: unknown key 'epoch'");
  bad.add_field_violations()->set_field("name");
  pb::RpcStatus details;
  details.add_details()->set_type_url("type.googleapis.com/of.something.Else");
  auto* any = details.add_details();
  any->set_type_url("type.googleapis.com/google.rpc.BadRequest");
  any->set_value(bad.SerializeAsString());
  return {grpc::StatusCode::INVALID_ARGUMENT, "the job is invalid", details.SerializeAsString()};
}

// Answers by job id: "slow" is held at the desk, "missing" is not there …
grpc::Status Answer(Desk& desk, const std::string& verb, const std::string& id, pb::Job* job) {
  desk.Note(absl::StrCat(verb, " ", id));
  if (id == "slow") desk.Hold();
  if (id == "missing") return {grpc::StatusCode::NOT_FOUND, "no job 'missing'"};
  if (id == "ending") return {grpc::StatusCode::UNAVAILABLE, "the coordinator is ending"};
  if (id == "cut") return {grpc::StatusCode::CANCELLED, "cut off"};
  job->set_job_id(id + "-1");
  return grpc::Status::OK;
}

FakeMethods::Call<pb::GetJobRequest, pb::Job> Answers(Desk& desk, const std::string& verb) {
  return [&desk, verb](const pb::GetJobRequest& request, pb::Job* job) {
    return Answer(desk, verb, request.job_id(), job);
  };
}

FakeMethods::Call<pb::CancelRequest, pb::Job> AnswersCancel(Desk& desk, const std::string& verb) {
  return [&desk, verb](const pb::CancelRequest& request, pb::Job* job) {
    return Answer(desk, verb, request.job_id(), job);
  };
}

// Three messages; then the end, an error ("broken"), or nothing more until the call is cancelled
// ("endless").
template <typename Request, typename Message>
FakeMethods::Stream<Request, Message> Streams(Desk& desk,
                                              std::function<void(int64_t, Message*)> fill) {
  return [&desk, fill](grpc::ServerContext* context, const Request& request,
                       grpc::ServerWriter<Message>* writer) -> grpc::Status {
    for (int64_t i = 1; i <= 3; ++i) {
      Message message;
      fill(i, &message);
      writer->Write(message);
    }
    if (request.job_id() == "broken") return {grpc::StatusCode::DATA_LOSS, "the log is damaged"};
    if (request.job_id() != "endless") return grpc::Status::OK;
    desk.Note("streaming");
    while (!context->IsCancelled()) std::this_thread::yield();
    desk.Note("cancelled");
    return grpc::Status::CANCELLED;
  };
}

// A coordinator that answers everything, and what it saw.
struct FakeServer {
  Desk desk;
  FakeCoordinator coordinator;

  explicit FakeServer(int port = 0) : coordinator(port) {
    FakeMethods& m = coordinator.methods;
    m.submit = [this](const pb::SubmitRequest& request, pb::SubmitReply* reply) {
      if (request.spec().name() == "invalid") return InvalidJob();
      if (request.spec().name() == "slow") desk.Hold();
      reply->set_job_id(request.spec().name() + "-1");
      return grpc::Status::OK;
    };
    m.get = Answers(desk, "get");
    m.pause = Answers(desk, "pause");
    m.resume = Answers(desk, "resume");
    m.cancel = AnswersCancel(desk, "cancel");
    m.kill = AnswersCancel(desk, "kill");
    SetStreams(m);
    SetOthers(m);
  }
  ~FakeServer() { desk.Open(); }

  [[nodiscard]] std::string address() const { return coordinator.address(); }

 private:
  void SetStreams(FakeMethods& m) {
    m.watch = Streams<pb::GetJobRequest, pb::Job>(
        desk, [](int64_t i, pb::Job* job) { job->mutable_progress()->set_step(i); });
    m.logs = Streams<pb::LogsRequest, pb::LogLines>(desk, [](int64_t i, pb::LogLines* lines) {
      lines->set_rank(static_cast<int32_t>(i));
    });
    m.events = Streams<pb::EventsRequest, pb::JobEvent>(desk, [](int64_t i, pb::JobEvent* event) {
      event->mutable_transition()->set_generation(i);
    });
  }

  void SetOthers(FakeMethods& m) {
    m.explain = [this](const pb::GetJobRequest& request, pb::Explanation* explanation) {
      desk.Note("explain " + request.job_id());
      explanation->mutable_reason()->set_code("Resources");
      return grpc::Status::OK;
    };
    m.list = [this](const pb::ListJobsRequest& request, pb::ListJobsReply* reply) {
      desk.Note(absl::StrCat("list ", request.page_size()));
      reply->set_next_page_token("more");
      return grpc::Status::OK;
    };
    m.nodes = [](const pb::NodesRequest&, pb::NodesReply* reply) {
      reply->add_nodes()->set_worker_id("w1");
      return grpc::Status::OK;
    };
    m.status = [](const pb::StatusRequest&, pb::StatusReply* reply) {
      reply->set_workers(7);
      return grpc::Status::OK;
    };
    m.list_checkpoints = [](const pb::GetJobRequest& request, pb::ListCheckpointsReply* reply) {
      reply->add_checkpoints()->set_name(request.job_id());
      return grpc::Status::OK;
    };
    m.verify = [](const pb::VerifyRequest& request, pb::VerifyReply* reply) {
      reply->mutable_checkpoint()->set_step(request.step());
      return grpc::Status::OK;
    };
  }
};

pb::SubmitRequest SubmitOf(const std::string& name) {
  pb::SubmitRequest request;
  request.mutable_spec()->set_name(name);
  return request;
}

TEST_CASE("every call reaches its method with its argument") {
  FakeServer server;
  Client client(server.address());
  CHECK(client.address() == server.address());
  CHECK(client.Submit(SubmitOf("mnist"))->job_id() == "mnist-1");
  CHECK(client.Get("a")->job_id() == "a-1");
  CHECK(client.Cancel("b")->job_id() == "b-1");
  CHECK(client.Kill("c")->job_id() == "c-1");
  CHECK(client.Pause("d")->job_id() == "d-1");
  CHECK(client.Resume("e")->job_id() == "e-1");
  CHECK(client.Explain("f")->reason().code() == "Resources");
  pb::ListJobsRequest list;
  list.set_page_size(5);
  CHECK(client.List(list)->next_page_token() == "more");
  CHECK(server.desk.noted() ==
        Texts{"get a", "cancel b", "kill c", "pause d", "resume e", "explain f", "list 5"});
  CHECK(client.Nodes()->nodes(0).worker_id() == "w1");
  CHECK(client.Status()->workers() == 7);
  CHECK(client.ListCheckpoints("g")->checkpoints(0).name() == "g");
  CHECK(client.Verify("h", 42)->checkpoint().step() == 42);
}

TEST_CASE("an error keeps its code and its message") {
  FakeServer server;
  Client client(server.address());
  const absl::Status status = client.Get("missing").status();
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK(status.message() == "no job 'missing'");
  CHECK(ViolationsOf(status).empty());
  CHECK(ViolationsOf(absl::OkStatus()).empty());
}

TEST_CASE("an invalid job carries what is wrong with each field") {
  FakeServer server;
  Client client(server.address());
  const absl::Status status = client.Submit(SubmitOf("invalid")).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.message() == "the job is invalid");
  const std::vector<Violation> violations = ViolationsOf(status);
  REQUIRE(violations.size() == 2);
  CHECK(violations[0].field == "train.epoch");
  CHECK(violations[0].description == "12:5: unknown key 'epoch'");
  CHECK(violations[1].field == "name");
}

TEST_CASE("where nobody listens, the message names the address and the ways out") {
  int port = 0;
  {
    FakeServer early;
    port = early.coordinator.port();
  }
  Client client(absl::StrCat("127.0.0.1:", port));
  const auto each_of = [](const auto&) { return true; };
  const absl::Status statuses[] = {client.Get("a").status(), client.Nodes().status(),
                                   client.Watch("a", each_of)};
  for (const absl::Status& status : statuses) {
    CHECK(absl::IsUnavailable(status));
    CHECK(absl::StrContains(status.message(), client.address()));
    CHECK(absl::StrContains(status.message(), "trainctl cluster up"));
    CHECK(absl::StrContains(status.message(), "-c HOST:PORT"));
  }
}

TEST_CASE("a coordinator that ends, or cuts a call off, is not available") {
  FakeServer server;
  Client client(server.address());
  for (const std::string id : {"ending", "cut"}) {
    CAPTURE(id);
    const absl::Status status = client.Get(id).status();
    CHECK(absl::IsUnavailable(status));
    CHECK(absl::StrContains(status.message(), id));
  }
}

TEST_CASE("a coordinator that comes back is found again by the same client") {
  auto server = std::make_unique<FakeServer>();
  const int port = server->coordinator.port();
  Client client(server->address());
  REQUIRE(client.Get("a").ok());
  server.reset();
  CHECK(absl::IsUnavailable(client.Get("a").status()));
  server = std::make_unique<FakeServer>(port);
  while (!client.Get("a").ok()) std::this_thread::yield();  // ends by the redial, a second at most
}

TEST_CASE("a call that is not answered ends at its deadline") {
  FakeServer server;
  Client client(server.address(), absl::Milliseconds(20));
  const absl::Status status = client.Get("slow").status();
  CHECK(absl::IsDeadlineExceeded(status));
  CHECK(absl::StrContains(status.message(), server.address()));
  SECTION("but a submission that waits for its preflight has that time on top") {
    pb::SubmitRequest request = SubmitOf("slow");
    request.set_preflight_wait_seconds(600);
    std::thread other([&] { server.desk.Open(); });
    CHECK(client.Submit(request).ok());
    other.join();
  }
}

TEST_CASE("a stream gives every message, and then how it ended") {
  FakeServer server;
  Client client(server.address());
  std::vector<int64_t> seen;
  SECTION("of a job") {
    CHECK(client.Watch("a", [&](const pb::Job& job) {
      seen.push_back(job.progress().step());
      return true;
    }).ok());
  }
  SECTION("of logs") {
    CHECK(client.Logs(pb::LogsRequest(), [&](const pb::LogLines& lines) {
      seen.push_back(lines.rank());
      return true;
    }).ok());
  }
  SECTION("of events") {
    CHECK(client.Events(pb::EventsRequest(), [&](const pb::JobEvent& event) {
      seen.push_back(event.transition().generation());
      return true;
    }).ok());
  }
  SECTION("with an error at its end") {
    pb::LogsRequest request;
    request.set_job_id("broken");
    const absl::Status status = client.Logs(request, [&](const pb::LogLines& lines) {
      seen.push_back(lines.rank());
      return true;
    });
    CHECK(absl::IsDataLoss(status));
    CHECK(status.message() == "the log is damaged");
  }
  CHECK(seen == std::vector<int64_t>{1, 2, 3});
}

TEST_CASE("a reader that has enough ends the stream, here and at the server") {
  FakeServer server;
  Client client(server.address());
  int count = 0;
  CHECK(client.Watch("endless", [&](const pb::Job&) { return ++count < 2; }).ok());
  CHECK(count == 2);
  server.desk.Await("cancelled");
}

TEST_CASE("a watch ends at its timeout") {
  FakeServer server;
  Client client(server.address());
  const auto each_of = [](const pb::Job&) { return true; };
  CHECK(absl::IsDeadlineExceeded(client.Watch("endless", each_of, absl::Milliseconds(50))));
  CHECK(absl::IsDeadlineExceeded(client.Watch("endless", each_of, absl::ZeroDuration())));
}

TEST_CASE("an interrupt ends calls and streams, present and later ones, with Cancelled") {
  FakeServer server;
  Client client(server.address());
  SECTION("a stream") {
    std::thread other([&] {
      server.desk.Await("streaming");
      client.Interrupt();
    });
    CHECK(absl::IsCancelled(client.Watch("endless", [](const pb::Job&) { return true; })));
    other.join();
  }
  SECTION("a call") {
    std::thread other([&] {
      server.desk.Await("get slow");
      client.Interrupt();
    });
    CHECK(absl::IsCancelled(client.Get("slow").status()));
    other.join();
  }
  SECTION("before it began") { client.Interrupt(); }
  CHECK(absl::IsCancelled(client.Get("a").status()));
  CHECK(absl::IsCancelled(client.Watch("a", [](const pb::Job&) { return true; })));
}

// ---- artifacts ----------------------------------------------------------------------------------

// A coordinator with these artifacts, which notes what is uploaded.
struct Storage {
  FakeCoordinator coordinator;
  std::vector<std::string> present;
  pb::UploadArtifactRequest head;  // the first message of the last upload
  std::string content;             // … and what came in all
  grpc::Status answer;             // to the upload

  Storage() {
    coordinator.methods.has_artifacts = [this](const pb::HasArtifactsRequest& request,
                                               pb::HasArtifactsReply* reply) {
      for (const std::string& sha256 : request.sha256()) {
        const bool has = std::find(present.begin(), present.end(), sha256) != present.end();
        if (!has) reply->add_missing(sha256);
      }
      return grpc::Status::OK;
    };
    coordinator.methods.upload_artifact = [this](auto* reader, pb::UploadArtifactReply* reply) {
      if (!reader->Read(&head)) return grpc::Status(grpc::StatusCode::CANCELLED, "no head");
      if (!answer.ok()) return answer;
      content = head.data();
      pb::UploadArtifactRequest piece;
      while (reader->Read(&piece)) content += piece.data();
      reply->set_path("/storage/artifacts/" + head.sha256());
      return grpc::Status::OK;
    };
  }
};

TEST_CASE("a file is uploaded in pieces when the cluster has no file of its content") {
  const base::TemporaryFolder folder;
  Storage storage;
  Client client(storage.coordinator.address());
  for (const size_t bytes : {size_t{0}, size_t{10}, (size_t{5} << 19) + 1}) {
    const std::string content(bytes, 'w');
    REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), folder.File("w"), content).ok());
    const auto sha256 = client.UploadArtifact(folder.File("w"));
    INFO(sha256.status());
    REQUIRE(sha256.ok());
    CHECK(*sha256 == base::Sha256Hex(content));
    CHECK(storage.head.sha256() == *sha256);
    CHECK(storage.head.bytes() == static_cast<int64_t>(bytes));
    CHECK(storage.content == content);
  }
}

TEST_CASE("of what the cluster has, nothing is sent") {
  const base::TemporaryFolder folder;
  Storage storage;
  storage.present = {base::Sha256Hex("weights")};
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), folder.File("w"), "weights").ok());
  Client client(storage.coordinator.address());
  CHECK(client.UploadArtifact(folder.File("w")).value() == storage.present[0]);
  CHECK(storage.head.sha256().empty());
}

TEST_CASE("an upload that the coordinator refuses, or that it has enough of, ends with its word") {
  const base::TemporaryFolder folder;
  Storage storage;
  const std::string content(8 << 20, 'w');  // more than any buffer on the way takes
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), folder.File("w"), content).ok());
  Client client(storage.coordinator.address());
  storage.answer = {grpc::StatusCode::RESOURCE_EXHAUSTED, "no room"};
  const absl::Status refused = client.UploadArtifact(folder.File("w")).status();
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(refused.message() == "no room");
}

TEST_CASE("a file that is not there is said before the coordinator is asked") {
  Client client("127.0.0.1:1");
  const absl::Status status = client.UploadArtifact("/none/weights").status();
  CHECK(absl::IsNotFound(status));
  CHECK(absl::StrContains(status.message(), "/none/weights"));
}

// The head of two tensors of eight bytes in all, and messages with these bytes.
std::vector<pb::DownloadReply> Weights(const std::vector<std::string>& pieces) {
  std::vector<pb::DownloadReply> messages(1);
  pb::WeightsHead& head = *messages[0].mutable_head();
  head.mutable_checkpoint()->set_step(7);
  head.add_tensors()->set_bytes(3);
  head.add_tensors()->set_bytes(5);
  for (const std::string& piece : pieces) messages.emplace_back().set_data(piece);
  return messages;
}

TEST_CASE("weights come as they were announced, or not at all") {
  struct Came {
    absl::Status status;
    int64_t step = 0;
    std::string bytes;
  };
  const auto download = [](std::vector<pb::DownloadReply> messages, grpc::Status end) {
    FakeCoordinator coordinator;
    coordinator.methods.download =
        Sends<pb::DownloadRequest, pb::DownloadReply>(std::move(messages), std::move(end));
    Client client(coordinator.address());
    Came came;
    came.status = client.DownloadWeights(
        "mnist", 7, [&](const pb::WeightsHead& head) { came.step = head.checkpoint().step(); },
        [&](absl::string_view data) { came.bytes += std::string(data); });
    return came;
  };
  const Came whole = download(Weights({"abc", "de", "fgh"}), grpc::Status::OK);
  CHECK(whole.status.ok());
  CHECK(whole.step == 7);
  CHECK(whole.bytes == "abcdefgh");
  CHECK(absl::IsDataLoss(download(Weights({"abc"}), grpc::Status::OK).status));
  CHECK(absl::IsDataLoss(download(Weights({"abc", "defghi"}), grpc::Status::OK).status));
  CHECK(absl::IsDataLoss(download({}, grpc::Status::OK).status));
  // A second head would begin anew in the middle of a tensor; no tensor has less than nothing.
  std::vector<pb::DownloadReply> twice = Weights({"abc"});
  for (const pb::DownloadReply& message : Weights({"abcdefgh"})) twice.push_back(message);
  CHECK(absl::IsDataLoss(download(std::move(twice), grpc::Status::OK).status));
  std::vector<pb::DownloadReply> negative = Weights({"abc"});
  negative[0].mutable_head()->mutable_tensors(0)->set_bytes(-2);
  CHECK(absl::IsDataLoss(download(std::move(negative), grpc::Status::OK).status));
  const grpc::Status damaged(grpc::StatusCode::DATA_LOSS, "weights: 96: damaged");
  CHECK(download(Weights({"abc"}), damaged).status == absl::DataLossError("weights: 96: damaged"));
}

TEST_CASE("an artifact is known by its content") {
  FakeCoordinator coordinator;
  std::vector<pb::DownloadArtifactReply> messages(2);
  messages[0].set_data("mod");
  messages[1].set_data("el");
  coordinator.methods.download_artifact =
      Sends<pb::DownloadArtifactRequest, pb::DownloadArtifactReply>(messages);
  Client client(coordinator.address());
  CHECK(client.DownloadArtifact(base::Sha256Hex("model")).value() == "model");
  CHECK(absl::IsDataLoss(client.DownloadArtifact(base::Sha256Hex("other")).status()));
}

}  // namespace
}  // namespace rm::client
