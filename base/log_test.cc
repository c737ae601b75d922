#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/json.h"
#include "base/temporary_folder.h"

namespace rm::base {
namespace {

const absl::Time kTime = absl::FromUnixMillis(1'795'341'600'123);  // 2026-11-22T10:00:00.123Z

LogContext Context(LogFormat format) {
  LogContext context;
  context.format = format;
  return context;
}

// What `body` writes to standard error.
std::string StandardErrorOf(const std::function<void()>& body) {
  const TemporaryFolder scratch;
  const int file = open(scratch.File("log").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int before = dup(STDERR_FILENO);
  REQUIRE(file >= 0);
  REQUIRE(dup2(file, STDERR_FILENO) >= 0);
  body();
  REQUIRE(dup2(before, STDERR_FILENO) >= 0);
  std::string text(static_cast<size_t>(lseek(file, 0, SEEK_END)), '\0');
  REQUIRE(pread(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  close(before);
  close(file);
  return text;
}

TEST_CASE("A text line has time, level and component") {
  struct Case {
    LogLevel level;
    std::string component, line;
  };
  const Case cases[] = {
      {LogLevel::kDebug, "", "2026-11-22T10:00:00.123Z D hello\n"},
      {LogLevel::kInfo, "rank 1", "2026-11-22T10:00:00.123Z I [rank 1] hello\n"},
      {LogLevel::kWarning, "worker", "2026-11-22T10:00:00.123Z W [worker] hello\n"},
      {LogLevel::kError, "coordinator", "2026-11-22T10:00:00.123Z E [coordinator] hello\n"},
  };
  for (const Case& c : cases) {
    LogContext context = Context(LogFormat::kText);
    context.component = c.component;
    CHECK(FormatLogLine(context, kTime, c.level, -1, "hello") == c.line);
  }
}

TEST_CASE("Times are in UTC with three digits of a second, always") {
  const std::string line =
      FormatLogLine(LogContext(), absl::FromUnixSeconds(1'795'341'600), LogLevel::kInfo, -1, "x");
  CHECK(line == "2026-11-22T10:00:00.000Z I x\n");
}

TEST_CASE("A message of several lines cannot pass for several lines of the log") {
  const std::string forged = "one\n2026-11-22T10:00:00.000Z E [coordinator] forged";
  CHECK(FormatLogLine(Context(LogFormat::kText), kTime, LogLevel::kInfo, -1, forged) ==
        "2026-11-22T10:00:00.123Z I one\n    2026-11-22T10:00:00.000Z E [coordinator] forged\n");
  const std::string json =
      FormatLogLine(Context(LogFormat::kJson), kTime, LogLevel::kInfo, -1, forged);
  CHECK(json.find('\n') == json.size() - 1);
}

TEST_CASE("A JSON line has the fields that are known, in their order") {
  LogContext context = Context(LogFormat::kJson);
  CHECK(FormatLogLine(context, kTime, LogLevel::kWarning, -1, "hello \"you\"") ==
        R"({"ts":"2026-11-22T10:00:00.123Z","level":"warning","msg":"hello \"you\""})"
        "\n");
  context.component = "rank 1";
  context.job = "mnist-1";
  context.host = "node7";
  context.rank = 0;
  CHECK(FormatLogLine(context, kTime, LogLevel::kInfo, 7, "x") ==
        R"({"ts":"2026-11-22T10:00:00.123Z","level":"info","component":"rank 1","job":"mnist-1",)"
        R"("rank":0,"host":"node7","step":7,"msg":"x"})"
        "\n");
}

TEST_CASE("A JSON line is JSON whatever the message holds") {
  std::string message;
  for (int byte = 0; byte < 256; ++byte) message.push_back(static_cast<char>(byte));
  const std::string line =
      FormatLogLine(Context(LogFormat::kJson), kTime, LogLevel::kError, 0, message);
  const absl::StatusOr<Json> json = Json::Parse(line);
  INFO(json.status());
  REQUIRE(json.ok());
  CHECK(json->Find("level")->string_or("") == "error");
}

TEST_CASE("Lines go to standard error, with the context and the step that are set") {
  const std::string text = StandardErrorOf([] {
    LogContext context = Context(LogFormat::kJson);
    context.rank = 3;
    SetLogContext(context);
    LogInfo("bound to port ", 4711);
    SetLogStep(12);
    LogWarning("slow");
    SetLogStep(-1);
    LogError("lost ", "peer");
    SetLogContext(LogContext());
  });
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  REQUIRE(lines.size() == 3);
  const char* const levels[] = {"info", "warning", "error"};
  const char* const messages[] = {"bound to port 4711", "slow", "lost peer"};
  for (size_t i = 0; i < 3; ++i) {
    const absl::StatusOr<Json> line = Json::Parse(lines[i]);
    REQUIRE(line.ok());
    CHECK(line->Find("level")->string_or("") == levels[i]);
    CHECK(line->Find("msg")->string_or("") == messages[i]);
    CHECK(line->Find("rank")->int_or(-1) == 3);
    CHECK((line->Find("step") != nullptr) == (i == 1));
  }
}

TEST_CASE("A line carries the time at which it was written") {
  const absl::Time before = absl::Now() - absl::Milliseconds(1);
  const std::string text = StandardErrorOf([] { LogInfo("x"); });
  absl::Time time;
  std::string error;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, text.substr(0, 24), &time, &error));
  CHECK(time >= before);
  CHECK(time <= absl::Now());
}

TEST_CASE("Lines below the least level are dropped") {
  const std::string text = StandardErrorOf([] {
    LogContext context;
    LogLine(LogLevel::kDebug, "dropped: info is the default");
    context.least = LogLevel::kError;
    SetLogContext(context);
    LogInfo("dropped");
    LogWarning("dropped");
    LogError("kept");
    context.least = LogLevel::kDebug;
    SetLogContext(context);
    LogLine(LogLevel::kDebug, "kept too");
    SetLogContext(LogContext());
  });
  CHECK(text.find("dropped") == std::string::npos);
  CHECK(text.find("E kept\n") != std::string::npos);
  CHECK(text.find("D kept too\n") != std::string::npos);
}

TEST_CASE("Threads never tear each other's lines") {
  constexpr int kThreads = 4, kLines = 300;
  const std::string text = StandardErrorOf([] {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([i] {
        for (int k = 0; k < kLines; ++k) LogInfo(std::string(200, static_cast<char>('a' + i)));
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  CHECK(lines.size() == kThreads * kLines);
  for (const std::string& line : lines) {
    const std::string message = line.substr(line.rfind(' ') + 1);
    if (message != std::string(200, message[0])) FAIL(line);
  }
}

}  // namespace
}  // namespace rm::base
