#include "runtime/worker/attachment.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/temporary_folder.h"
#include "base/version.h"
#include "proto/worker.grpc.pb.h"
#include "runtime/worker/testing.h"

namespace rm::worker {
namespace {

namespace pb = ::ringmaster::v1;
using Texts = std::vector<std::string>;

pb::WorkerCommand PreflightCommand(const std::string& job) {
  pb::WorkerCommand command;
  command.mutable_preflight()->set_job_id(job);
  return command;
}

// A coordinator that does what the test says, and remembers what it heard.
class FakeCoordinator final : public pb::Workers::Service {
 public:
  using ServerStream = grpc::ServerReaderWriter<pb::WorkerCommand, pb::WorkerMessage>;

  // How the next streams are treated.
  struct Manner {
    bool welcome = true;
    grpc::Status refusal;             // not OK: the end of the stream after Hello
    std::vector<std::string> asks;    // preflights of these jobs, right after the Welcome
    std::string probe_path;           // of the Welcome
  };

  // `port` 0: any free one.
  explicit FakeCoordinator(int port = 0) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
  }
  ~FakeCoordinator() override { server_->Shutdown(std::chrono::system_clock::now()); }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  void SetManner(Manner manner) {
    base::MutexLock lock(mutex_);
    manner_ = std::move(manner);
  }

  // Breaks the present stream.
  void Break() {
    base::MutexLock lock(mutex_);
    context_->TryCancel();
  }

  // Waits for the `n`th stream (from 1) and returns its Hello.
  pb::Hello AwaitHello(size_t n) {
    base::MutexLock lock(mutex_);
    while (hellos_.size() < n) changed_.Wait(mutex_);
    return hellos_[n - 1];
  }
  // Waits until the `n`th stream has ended.
  void AwaitEnd(size_t n) {
    base::MutexLock lock(mutex_);
    while (ended_ < n) changed_.Wait(mutex_);
  }
  // Waits for `count` messages but heartbeats, and takes them.
  Texts AwaitMessages(size_t count) {
    base::MutexLock lock(mutex_);
    while (messages_.size() < count) changed_.Wait(mutex_);
    return std::exchange(messages_, {});
  }
  // Waits until the `n`th stream has brought `count` heartbeats; when each came.
  std::vector<absl::Duration> AwaitHeartbeats(size_t n, size_t count) {
    base::MutexLock lock(mutex_);
    while (hellos_.size() < n || beats_[n - 1].size() < count) changed_.Wait(mutex_);
    return beats_[n - 1];
  }
  Texts messages() {
    base::MutexLock lock(mutex_);
    return messages_;
  }
  size_t hellos() {
    base::MutexLock lock(mutex_);
    return hellos_.size();
  }

  grpc::Status Attach(grpc::ServerContext* context, ServerStream* stream) override {
    pb::WorkerMessage message;
    if (!stream->Read(&message)) return grpc::Status::CANCELLED;
    const Manner manner = NoteHello(context, message);
    if (manner.welcome) WelcomeOn(*stream, manner);
    while (manner.refusal.ok() && stream->Read(&message)) NoteMessage(message);
    base::MutexLock lock(mutex_);
    ++ended_;
    context_ = nullptr;
    changed_.SignalAll();
    return manner.refusal;
  }

 private:
  Manner NoteHello(grpc::ServerContext* context, const pb::WorkerMessage& message) {
    base::MutexLock lock(mutex_);
    hellos_.push_back(message.hello());
    beats_.emplace_back();
    context_ = context;
    changed_.SignalAll();
    return manner_;
  }

  static void WelcomeOn(ServerStream& stream, const Manner& manner) {
    pb::WorkerCommand welcome;
    welcome.mutable_welcome()->set_version(std::string(base::kVersion));
    welcome.mutable_welcome()->set_probe_path(manner.probe_path);
    stream.Write(welcome);
    for (const std::string& job : manner.asks) stream.Write(PreflightCommand(job));
  }

  void NoteMessage(const pb::WorkerMessage& message) {
    base::MutexLock lock(mutex_);
    if (message.has_heartbeat()) {
      CHECK(message.heartbeat().sequence() == static_cast<int64_t>(beats_.back().size()) + 1);
      beats_.back().push_back(base::RealClock().Monotonic());
    } else {
      messages_.push_back(TextOf(message));
    }
    changed_.SignalAll();
  }

  base::Mutex mutex_;
  base::CondVar changed_;
  Manner manner_;
  grpc::ServerContext* context_ = nullptr;
  std::vector<pb::Hello> hellos_;
  std::vector<std::vector<absl::Duration>> beats_;  // of each stream
  Texts messages_;                                  // of all streams
  size_t ended_ = 0;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// A worker's end of the stream.
struct Worker {
  Outbox outbox;
  base::Mutex mutex;
  base::CondVar changed;
  Texts commands;
  int refusals = 0;
  std::unique_ptr<Attachment> attachment;

  explicit Worker(const std::string& coordinator) {
    WorkerOptions options;
    options.coordinator = coordinator;
    options.id = "w1";
    options.host = "host";
    options.advertise = "10.0.0.1";
    options.slots = 3;
    options.labels = {{"zone", "a"}};
    attachment = std::make_unique<Attachment>(options, outbox, [this](pb::WorkerCommand command) {
      base::MutexLock lock(mutex);
      commands.push_back(command.has_preflight() ? command.preflight().job_id() : "another");
      changed.SignalAll();
    });
    attachment->SetOnRefused([this] {
      base::MutexLock lock(mutex);
      ++refusals;
      changed.SignalAll();
    });
    attachment->Start();
  }
  ~Worker() { attachment->Stop(); }

  Texts AwaitCommands(size_t count) {
    base::MutexLock lock(mutex);
    while (commands.size() < count) changed.Wait(mutex);
    return commands;
  }
  void AwaitRefusal() {
    base::MutexLock lock(mutex);
    while (refusals == 0) changed.Wait(mutex);
  }
};

TEST_CASE("a worker introduces itself, with all it runs") {
  FakeCoordinator coordinator;
  Worker worker(coordinator.address());
  const pb::Hello hello = coordinator.AwaitHello(1);
  CHECK(hello.worker_id() == "w1");
  CHECK(hello.host() == "host");
  CHECK(hello.version() == base::kVersion);
  CHECK(hello.slots() == 3);
  CHECK(hello.labels().at("zone") == "a");
  CHECK(hello.advertise_host() == "10.0.0.1");
  CHECK(hello.pid() == ::getpid());
  CHECK(hello.running_size() == 0);

  worker.outbox.NoteStarted(Ref("a", 2, 1));
  coordinator.AwaitHeartbeats(1, 1);
  coordinator.Break();
  const pb::Hello again = coordinator.AwaitHello(2);
  REQUIRE(again.running_size() == 1);
  CHECK(KeyOf(again.running(0)) == KeyOf(Ref("a", 2, 1)));
}

TEST_CASE("messages go up in order and commands come down in order") {
  FakeCoordinator coordinator;
  FakeCoordinator::Manner manner;
  manner.asks = {"one", "two", "three"};
  coordinator.SetManner(manner);
  Worker worker(coordinator.address());
  CHECK(worker.AwaitCommands(3) == Texts{"one", "two", "three"});
  for (int step = 1; step <= 3; ++step) worker.outbox.Push(CommittedAt(Ref("a"), step));
  worker.outbox.Push(ExitOf(Ref("a"), 0));
  CHECK(coordinator.AwaitMessages(4) == Texts{"a/1/0 committed 1", "a/1/0 committed 2",
                                              "a/1/0 committed 3", "a/1/0 exit 0"});
}

TEST_CASE("heartbeats come five times a second, also between many messages") {
  FakeCoordinator coordinator;
  Worker worker(coordinator.address());
  const bool busy = GENERATE(false, true);
  std::vector<absl::Duration> beats;
  for (size_t count = 1; beats.size() < 6; ++count) {
    if (busy) worker.outbox.Push(Log(Ref("a"), 0, std::string(100000, 'x')));
    beats = coordinator.AwaitHeartbeats(1, busy ? beats.size() : count);
  }
  // Never faster; how much slower is the machine's affair.
  CHECK(beats[5] - beats[0] >= 4 * Attachment::kHeartbeatInterval);
}

TEST_CASE("heartbeats go on while nobody takes anything from the outbox") {
  FakeCoordinator coordinator;
  FakeCoordinator::Manner silent;
  silent.welcome = false;  // the writer has nothing to write
  coordinator.SetManner(silent);
  Worker worker(coordinator.address());
  CHECK(coordinator.AwaitHeartbeats(1, 4).size() >= 4);
}

TEST_CASE("the storage is probed when the Welcome asks for it, at each attach, and only then") {
  base::TemporaryFolder folder;
  const std::string path = folder.File(".probe");
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), path, "nonce-17").ok());
  FakeCoordinator coordinator;
  FakeCoordinator::Manner manner;
  manner.probe_path = path;
  coordinator.SetManner(manner);
  Worker worker(coordinator.address());
  CHECK(coordinator.AwaitMessages(1) == Texts{"storage nonce-17"});
  coordinator.Break();
  CHECK(coordinator.AwaitMessages(1) == Texts{"storage nonce-17"});
  coordinator.SetManner({});
  coordinator.Break();
  coordinator.AwaitHeartbeats(3, 2);
  CHECK(coordinator.messages().empty());
}

TEST_CASE("a storage that this machine does not see is told with the reason") {
  FakeCoordinator coordinator;
  FakeCoordinator::Manner manner;
  manner.probe_path = "/nowhere/on/this/machine/.probe";
  coordinator.SetManner(manner);
  Worker worker(coordinator.address());
  CHECK_THAT(coordinator.AwaitMessages(1).at(0),
             Catch::Contains("problem") && Catch::Contains("/nowhere/on/this/machine/.probe"));
}

TEST_CASE("a worker waits for its coordinator to come up") {
  int port = 0;
  {
    FakeCoordinator early;
    port = early.port();
  }
  Worker worker(absl::StrCat("127.0.0.1:", port));
  worker.outbox.Push(Listening(Ref("a")));
  FakeCoordinator coordinator(port);
  CHECK(coordinator.AwaitMessages(1) == Texts{"a/1/0 listening"});
}

TEST_CASE("after a break the worker comes back and tells again what must be known") {
  auto coordinator = std::make_unique<FakeCoordinator>();
  const int port = coordinator->port();
  Worker worker(coordinator->address());
  worker.outbox.Push(Listening(Ref("a")));
  worker.outbox.Push(Joined(Ref("a")));
  worker.outbox.Push(ProgressAt(Ref("a"), 1));
  CHECK(coordinator->AwaitMessages(3).size() == 3);

  const bool restarted = GENERATE(false, true);
  size_t stream = 2;
  if (restarted) {
    coordinator.reset();
    worker.outbox.Push(CommittedAt(Ref("a"), 5));  // while nobody listens
    coordinator = std::make_unique<FakeCoordinator>(port);
    stream = 1;
  } else {
    coordinator->Break();
    coordinator->AwaitEnd(1);
    worker.outbox.Push(CommittedAt(Ref("a"), 5));
  }
  CHECK(coordinator->AwaitHello(stream).running_size() == 1);
  Texts texts;
  while (texts.empty() || texts.back() != "a/1/0 committed 5") {
    for (std::string& text : coordinator->AwaitMessages(1)) texts.push_back(std::move(text));
  }
  CHECK(std::count(texts.begin(), texts.end(), "a/1/0 listening") == 1);
  CHECK(std::count(texts.begin(), texts.end(), "a/1/0 joined") == 1);
  CHECK(texts.front() == "a/1/0 listening");
}

TEST_CASE("before the Welcome nothing is sent but heartbeats, so that a refusal loses nothing") {
  FakeCoordinator coordinator;
  FakeCoordinator::Manner silent;
  silent.welcome = false;
  coordinator.SetManner(silent);
  Worker worker(coordinator.address());
  worker.outbox.Push(Log(Ref("a"), 0, "never on record"));
  coordinator.AwaitHeartbeats(1, 3);
  CHECK(coordinator.messages().empty());
  coordinator.SetManner({});
  coordinator.Break();
  CHECK(coordinator.AwaitMessages(1) == Texts{"a/1/0 log 0+15"});
}

TEST_CASE("a refusal that coming again cannot mend ends the dialling") {
  const grpc::StatusCode code =
      GENERATE(grpc::StatusCode::FAILED_PRECONDITION, grpc::StatusCode::ALREADY_EXISTS,
               grpc::StatusCode::PERMISSION_DENIED);
  const bool welcomed = GENERATE(false, true);
  FakeCoordinator coordinator;
  FakeCoordinator::Manner manner;
  manner.welcome = welcomed;
  manner.refusal = grpc::Status(code, "another version");
  coordinator.SetManner(manner);
  Worker worker(coordinator.address());
  worker.AwaitRefusal();
  const absl::Status refusal = worker.attachment->refusal();
  CHECK(absl::IsFailedPrecondition(refusal));
  CHECK(absl::StrContains(refusal.message(), coordinator.address()));
  CHECK(absl::StrContains(refusal.message(), "another version"));
  worker.attachment->Stop();
  CHECK(worker.refusals == 1);
  CHECK(coordinator.hellos() == 1);
}

TEST_CASE("any other end of the stream is a break") {
  const grpc::StatusCode code =
      GENERATE(grpc::StatusCode::OK, grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::ABORTED,
               grpc::StatusCode::DEADLINE_EXCEEDED, grpc::StatusCode::INTERNAL);
  FakeCoordinator coordinator;
  FakeCoordinator::Manner manner;
  manner.refusal = grpc::Status(code, "come again");
  if (code == grpc::StatusCode::OK) {
    coordinator.SetManner({});
    Worker worker(coordinator.address());
    coordinator.AwaitHeartbeats(1, 1);
    coordinator.Break();
    coordinator.AwaitHello(2);
    return;
  }
  coordinator.SetManner(manner);
  Worker worker(coordinator.address());
  coordinator.AwaitHello(3);
  CHECK(worker.attachment->refusal().ok());
  CHECK(worker.refusals == 0);
}

TEST_CASE("a worker that leaves is seen to leave at once, and does not come back") {
  FakeCoordinator coordinator;
  Worker worker(coordinator.address());
  coordinator.AwaitHeartbeats(1, 1);
  SECTION("stopped") { worker.attachment->Stop(); }
  SECTION("its outbox closed, as the loop does when it quits") { worker.outbox.Close(); }
  coordinator.AwaitEnd(1);
  worker.attachment->Stop();
  CHECK(coordinator.hellos() == 1);
  CHECK(worker.attachment->refusal().ok());
}

TEST_CASE("a worker whose coordinator is not there can be stopped as well") {
  int port = 0;
  {
    FakeCoordinator early;
    port = early.port();
  }
  Worker worker(absl::StrCat("127.0.0.1:", port));
  worker.attachment->Stop();
  worker.attachment->Stop();  // twice does no harm
  CHECK(worker.attachment->refusal().ok());
}

}  // namespace
}  // namespace rm::worker
