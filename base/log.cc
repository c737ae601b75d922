// Formatting is pure (FormatLogLine) and all the rest is one write under one lock: a log has to
// work while everything else is failing.
#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "base/json.h"
#include "base/mutex.h"

namespace rm::base {
namespace {

Mutex mutex;  // one for the process: it needs no constructor and no destructor to run
std::atomic<int64_t> log_step{-1};

// Never destroyed: threads may log while the process ends. Guarded by `mutex`.
LogContext& Context() {
  static LogContext& context = *new LogContext();
  return context;
}

// For JSON.
absl::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "unknown";
}

// For text: one letter, so that messages line up.
char LevelLetter(LogLevel level) {
  constexpr absl::string_view kLetters = "DIWE";
  return kLetters[static_cast<size_t>(level)];
}

// "time L [component] message\n". Job, rank, host and step are for machines; the component names
// the rank for people.
std::string FormatText(const LogContext& context, absl::string_view time, LogLevel level,
                       absl::string_view message) {
  std::string line = absl::StrCat(time, " ", std::string(1, LevelLetter(level)), " ");
  if (!context.component.empty()) absl::StrAppend(&line, "[", context.component, "] ");
  // A message of several lines stays one record: what follows is indented, so no part of it looks
  // like a line of its own.
  absl::StrAppend(&line, absl::StrReplaceAll(message, {{"\n", "\n    "}}), "\n");
  return line;
}

// Fields are added, never renamed: other people's log shippers read them.
std::string FormatJson(const LogContext& context, absl::string_view time, LogLevel level,
                       int64_t step, absl::string_view message) {
  Json line;
  line.Set("ts", time).Set("level", LevelName(level));
  if (!context.component.empty()) line.Set("component", context.component);
  if (!context.job.empty()) line.Set("job", context.job);
  if (context.rank >= 0) line.Set("rank", context.rank);
  if (!context.host.empty()) line.Set("host", context.host);
  if (step >= 0) line.Set("step", step);
  line.Set("msg", message);
  return line.Dump() + "\n";
}

// All of `line` to standard error. When that is closed or full there is nobody left to tell.
void WriteLine(absl::string_view line) {
  while (!line.empty()) {
    const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

void SetLogContext(const LogContext& context) {
  MutexLock lock(mutex);
  Context() = context;
}

void SetLogStep(int64_t step) { log_step.store(step, std::memory_order_relaxed); }

std::string FormatLogLine(const LogContext& context, absl::Time time, LogLevel level, int64_t step,
                          absl::string_view message) {
  const std::string when = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
  return context.format == LogFormat::kJson ? FormatJson(context, when, level, step, message)
                                            : FormatText(context, when, level, message);
}

// The lock is held over the write, since write(2) may take a line in parts.
void LogLine(LogLevel level, absl::string_view message) {
  MutexLock lock(mutex);
  if (level < Context().least) return;
  WriteLine(FormatLogLine(Context(), absl::Now(), level, log_step.load(std::memory_order_relaxed),
                          message));
}

}  // namespace rm::base
