#include "runtime/worker/outbox.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/clock.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;
namespace {

// The rank a message is about, or nullptr.
// Heartbeats and preflight answers are about no rank.
const pb::RankRef* RankOf(const pb::WorkerMessage& message) {
  if (message.has_report()) return &message.report().rank();
  if (message.has_exited()) return &message.exited().rank();
  if (message.has_refused()) return &message.refused().rank();
  if (message.has_log()) return &message.log().rank();
  return nullptr;
}

bool IsReport(const pb::WorkerMessage& message, pb::RankMessage::MessageCase kind) {
  return message.has_report() && message.report().message().message_case() == kind;
}

// Of these only the newest of a rank is worth sending.
bool IsSuperseded(const pb::WorkerMessage& message) {
  return IsReport(message, pb::RankMessage::kProgress) ||
         IsReport(message, pb::RankMessage::kEvaluated) ||
         IsReport(message, pb::RankMessage::kActivity) ||
         IsReport(message, pb::RankMessage::kNotice);
}

// Of a rank's notices the newest of each code: a save that fails every minute is one notice.
const std::string& NoticeCode(const pb::WorkerMessage& message) {
  return message.report().message().notice().reason().code();
}

bool IsEnd(const pb::WorkerMessage& message) {
  return message.has_exited() || message.has_refused();
}

// Reports that the coordinator cannot do without.
bool OnRecord(const pb::WorkerMessage& message) {
  return IsEnd(message) || (message.has_report() && !IsSuperseded(message));
}

}  // namespace

RankKey KeyOf(const pb::RankRef& rank) { return {rank.job_id(), rank.generation(), rank.rank()}; }

void Outbox::NoteStarted(const pb::RankRef& rank) {
  base::MutexLock lock(mutex_);
  records_[KeyOf(rank)].rank = rank;
}

// Bounded in every direction: progress by rank, logs by bytes, ended ranks by number.
void Outbox::Push(pb::WorkerMessage message) {
  base::MutexLock lock(mutex_);
  if (OnRecord(message) && !Remember(message)) return;
  if (pb::WorkerMessage* older = FindOlder(message)) {
    *older = std::move(message);
    return;
  }
  if (message.has_log()) log_bytes_ += message.log().data().size();
  queue_.push_back(std::move(message));
  DropOldLogs();
  changed_.SignalOne();
}

bool Outbox::RepeatEnd(const pb::RankRef& rank) {
  base::MutexLock lock(mutex_);
  const auto record = records_.find(KeyOf(rank));
  if (record == records_.end() || !record->second.ended) return false;
  queue_.push_back(record->second.reports.back());
  changed_.SignalOne();
  return true;
}

pb::WorkerMessage* Outbox::FindOlder(const pb::WorkerMessage& message) {
  if (!IsSuperseded(message)) return nullptr;
  const RankKey key = KeyOf(message.report().rank());
  const auto kind = message.report().message().message_case();
  const auto same = [&](const pb::WorkerMessage& waiting) {
    return IsReport(waiting, kind) && KeyOf(waiting.report().rank()) == key &&
           NoticeCode(waiting) == NoticeCode(message);
  };
  const auto found = std::find_if(queue_.begin(), queue_.end(), same);
  return found == queue_.end() ? nullptr : &*found;
}

bool Outbox::Remember(const pb::WorkerMessage& message) {
  const pb::RankRef& rank = *RankOf(message);
  Record& record = records_[KeyOf(rank)];
  record.rank = rank;
  if (record.ended) return false;
  if (IsReport(message, pb::RankMessage::kCommitted)) {
    const auto old_commit = std::find_if(
        record.reports.begin(), record.reports.end(), [](const pb::WorkerMessage& report) {
          return IsReport(report, pb::RankMessage::kCommitted);
        });
    if (old_commit != record.reports.end()) record.reports.erase(old_commit);  // the last one counts
  }
  record.reports.push_back(message);
  if (IsEnd(message)) {
    record.ended = true;
    ended_.push_back(KeyOf(rank));
    ForgetOldestEnded();
  }
  return true;
}

// What ended longest ago is the surest to have arrived.
void Outbox::ForgetOldestEnded() {
  while (ended_.size() > kEndedRanksMax) {
    records_.erase(ended_.front());
    ended_.pop_front();
  }
}

// The file on this machine still has them.
void Outbox::DropOldLogs() {
  for (auto it = queue_.begin(); log_bytes_ > kLogBytesMax && it != queue_.end();) {
    if (!it->has_log()) {
      ++it;
      continue;
    }
    log_bytes_ -= it->log().data().size();
    it = queue_.erase(it);
  }
}

std::optional<pb::WorkerMessage> Outbox::Pop(absl::Duration timeout) {
  const base::Clock& clock = base::RealClock();
  const absl::Duration deadline = clock.Monotonic() + timeout;
  base::MutexLock lock(mutex_);
  while (queue_.empty() && !closed_) {
    const absl::Duration left = deadline - clock.Monotonic();
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(mutex_, left);
  }
  if (queue_.empty() || closed_) return std::nullopt;
  pb::WorkerMessage message = std::move(queue_.front());
  queue_.pop_front();
  if (message.has_log()) log_bytes_ -= message.log().data().size();
  return message;
}

void Outbox::PutBack(pb::WorkerMessage message) {
  base::MutexLock lock(mutex_);
  if (FindOlder(message) != nullptr) return;  // what waits is newer than what was popped before it
  if (message.has_log()) log_bytes_ += message.log().data().size();
  queue_.push_front(std::move(message));
  DropOldLogs();
}

bool Outbox::IsLastLog(const pb::WorkerMessage& message) const {
  if (!message.has_log()) return false;
  const auto record = records_.find(KeyOf(message.log().rank()));
  return record != records_.end() && record->second.ended;
}

// The record goes out before what is new, in the order in which it happened.
std::vector<pb::RankRef> Outbox::Replay() {
  base::MutexLock lock(mutex_);
  std::deque<pb::WorkerMessage> waiting = std::exchange(queue_, {});
  const auto last_logs_end = std::stable_partition(
      waiting.begin(), waiting.end(), [this](const pb::WorkerMessage& message) {
        return IsLastLog(message);  // a rank's log is complete before its end is told
      });
  std::move(waiting.begin(), last_logs_end, std::back_inserter(queue_));
  std::vector<pb::RankRef> ranks;
  for (const auto& [key, record] : records_) {
    ranks.push_back(record.rank);
    queue_.insert(queue_.end(), record.reports.begin(), record.reports.end());
  }
  // The end of a rank that is no longer remembered is sent as well.
  std::copy_if(std::make_move_iterator(last_logs_end), std::make_move_iterator(waiting.end()),
               std::back_inserter(queue_), [this](const pb::WorkerMessage& message) {
                 return !OnRecord(message) || records_.count(KeyOf(*RankOf(message))) == 0;
               });
  return ranks;
}

void Outbox::Close() {
  base::MutexLock lock(mutex_);
  closed_ = true;
  changed_.SignalAll();
}

bool Outbox::closed() {
  base::MutexLock lock(mutex_);
  return closed_;
}

}  // namespace rm::worker
