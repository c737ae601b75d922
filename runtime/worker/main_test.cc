// The worker daemon as a whole, in this process: how it starts and how it ends.
#include "runtime/worker/main.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "base/version.h"
#include "proto/worker.grpc.pb.h"

namespace rm::worker {
namespace {

namespace pb = ::ringmaster::v1;

// Refuses every worker, in these words.
class RefusingCoordinator final : public pb::Workers::Service {
 public:
  explicit RefusingCoordinator(grpc::Status refusal) : refusal_(std::move(refusal)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
  }
  ~RefusingCoordinator() override { server_->Shutdown(std::chrono::system_clock::now()); }

  [[nodiscard]] std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  [[nodiscard]] const std::string& version_heard() const { return version_heard_; }

  grpc::Status Attach(grpc::ServerContext*,
                      grpc::ServerReaderWriter<pb::WorkerCommand, pb::WorkerMessage>* stream) override {
    pb::WorkerMessage hello;
    if (stream->Read(&hello)) version_heard_ = hello.hello().version();
    return refusal_;
  }

 private:
  const grpc::Status refusal_;
  std::string version_heard_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

struct Outcome {
  int code = 0;
  std::vector<std::string> errors;  // lines on standard error that are no log lines
};

// Runs the daemon to its end.
Outcome Run(const base::TemporaryFolder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "ringmaster-worker");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  const std::string path = folder.File("stderr");
  const int kept = ::dup(STDERR_FILENO);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(file, STDERR_FILENO);
  Outcome outcome;
  outcome.code = WorkerMain(static_cast<int>(argv.size()), argv.data());
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  ::close(file);
  const std::string text = *base::PosixFileSystem().ReadFile(path);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (line.rfind("ringmaster-worker: ", 0) == 0) outcome.errors.push_back(line);
    at = end + 1;
  }
  return outcome;
}

TEST_CASE("a worker of another version ends with one line that names both, and a code of its own") {
  base::TemporaryFolder folder;
  RefusingCoordinator coordinator(
      {grpc::StatusCode::FAILED_PRECONDITION,
       absl::StrCat("the worker is version '", base::kVersion,
                    "', the coordinator is '9.9.9': use the same release on both")});
  const Outcome outcome =
      Run(folder, {"--coordinator=" + coordinator.address(), "--dir=" + folder.File("worker")});
  CHECK(outcome.code == kWorkerRefused);
  CHECK(coordinator.version_heard() == base::kVersion);
  REQUIRE(outcome.errors.size() == 1);
  CHECK_THAT(outcome.errors[0], Catch::Contains("coordinator " + coordinator.address() +
                                                " refuses this worker: "));
  CHECK_THAT(outcome.errors[0], Catch::Contains(std::string(base::kVersion)));
  CHECK_THAT(outcome.errors[0], Catch::Contains("9.9.9"));
}

TEST_CASE("what is wrong before anything is dialled is one line, and nothing is left running") {
  base::TemporaryFolder folder;
  struct Case {
    std::vector<std::string> arguments;
    int code;
    std::string says;
  };
  REQUIRE(base::WriteFileAtomically(base::PosixFileSystem(), folder.File("file"), "x").ok());
  const std::string dir = "--dir=" + folder.File("worker");
  const Case cases[] = {
      {{dir}, 2, "--coordinator HOST:PORT is missing"},
      {{dir, "--coordinator=127.0.0.1:1", "--advertise=10.1.2.3"}, 2, "say --insecure"},
      {{dir, "--coordinator=127.0.0.1:1", "--slotz=3"}, 2, "slots"},
      {{"--dir=" + folder.File("file") + "/below", "--coordinator=127.0.0.1:1"}, 1, "--dir: "},
  };
  for (const Case& c : cases) {
    INFO(c.says);
    const Outcome outcome = Run(folder, c.arguments);
    CHECK(outcome.code == c.code);
    REQUIRE(outcome.errors.size() == 1);
    CHECK_THAT(outcome.errors[0], Catch::Contains(c.says));
  }
}

}  // namespace
}  // namespace rm::worker
