#include "base/check.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <functional>
#include <string>

#include "absl/strings/match.h"

namespace rm::base {
namespace {

// How a child process ended, and what it had printed to standard error.
struct Death {
  int signal = 0;  // 0: it left by itself
  std::string last_words;
};

// Runs `body` in a child process.
Death RunInChild(const std::function<void()>& body) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // the test runner's handler would report it
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    body();
    _exit(0);
  }
  close(ends[1]);
  Death death;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = read(ends[0], buffer, sizeof(buffer))) > 0) {
    death.last_words.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  death.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return death;
}

TEST_CASE("A check that holds does nothing and does not build its message") {
  int built = 0;
  const auto message = [&built] { return ++built; };
  RM_CHECK(1 + 1 == 2);
  RM_CHECK(1 + 1 == 2, "built ", message());
  CHECK(built == 0);
}

TEST_CASE("A failed check says where, what and why, and aborts") {
  const int line = __LINE__ + 3;  // of the RM_CHECK below
  const Death death = RunInChild([] {
    const int n = 3;
    RM_CHECK(n < 2, "n = ", n, " of ", 2);
  });
  CHECK(death.signal == SIGABRT);
  const std::string expected =
      absl::StrCat("check_test.cc:", line, ": check failed: n < 2: n = 3 of 2\n");
  INFO(death.last_words);
  CHECK(absl::StrContains(death.last_words, expected));
}

TEST_CASE("A failed check without a message ends after its condition") {
  const Death death = RunInChild([] { RM_CHECK(false); });
  CHECK(death.signal == SIGABRT);
  CHECK(absl::StrContains(death.last_words, "check failed: false\n"));
}

TEST_CASE("A failed check prints the stack") {
  const Death death = RunInChild([] { CheckFailed("file.cc", 7, "x", "y"); });
  CHECK(death.signal == SIGABRT);
  CHECK(absl::StartsWith(death.last_words, "file.cc:7: check failed: x: y\n  @ 0x"));
}

TEST_CASE("A check is one statement, so an else after it belongs to the if before it") {
  bool else_taken = false;
  if (false)
    RM_CHECK(false, "not reached");
  else
    else_taken = true;
  CHECK(else_taken);
}

}  // namespace
}  // namespace rm::base
