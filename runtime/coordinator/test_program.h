// ringmaster-coordinator as a child process: for tests.
//
// The child is a fork of the test without exec, so a test that has used gRPC itself must not start
// one afterwards.
#ifndef RM_RUNTIME_COORDINATOR_TEST_PROGRAM_H_
#define RM_RUNTIME_COORDINATOR_TEST_PROGRAM_H_

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "runtime/coordinator/main.h"

namespace rm::coordinator {

// The program in a child process; what it writes to both outputs is read here.
class Program {
 public:
  // `prepare` runs in the child, before the program.
  explicit Program(std::vector<std::string> words,
                   const std::function<void()>& prepare = [] {}) {
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
      prepare();
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

  [[nodiscard]] pid_t pid() const { return pid_; }
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

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_TEST_PROGRAM_H_
