#include "runtime/coordinator/log_feed.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/memory_file_system.h"
#include "base/utf8.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

struct Logs {
  base::MemoryFileSystem files;
  LogStore store{"/logs", files};
  std::map<int32_t, int64_t> offsets;

  void Write(int32_t rank, const std::string& text) {
    REQUIRE(store.Append("job", rank, "w1", offsets[rank], text).ok());
    offsets[rank] += static_cast<int64_t>(text.size());
  }
};

// Polls until there is nothing at present; each message as "rank: line|line".
struct Reader {
  LogFeed feed;
  FeedNext last = FeedNext::kLater;
  absl::Status status = absl::UnknownError("not ended");

  Reader(const LogStore& store, LogFeedOptions options)
      : feed(store, [&] {
          options.job_id = "job";
          return options;
        }()) {}

  std::vector<std::string> Read() {
    std::vector<std::string> messages;
    pb::LogLines lines;
    while (true) {
      last = feed.Poll(absl::ZeroDuration(), &lines, &status);
      if (last != FeedNext::kMessage) return messages;
      messages.push_back(absl::StrCat(lines.rank(), ": ", absl::StrJoin(lines.lines(), "|")));
    }
  }
};

using Messages = std::vector<std::string>;

LogFeedOptions Follow() {
  LogFeedOptions options;
  options.follow = true;
  return options;
}

TEST_CASE("without following, the lines that are there are sent, rank by rank, and that is all") {
  Logs logs;
  logs.Write(1, "d\n");
  logs.Write(0, "a\nb\n\nc\n");
  Reader reader(logs.store, {});
  CHECK(reader.Read() == Messages{"0: a|b||c", "1: d"});
  CHECK(reader.last == FeedNext::kEnd);
  CHECK(reader.status.ok());
}

TEST_CASE("a job without logs is an empty stream") {
  Logs logs;
  Reader reader(logs.store, {});
  CHECK(reader.Read().empty());
  CHECK(reader.last == FeedNext::kEnd);
}

TEST_CASE("an unfinished last line is sent when nothing follows") {
  Logs logs;
  logs.Write(0, "a\nhalf");
  Reader reader(logs.store, {});
  CHECK(absl::StrJoin(reader.Read(), "+") == "0: a+0: half");
}

TEST_CASE("a follower gets whole lines as they come, of ranks that come later too") {
  Logs logs;
  logs.Write(0, "a\nha");
  Reader reader(logs.store, Follow());
  CHECK(reader.Read() == Messages{"0: a"});
  CHECK(reader.last == FeedNext::kLater);
  CHECK(reader.Read().empty());
  logs.Write(0, "lf\n");
  logs.Write(3, "new\n");
  CHECK(reader.Read() == Messages{"3: new", "0: half"});
}

TEST_CASE("a follower ends when the job has ended and all is sent") {
  Logs logs;
  logs.Write(0, "a\n");
  Reader reader(logs.store, Follow());
  CHECK(reader.Read() == Messages{"0: a"});
  logs.Write(0, "b\nlast words");
  logs.store.MarkEnded("job");
  CHECK(reader.Read() == Messages{"0: b", "0: last words"});
  CHECK(reader.last == FeedNext::kEnd);
  CHECK(reader.status.ok());
}

TEST_CASE("following a job that had ended before ends too") {
  Logs logs;
  logs.Write(0, "a\n");
  LogFeedOptions options = Follow();
  options.job_ended = true;
  Reader reader(logs.store, options);
  CHECK(reader.Read() == Messages{"0: a"});
  CHECK(reader.last == FeedNext::kEnd);
}

TEST_CASE("one rank can be asked for") {
  Logs logs;
  for (int32_t rank = 0; rank < 3; ++rank) logs.Write(rank, absl::StrCat("of ", rank, "\n"));
  LogFeedOptions options;
  options.rank = 1;
  Reader reader(logs.store, options);
  CHECK(reader.Read() == Messages{"1: of 1"});
}

TEST_CASE("a stream that broke goes on where it was, without repeating or losing a line") {
  Logs logs;
  logs.Write(0, "a\nb\nhalf of");
  logs.Write(1, "x\n");
  std::map<int32_t, int64_t> read;  // what a client keeps
  const auto read_all = [&](LogFeedOptions options) {
    LogFeedOptions of_job = options;
    of_job.job_id = "job";
    of_job.resume = read;
    LogFeed feed(logs.store, of_job);
    Messages messages;
    pb::LogLines lines;
    absl::Status status;
    while (feed.Poll(absl::ZeroDuration(), &lines, &status) == FeedNext::kMessage) {
      messages.push_back(absl::StrCat(lines.rank(), ": ", absl::StrJoin(lines.lines(), "|")));
      read[lines.rank()] = lines.next_offset();
    }
    return messages;
  };
  LogFeedOptions tail = Follow();
  tail.tail = 2;  // half a line is a line to a tail
  CHECK(read_all(tail) == Messages{"0: b", "1: x"});
  CHECK(read_all(tail).empty());
  logs.Write(0, " it\nc\n");
  logs.Write(2, "new\nrank\nof three\n");
  tail.since = absl::Now() + absl::Hours(1);  // does not apply to what was read before
  CHECK(read_all(tail) == Messages{"0: half of it|c"});
  tail.since = absl::InfinitePast();
  CHECK(read_all(tail) == Messages{"2: rank|of three"});
  read = {{0, -5}, {1, 1'000'000}, {2, 0}};  // nonsense reads nothing that is not there
  CHECK(read_all(Follow()) == Messages{"0: a|b|half of it|c", "2: new|rank|of three"});
}

TEST_CASE("a tail is the last lines of each rank") {
  struct Case {
    const char* text;
    int32_t tail;
    const char* lines;
  };
  const Case cases[] = {
      {"a\nb\nc\n", 2, "b|c"}, {"a\nb\nc\n", 3, "a|b|c"}, {"a\nb\nc\n", 9, "a|b|c"},
      {"a\nb\nc\n", 1, "c"},   {"\n\n\n", 2, "|"},        {"a\n", 1, "a"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text, c.tail);
    Logs logs;
    logs.Write(0, c.text);
    logs.Write(1, c.text);
    LogFeedOptions options;
    options.tail = c.tail;
    Reader reader(logs.store, options);
    CHECK(reader.Read() == Messages{absl::StrCat("0: ", c.lines), absl::StrCat("1: ", c.lines)});
  }
}

TEST_CASE("a tail counts an unfinished line as a line") {
  Logs logs;
  logs.Write(0, "a\nb\nhalf");
  CHECK(TailOffset(logs.store, "job", 0, 1).value() == 4);
  CHECK(TailOffset(logs.store, "job", 0, 2).value() == 2);
}

TEST_CASE("a tail is found in a log of many reads") {
  Logs logs;
  std::string text;
  for (int i = 0; i < 40'000; ++i) absl::StrAppend(&text, "line ", i, "\n");
  logs.Write(0, text);
  LogFeedOptions options;
  options.tail = 12'000;
  Reader reader(logs.store, options);
  int lines = 0;
  std::string first;
  for (const std::string& message : reader.Read()) {
    if (first.empty()) first = message.substr(0, message.find('|'));
    lines += 1 + static_cast<int>(std::count(message.begin(), message.end(), '|'));
  }
  CHECK(lines == 12'000);
  CHECK(first == "0: line 28000");
}

TEST_CASE("old lines are left out, and lines without a time belong to the one before") {
  Logs logs;
  logs.Write(0,
             "no time at all\n"
             "2026-11-22T10:00:00.000Z I old\n"
             "  more of it\n"
             "2026-11-22T10:05:00.000Z I new\n"
             "  more of it\n"
             "2026-11-22T10:01:00.000Z I out of order, but after a new one\n");
  LogFeedOptions options;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, "2026-11-22T10:04:00Z", &options.since, nullptr));
  Reader reader(logs.store, options);
  CHECK(reader.Read() == Messages{"0: 2026-11-22T10:05:00.000Z I new|  more of it|"
                                  "2026-11-22T10:01:00.000Z I out of order, but after a new one"});
}

TEST_CASE("the time of a line is read in both formats") {
  absl::Time time;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, "2026-11-22T10:00:00.123Z", &time, nullptr));
  CHECK(TimeOfLogLine("2026-11-22T10:00:00.123Z I x") == time);
  CHECK(TimeOfLogLine("{\"ts\":\"2026-11-22T10:00:00.123Z\",\"level\":\"info\"}") == time);
  for (const char* line :
       {"", "hello", "2026", "2026-11-22", "infinite-future is no time", "{\"ts\":\""}) {
    CAPTURE(line);
    CHECK(TimeOfLogLine(line) == absl::InfinitePast());
  }
}

TEST_CASE("a line without an end in sight is cut, so that messages stay bounded") {
  Logs logs;
  logs.Write(0, std::string((5 << 20) / 2, 'x') + "\nshort\n");
  Reader reader(logs.store, Follow());
  std::string text;
  for (const std::string& message : reader.Read()) {
    CHECK(message.size() < (2 << 20));
    absl::StrAppend(&text, text.empty() ? "" : "|", message.substr(3));
  }
  std::vector<size_t> lengths;
  for (size_t from = 0; from <= text.size();) {
    const size_t end = std::min(text.find('|', from), text.size());
    lengths.push_back(end - from);
    from = end + 1;
  }
  CHECK(lengths == std::vector<size_t>{1 << 20, 1 << 20, 1 << 19, 5});
}

TEST_CASE("bytes that are no UTF-8 are shown as '?', also where a line is cut within a character") {
  Logs logs;
  logs.Write(0, "\xff\xfe\x80 abc \xc3\xa9\n");
  // Longer than what a message takes of a line, with a character across the cut.
  logs.Write(0, std::string((1 << 20) - 1, 'x') + "\xc3\xa9" + "y\n");
  Reader reader(logs.store, {});
  const Messages messages = reader.Read();
  REQUIRE(messages.size() >= 2);
  CHECK(messages[0] == "0: ??? abc \xc3\xa9");
  for (const std::string& message : messages) {
    CHECK(base::ValidUtf8(message) == message);
  }
  CHECK(reader.status.ok());
}

}  // namespace
}  // namespace rm::coordinator
