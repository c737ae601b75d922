// A program that a test starts, watches and ends.
#ifndef RM_TESTS_INTEGRATION_CHILD_H_
#define RM_TESTS_INTEGRATION_CHILD_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace rm::integration {

// Runs in a session of its own (a Ctrl-C of ours is not its), with no input; it cannot outlive the test, also when the
// test is killed. What it starts can: a test of daemons looks for what is left by their environment.
// Thread-compatible; to be made by the thread that lives as long as the test (the kernel ends the child with that thread).
class Child {
 public:
  // Starts `words[0]`, looked up in PATH. Both outputs are appended to `output_path`. Fails the test when nothing can be
  // started at all; a program that is not there ends with 127.
  Child(const std::vector<std::string>& words, std::string output_path);
  // SIGKILL for what still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] int pid() const { return pid_; }
  // What it has printed so far.
  [[nodiscard]] std::string output() const;

  void Signal(int signal) const;
  // How it ended: its exit code, or 128 + the signal. Nothing when it still runs after `timeout`.
  [[nodiscard]] std::optional<int> WaitFor(absl::Duration timeout);
  // SIGKILL, and gone when this returns. What it started goes too, but for what has left its group, as ranks do.
  void Kill();
  // Waits until `text` has been printed. False when it has not been within `timeout`.
  [[nodiscard]] bool WaitForOutput(const std::string& text, absl::Duration timeout) const;

 private:
  const std::string output_path_;
  pid_t pid_ = -1;
  std::optional<int> ended_;
};

}  // namespace rm::integration

#endif  // RM_TESTS_INTEGRATION_CHILD_H_
