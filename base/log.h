// Log lines on standard error, as text or as JSON lines.
//
// Text:  2026-11-22T10:00:00.123Z I [rank 1] message
// JSON:  {"ts":"…","level":"info","component":"…","job":"…","rank":1,"host":"…","step":7,"msg":"…"}
//
// A message may hold line breaks: as text its later lines are indented, as JSON they are escaped,
// so nothing that is logged can pass for a line of its own. Thread-safe: a line is written whole,
// never torn by another thread's. A line that cannot be written (standard error is closed) is lost
// in silence: logging never fails the work that is logged.
#ifndef RM_BASE_LOG_H_
#define RM_BASE_LOG_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rm::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

// What every line of this process carries. Empty strings and negative numbers are left out.
struct LogContext {
  LogFormat format = LogFormat::kText;
  LogLevel least = LogLevel::kInfo;  // lines below it are dropped
  std::string component;             // "coordinator", "worker", "rank 1"
  std::string job;
  std::string host;
  int rank = -1;
};

// Sets the context of this process; call once, first thing in main.
void SetLogContext(const LogContext& context);
// The step that following lines of all threads carry, as JSON (-1: none).
void SetLogStep(int64_t step);

// Writes one line, unless the level is below the context's `least`.
void LogLine(LogLevel level, absl::string_view message);

// The line that LogLine would write at `time`, with its '\n'. Pure.
[[nodiscard]] std::string FormatLogLine(const LogContext& context, absl::Time time, LogLevel level,
                                        int64_t step, absl::string_view message);

// LogInfo("bound to port ", port): the parts are joined by absl::StrCat.
template <typename... Parts>
void LogInfo(const Parts&... parts) {
  LogLine(LogLevel::kInfo, absl::StrCat(parts...));
}
template <typename... Parts>
void LogWarning(const Parts&... parts) {
  LogLine(LogLevel::kWarning, absl::StrCat(parts...));
}
template <typename... Parts>
void LogError(const Parts&... parts) {
  LogLine(LogLevel::kError, absl::StrCat(parts...));
}

}  // namespace rm::base

#endif  // RM_BASE_LOG_H_
