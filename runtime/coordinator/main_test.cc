#include "runtime/coordinator/main.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"
#include "runtime/coordinator/test_program.h"

namespace rm::coordinator {
namespace {

TEST_CASE("help and version are said on request") {
  Program help({"--help"});
  CHECK(absl::StrContains(help.ReadAll(), "usage: ringmaster-coordinator [flags]"));
  CHECK(absl::StrContains(help.ReadAll(), "--address-file FILE"));
  CHECK(help.Wait() == 0);
  Program version({"--version"});
  CHECK(version.ReadAll() == "0.1.0\n");
  CHECK(version.Wait() == 0);
}

TEST_CASE("a mistake on the command line is one line and exit code 2") {
  const std::vector<std::vector<std::string>> mistakes = {
      {"--lisen", "x"}, {"--state", "s", "extra"}, {}, {"--state", "s", "--listen", "10.0.0.1:1"}};
  for (const std::vector<std::string>& words : mistakes) {
    Program program(words);
    const std::string said = program.ReadAll();
    CHECK(absl::StartsWith(said, "ringmaster-coordinator: "));
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
    CHECK(program.Wait() == 2);
  }
}

TEST_CASE("it serves until it is told to stop, and leaves its journal closed") {
  for (const int signal : {SIGTERM, SIGINT}) {
    const base::TemporaryFolder folder;
    base::FileSystem& files = base::PosixFileSystem();
    Program program({"--state", folder.File("state"), "--listen", "127.0.0.1:0", "--address-file",
                     folder.File("address")});
    CHECK(absl::StrContains(program.ReadUntil("serving on"), "serving on"));
    const std::vector<std::string> lines =
        absl::StrSplit(files.ReadFile(folder.File("address")).value(), '\n');
    CHECK(absl::StartsWith(lines.at(0), "127.0.0.1:"));
    CHECK(files.Exists(folder.File("state/journal.db.holder")));
    program.Signal(signal);
    CHECK(program.Wait() == 0);
    CHECK_FALSE(files.Exists(folder.File("state/journal.db.holder")));
    CHECK_FALSE(files.Exists(folder.File("state/journal.db-wal")));
  }
}

TEST_CASE("a second coordinator on the same state ends at once and names the first") {
  const base::TemporaryFolder folder;
  const std::vector<std::string> words = {"--state", folder.File("state"), "--listen",
                                          "127.0.0.1:0"};
  Program first(words);
  (void)first.ReadUntil("serving on");
  Program second(words);
  const std::string said = second.ReadAll();
  CHECK(second.Wait() == 1);
  CHECK(absl::StartsWith(
      said, absl::StrCat("ringmaster-coordinator: journal ", folder.File("state/journal.db"),
                         " is in use by another coordinator (process ")));
  CHECK(std::count(said.begin(), said.end(), '\n') == 1);
}

TEST_CASE("a kill at any moment leaves nothing that a start on the same port and state minds") {
  const base::TemporaryFolder folder;
  std::vector<std::string> words = {"--state",     folder.File("state"), "--listen",
                                    "127.0.0.1:0", "--address-file",     folder.File("address")};
  for (int life = 0; life < 3; ++life) {
    Program program(words);
    REQUIRE(absl::StrContains(program.ReadUntil("serving on"), "serving on"));
    const std::vector<std::string> lines = absl::StrSplit(
        base::PosixFileSystem().ReadFile(folder.File("address")).value(), '\n');
    words[3] = lines.at(0);  // from now on by its number
    // A connection that stands at the kill would keep the port from who does not ask for its reuse.
    const std::vector<std::string> parts = absl::StrSplit(lines.at(0), ':');
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(parts.at(1))));
    inet_pton(AF_INET, parts.at(0).c_str(), &to.sin_addr);
    REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
    program.Signal(SIGKILL);
    CHECK(program.Wait() == -SIGKILL);
    close(fd);
  }
  // One probe for all lives, not one a life.
  int probes = 0;
  const auto names = base::PosixFileSystem().List(folder.File("state/storage"));
  REQUIRE(names.ok());
  for (const std::string& name : *names) {
    if (absl::StartsWith(name, ".ringmaster-probe-")) ++probes;
  }
  CHECK(probes == 1);
}

TEST_CASE("a port in use is one line that says by whom, and what to do") {
  const base::TemporaryFolder folder;
  Program first({"--state", folder.File("a"), "--listen", "127.0.0.1:0", "--address-file",
                 folder.File("address")});
  (void)first.ReadUntil("serving on");
  const std::vector<std::string> lines = absl::StrSplit(
      base::PosixFileSystem().ReadFile(folder.File("address")).value(), '\n');
  Program second({"--state", folder.File("b"), "--listen", lines.at(0)});
  const std::string said = second.ReadAll();
  CHECK(second.Wait() == 1);
  CHECK(absl::StartsWith(said, absl::StrCat("ringmaster-coordinator: cannot listen on ",
                                            lines.at(0), ": Address already in use by process ",
                                            first.pid(), " (")));
  CHECK(std::count(said.begin(), said.end(), '\n') == 1);
}

TEST_CASE("log lines are JSON when asked for") {
  const base::TemporaryFolder folder;
  Program program(
      {"--state", folder.File("state"), "--listen", "127.0.0.1:0", "--log-format", "json"});
  const std::string said = program.ReadUntil("serving on");
  CHECK(absl::StartsWith(said, "{\"ts\":\""));
  CHECK(absl::StrContains(said, "\"component\":\"coordinator\""));
}

}  // namespace
}  // namespace rm::coordinator
