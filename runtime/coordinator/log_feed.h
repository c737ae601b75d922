// The lines of a job's logs as a stream: all or the last few of each rank, then, when asked to
// follow, what is added until the job ends.
//
// A message holds lines of one rank. A line that is still being written is held back until its end
// comes, or nothing more can. Belongs to the thread of the LogStore.
#ifndef RM_RUNTIME_COORDINATOR_LOG_FEED_H_
#define RM_RUNTIME_COORDINATOR_LOG_FEED_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "runtime/coordinator/feed.h"
#include "runtime/coordinator/log_store.h"

namespace rm::coordinator {

// Which lines a client wants; a LogsRequest whose job has been found.
struct LogFeedOptions {
  std::string job_id;
  bool follow = false;
  bool job_ended = false;       // as the scheduler knew when the call came
  std::optional<int32_t> rank;  // only this one
  int32_t tail = 0;             // begin with the last so many lines of each rank; 0: with the first
  absl::Time since = absl::InfinitePast();  // leave out lines that were written before
  // rank → byte to go on at, of a stream that broke; tail and since do not apply to these ranks.
  std::map<int32_t, int64_t> resume;
};

class LogFeed final : public Feed<::ringmaster::v1::LogLines> {
 public:
  // Borrows `store`.
  LogFeed(const LogStore& store, const LogFeedOptions& options);

  FeedNext Poll(absl::Duration now, ::ringmaster::v1::LogLines* lines,
                absl::Status* status) override;

 private:
  // How far one rank's log has been read.
  struct Cursor {
    int64_t offset = 0;   // of the next byte to read
    std::string rest;     // of a line that has no end yet
    bool recent = false;  // a line at or after `since` was seen
  };
  // Adds a cursor for each rank that has a log and none yet: at the beginning, or where it resumes.
  void FindRanks();
  // Reads on in one log. True when there are lines to send.
  [[nodiscard]] absl::StatusOr<bool> ReadLines(int32_t rank, Cursor& cursor, bool is_last,
                                               ::ringmaster::v1::LogLines* lines);
  // Moves the lines that have come to their end from the cursor into the message; when nothing
  // follows, the last one as it is.
  void TakeLines(Cursor& cursor, bool nothing_follows, ::ringmaster::v1::LogLines* lines) const;
  // Whether the line is at or after `since`.
  [[nodiscard]] bool IsRecent(Cursor& cursor, absl::string_view line) const;

  const LogStore& store_;
  const LogFeedOptions options_;
  std::map<int32_t, Cursor> cursors_;
  int32_t next_rank_ = 0;  // whose turn it is
};

// The time that a log line begins with ("2026-11-22T10:00:00.123Z …", or {"ts":"…" in JSON);
// InfinitePast: none.
[[nodiscard]] absl::Time TimeOfLogLine(absl::string_view line);

// Where the last `lines` lines of a rank's log begin.
[[nodiscard]] absl::StatusOr<int64_t> TailOffset(const LogStore& store, const std::string& job_id,
                                                 int32_t rank, int32_t lines);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_LOG_FEED_H_
