// One cursor a rank. A poll sends lines of one rank, then turns to the next that has some, so a
// rank that logs much does not starve the others.
#include "runtime/coordinator/log_feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/strip.h"
#include "base/status.h"
#include "base/utf8.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

constexpr int64_t kReadBytes = 64 << 10;
constexpr size_t kLineBytesMax = 1 << 20;  // a longer line is cut: a message stays bounded

}  // namespace

absl::Time TimeOfLogLine(absl::string_view line) {
  // Both formats of base/log.h begin with the time; whatever a rank prints itself does not.
  absl::ConsumePrefix(&line, "{\"ts\":\"");
  const absl::string_view text = line.substr(0, line.find_first_of(" \""));
  absl::Time time;
  std::string error;
  // Shorter texts are no full time, and ParseTime would take words such as "infinite-past".
  if (text.size() < 20 || !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return absl::InfinitePast();
  }
  return time;
}

absl::StatusOr<int64_t> TailOffset(const LogStore& store, const std::string& job_id, int32_t rank,
                                   int32_t lines) {
  // Backwards, block by block: a tail of ten lines reads one block of a log of any size.
  int64_t begin = store.Size(job_id, rank);
  bool is_end = true;  // the newline at the very end begins no line
  int32_t found = 0;
  while (begin > 0) {
    const int64_t bytes = std::min(begin, kReadBytes);
    RM_ASSIGN_OR_RETURN(const std::string text, store.Read(job_id, rank, begin - bytes, bytes));
    for (int64_t i = bytes - 1; i >= 0; --i) {
      const bool is_newline = text[static_cast<size_t>(i)] == '\n';
      if (is_newline && !is_end && ++found == lines) return begin - bytes + i + 1;
      is_end = false;
    }
    begin -= bytes;
  }
  return 0;
}

LogFeed::LogFeed(const LogStore& store, const LogFeedOptions& options)
    : store_(store), options_(options) {
  FindRanks();
  if (options_.tail <= 0) return;
  for (auto& [rank, cursor] : cursors_) {
    if (options_.resume.count(rank) > 0) continue;
    const auto offset = TailOffset(store_, options_.job_id, rank, options_.tail);
    if (offset.ok()) cursor.offset = *offset;
  }
}

void LogFeed::FindRanks() {
  for (const int32_t rank : store_.Ranks(options_.job_id)) {
    if (options_.rank.has_value() && *options_.rank != rank) continue;
    const auto [cursor, is_new] = cursors_.try_emplace(rank);
    const auto resumed = options_.resume.find(rank);
    if (!is_new || resumed == options_.resume.end()) continue;
    // Whatever a client says, only bytes that are there are read.
    cursor->second.offset = std::clamp<int64_t>(resumed->second, 0,
                                                store_.Size(options_.job_id, rank));
    cursor->second.recent = true;
  }
}

FeedNext LogFeed::Poll(absl::Duration, pb::LogLines* lines, absl::Status* status) {
  // Asked before the reading: what is there now is then all there will be.
  const bool is_last = !options_.follow || options_.job_ended || store_.IsEnded(options_.job_id);
  FindRanks();  // ranks that have begun to log since the last poll
  auto turn = cursors_.lower_bound(next_rank_);
  for (size_t asked = 0; asked < cursors_.size(); ++asked, ++turn) {
    if (turn == cursors_.end()) turn = cursors_.begin();
    auto& [rank, cursor] = *turn;
    const absl::StatusOr<bool> found = ReadLines(rank, cursor, is_last, lines);
    if (!found.ok()) {
      *status = found.status();
      return FeedNext::kEnd;
    }
    if (*found) {
      // A rank is read to its end before the next one when nothing more comes: its lines stay
      // together.
      next_rank_ = is_last ? rank : rank + 1;
      return FeedNext::kMessage;
    }
  }
  if (!is_last) return FeedNext::kLater;
  *status = absl::OkStatus();
  return FeedNext::kEnd;
}

absl::StatusOr<bool> LogFeed::ReadLines(int32_t rank, Cursor& cursor, bool is_last,
                                        pb::LogLines* lines) {
  lines->Clear();
  lines->set_rank(rank);
  while (lines->lines().empty()) {
    RM_ASSIGN_OR_RETURN(const std::string text,
                        store_.Read(options_.job_id, rank, cursor.offset, kReadBytes));
    // Until there is a line, or nothing more to read: with `since` whole blocks may be left out.
    cursor.offset += static_cast<int64_t>(text.size());
    cursor.rest += text;
    TakeLines(cursor, is_last && text.empty(), lines);
    if (text.empty()) break;
  }
  lines->set_next_offset(cursor.offset - static_cast<int64_t>(cursor.rest.size()));
  return !lines->lines().empty();
}

void LogFeed::TakeLines(Cursor& cursor, bool nothing_follows, pb::LogLines* lines) const {
  absl::string_view left = cursor.rest;
  while (!left.empty()) {
    // npos is greater than any limit: no newline, and one too far away, are the same case.
    const size_t newline = left.find('\n');
    const bool is_whole = newline <= kLineBytesMax;
    if (!is_whole && left.size() < kLineBytesMax && !nothing_follows) break;
    const size_t size = is_whole ? newline : std::min(left.size(), kLineBytesMax);
    const absl::string_view line = left.substr(0, size);
    // Ranks print what they like, and a line may be cut within a character; a protobuf string that
    // is not UTF-8 would end the whole stream.
    if (IsRecent(cursor, line)) lines->add_lines(base::ValidUtf8(line));
    left.remove_prefix(is_whole ? size + 1 : size);
  }
  cursor.rest = std::string(left);
}

bool LogFeed::IsRecent(Cursor& cursor, absl::string_view line) const {
  if (options_.since == absl::InfinitePast() || cursor.recent) return true;
  // Logs are in order of time but for a little: from the first recent line on all is recent.
  cursor.recent = TimeOfLogLine(line) >= options_.since;
  return cursor.recent;
}

}  // namespace rm::coordinator
