#include "runtime/coordinator/main.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"

namespace rm::coordinator {
namespace {

// The program in a child process; what it writes to both outputs is read here.
class Program {
 public:
  explicit Program(std::vector<std::string> words) {
    words.insert(words.begin(), "/usr/bin/ringmaster-coordinator");
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      std::vector<char*> argv;
      for (std::string& word : words) argv.push_back(word.data());
      const int code = CoordinatorMain(static_cast<int>(argv.size()), argv.data());
      std::fflush(nullptr);
      _exit(code);
    }
    close(ends[1]);
    output_ = ends[0];
  }
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(output_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Reads on until `text` has been written, or the program has ended. Returns all so far.
  const std::string& ReadUntil(const std::string& text) {
    char buffer[1024];
    ssize_t got = 1;
    while (!absl::StrContains(said_, text) && got > 0) {
      got = read(output_, buffer, sizeof(buffer));
      if (got > 0) said_.append(buffer, static_cast<size_t>(got));
    }
    return said_;
  }
  const std::string& ReadAll() { return ReadUntil("\1never written\1"); }

  void Signal(int signal) { REQUIRE(kill(pid_, signal) == 0); }
  // Exit code, or minus the signal.
  int Wait() {
    int status = 0;
    REQUIRE(waitpid(pid_, &status, 0) == pid_);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
  int output_ = -1;
  std::string said_;
};

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
