// What a dying process can still do is little: no locks are taken here and no log is used, since
// the failure may have come from inside either.
#include "base/check.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/debugging/stacktrace.h"
#include "absl/debugging/symbolize.h"
#include "absl/strings/str_format.h"

namespace rm::base {
namespace {

// Frames printed: the caller's chain is what matters, and a runaway recursion must not flood the
// log.
constexpr int kFramesMax = 32;

// "  @ 0x55d0… rm::scheduler::Step()" a frame; addresses alone where the binary has no symbols.
std::string StackText() {
  void* frames[kFramesMax];
  const int depth = absl::GetStackTrace(frames, kFramesMax, /*skip_count=*/2);
  std::string text;
  for (int i = 0; i < depth; ++i) {
    char name[512];
    const bool known = absl::Symbolize(frames[i], name, sizeof(name));
    absl::StrAppendFormat(&text, "  @ %p %s\n", frames[i], known ? name : "(unknown)");
  }
  return text;
}

}  // namespace

void CheckFailed(const char* file, int line, const char* condition, const std::string& message) {
  std::string text = absl::StrCat(file, ":", line, ": check failed: ", condition);
  if (!message.empty()) absl::StrAppend(&text, ": ", message);
  absl::StrAppend(&text, "\n", StackText());
  // One write, so that the report of a dying thread is not torn by its siblings' last words.
  // Nothing can be done about a failed one.
  const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
  static_cast<void>(written);
  std::abort();
}

}  // namespace rm::base
