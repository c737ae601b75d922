#include "tools/trainctl/session.h"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "runtime/client/testing.h"

namespace rm::trainctl {
namespace {

namespace pb = ::ringmaster::v1;

// A home of our own, and no variable that names a coordinator.
class Home {
 public:
  Home() {
    ::setenv("HOME", folder_.path().c_str(), 1);
    ::unsetenv("XDG_STATE_HOME");
    ::unsetenv("XDG_CONFIG_HOME");
    ::unsetenv("RINGMASTER_COORDINATOR");
  }
  void Write(const std::string& path, const std::string& text) {
    base::FileSystem& files = base::PosixFileSystem();
    REQUIRE(files.MakeFolders(base::ParentPath(folder_.File(path))).ok());
    REQUIRE(base::WriteFileAtomically(files, folder_.File(path), text).ok());
  }
  [[nodiscard]] std::string File(const std::string& path) const { return folder_.File(path); }

 private:
  base::TemporaryFolder folder_;
};

TEST_CASE("the nearest word on where the coordinator is counts") {
  Home home;
  const absl::Status nowhere = ResolveCoordinator("").status();
  CHECK(absl::IsUnavailable(nowhere));
  CHECK(absl::StrContains(nowhere.message(), "trainctl cluster up"));
  home.Write(".local/state/ringmaster/cluster/address", "127.0.0.1:1\n127.0.0.1:2\n");
  CHECK(*ResolveCoordinator("") == "127.0.0.1:1");
  home.Write(".config/ringmaster/config.yaml", "# mine\ncoordinator: 127.0.0.1:3\n");
  CHECK(*ResolveCoordinator("") == "127.0.0.1:3");
  ::setenv("RINGMASTER_COORDINATOR", "127.0.0.1:4", 1);
  CHECK(*ResolveCoordinator("") == "127.0.0.1:4");
  CHECK(*ResolveCoordinator("host:5") == "host:5");
}

TEST_CASE("the places of XDG are respected") {
  Home home;
  ::setenv("XDG_STATE_HOME", home.File("state").c_str(), 1);
  ::setenv("XDG_CONFIG_HOME", home.File("config").c_str(), 1);
  CHECK(DefaultClusterFolder() == home.File("state/ringmaster/cluster"));
  home.Write("state/ringmaster/cluster/address", "127.0.0.1:6");
  CHECK(*ResolveCoordinator("") == "127.0.0.1:6");
  home.Write("config/ringmaster/config.yaml", "coordinator: 127.0.0.1:7");
  CHECK(*ResolveCoordinator("") == "127.0.0.1:7");
}

TEST_CASE("what is no address is refused, with the place it came from") {
  Home home;
  CHECK(absl::StrContains(ResolveCoordinator("nonsense").status().message(), "--coordinator"));
  ::setenv("RINGMASTER_COORDINATOR", "host", 1);
  const absl::Status status = ResolveCoordinator("").status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(absl::StrContains(status.message(), "RINGMASTER_COORDINATOR"));
}

TEST_CASE("of the config file one line is read") {
  const struct {
    std::string text;
    std::string coordinator;
  } cases[] = {
      {"", ""},
      {"coordinator: a:1", "a:1"},
      {"other: x\ncoordinator:   a:1   # the big one\n", "a:1"},
      {"coordinator: \"a:1\"  # quoted\n", "a:1"},
      {"coordinator: 'a:1'\r\n", "a:1"},
      {"# coordinator: a:1\n", ""},
      {"nested:\n  coordinator: a:1\n", ""},
      {"coordinators: a:1\n", ""},
      {"coordinator:\n", ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(CoordinatorOfConfig(c.text) == c.coordinator);
  }
}

TEST_CASE("off a terminal nothing is asked: -y is the answer") {
  CommonFlags common;
  common.yes = true;
  CHECK(*Confirm(common, "Cancel it?"));
  common.yes = false;
  if (::isatty(STDIN_FILENO) == 1) return;  // run by hand
  const auto answer = Confirm(common, "Cancel it?");
  CHECK(absl::IsInvalidArgument(answer.status()));
  CHECK(absl::StrContains(answer.status().message(), "Say -y"));
}

TEST_CASE("Ctrl-C ends what the client waits for, and is remembered") {
  Session session;  // before the threads of gRPC, as in a command
  client::FakeCoordinator coordinator;
  coordinator.methods.watch = [](grpc::ServerContext* context, const pb::GetJobRequest&,
                                 grpc::ServerWriter<pb::Job>* writer) {
    writer->Write(pb::Job());
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  CommonFlags common;
  common.coordinator = coordinator.address();
  const auto client = session.Connect(common);
  REQUIRE(client.ok());
  CHECK(*session.Connect(common) == *client);  // one for the session
  CHECK_FALSE(session.interrupted());
  const absl::Status status = (*client)->Watch("a", [](const pb::Job&) {
    ::kill(::getpid(), SIGINT);
    return true;
  });
  CHECK(absl::IsCancelled(status));
  CHECK(session.interrupted());
  CHECK(absl::IsCancelled((*client)->Get("a").status()));
}

}  // namespace
}  // namespace rm::trainctl
