#include "tests/integration/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <utility>

#include "absl/time/clock.h"
#include "tests/integration/process_table.h"

namespace rm::integration {
namespace {

constexpr absl::Duration kPollInterval = absl::Milliseconds(10);

// Between fork and exec: only what is safe there.
[[noreturn]] void Become(char* const* words, int output) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execvp(words[0], words);
  ::_exit(127);
}

}  // namespace

Child::Child(const std::vector<std::string>& words, std::string output_path)
    : output_path_(std::move(output_path)) {
  std::vector<std::string> copies = words;
  std::vector<char*> pointers;
  for (std::string& word : copies) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const int output = ::open(output_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  REQUIRE(output >= 0);
  pid_ = ::fork();
  if (pid_ == 0) Become(pointers.data(), output);
  ::close(output);
  REQUIRE(pid_ > 0);
}

Child::~Child() { Kill(); }

std::string Child::output() const { return ReadAll(output_path_); }

void Child::Signal(int signal) const {
  if (!ended_.has_value()) ::kill(pid_, signal);
}

std::optional<int> Child::WaitFor(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!ended_.has_value()) {
    int state = 0;
    if (::waitpid(pid_, &state, WNOHANG) == pid_) {
      ended_ = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    } else if (absl::Now() >= deadline) {
      return std::nullopt;
    } else {
      absl::SleepFor(kPollInterval);
    }
  }
  return ended_;
}

void Child::Kill() {
  if (ended_.has_value()) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // should it not lead its group yet
  static_cast<void>(WaitFor(absl::InfiniteDuration()));
}

bool Child::WaitForOutput(const std::string& text, absl::Duration timeout) const {
  const absl::Time deadline = absl::Now() + timeout;
  while (output().find(text) == std::string::npos) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(kPollInterval);
  }
  return true;
}

}  // namespace rm::integration
