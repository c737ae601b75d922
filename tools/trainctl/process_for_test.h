// A trainctl in a process of its own, with what it prints in files.
#ifndef RM_TOOLS_TRAINCTL_PROCESS_FOR_TEST_H_
#define RM_TOOLS_TRAINCTL_PROCESS_FOR_TEST_H_

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/file_system.h"
#include "base/temporary_folder.h"

namespace rm::trainctl {

// Polls until `holds`, for at most a minute; false when it never does.
inline bool Await(const std::function<bool()>& holds) {
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  while (!holds()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

// Killed at the end of its life if it still runs.
class Process {
 public:
  // `trainctl words…`; `output` takes its standard output instead of a file.
  explicit Process(std::vector<std::string> words, int output = -1) {
    words.insert(words.begin(), "trainctl");
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    if (output >= 0) {
      ::posix_spawn_file_actions_adddup2(&files, output, 1);
    } else {
      ::posix_spawn_file_actions_addopen(&files, 1, folder_.File("out").c_str(), flags, 0600);
    }
    ::posix_spawn_file_actions_addopen(&files, 2, folder_.File("err").c_str(), flags, 0600);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string program = std::filesystem::absolute("tools/trainctl/trainctl_for_test");
    const int error =
        ::posix_spawn(&pid_, program.c_str(), &files, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    RM_CHECK(error == 0, "cannot start ", program);
  }
  ~Process() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int signal) const { ::kill(pid_, signal); }

  // Its exit code, or 128 + the signal that ended it. -1: it did not end within a minute.
  int Wait() {
    int state = 0;
    if (!Await([&] { return ::waitpid(pid_, &state, WNOHANG) == pid_; })) return -1;
    pid_ = 0;
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  }

  [[nodiscard]] std::string out() const { return Read("out"); }
  [[nodiscard]] std::string err() const { return Read("err"); }

 private:
  [[nodiscard]] std::string Read(const std::string& name) const {
    const auto text = base::PosixFileSystem().ReadFile(folder_.File(name));
    return text.ok() ? *text : "";
  }

  const base::TemporaryFolder folder_;
  pid_t pid_ = 0;
};

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_PROCESS_FOR_TEST_H_
