#include "runtime/worker/outbox.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;
namespace {

bool IsProgress(const pb::WorkerMessage& message) {
  return message.has_report() && message.report().message().has_progress();
}

// The rank a message is about, or nullptr.
const pb::RankRef* RankOf(const pb::WorkerMessage& message) {
  if (message.has_report()) return &message.report().rank();
  if (message.has_exited()) return &message.exited().rank();
  if (message.has_refused()) return &message.refused().rank();
  if (message.has_log()) return &message.log().rank();
  return nullptr;
}

// Reports that the coordinator cannot do without.
bool OnRecord(const pb::WorkerMessage& message) {
  if (message.has_exited() || message.has_refused()) return true;
  return message.has_report() && !IsProgress(message) && !message.report().message().has_evaluated();
}

}  // namespace

RankKey KeyOf(const pb::RankRef& rank) { return {rank.job_id(), rank.generation(), rank.rank()}; }

void Outbox::Push(pb::WorkerMessage message) {
  base::MutexLock lock(mutex_);
  if (OnRecord(message)) Remember(message);
  if (message.has_log()) log_bytes_ += message.log().data().size();
  if (!CoalesceProgress(message)) queue_.push_back(std::move(message));
  DropOldLogs();
  changed_.SignalOne();
}

bool Outbox::CoalesceProgress(const pb::WorkerMessage& message) {
  if (!IsProgress(message)) return false;
  const RankKey key = KeyOf(message.report().rank());
  for (pb::WorkerMessage& waiting : queue_) {
    if (!IsProgress(waiting) || KeyOf(waiting.report().rank()) != key) continue;
    waiting = message;
    return true;
  }
  return false;
}

void Outbox::Remember(const pb::WorkerMessage& message) {
  const pb::RankRef& rank = *RankOf(message);
  Record& record = records_[KeyOf(rank)];
  record.rank = rank;
  const bool commit = message.has_report() && message.report().message().has_committed();
  const auto old_commit = std::find_if(
      record.reports.begin(), record.reports.end(), [](const pb::WorkerMessage& report) {
        return report.has_report() && report.report().message().has_committed();
      });
  if (commit && old_commit != record.reports.end()) {
    *old_commit = message;  // only the last one counts
  } else {
    record.reports.push_back(message);
  }
  if (record.ended || !(message.has_exited() || message.has_refused())) return;
  record.ended = true;
  ended_.push_back(KeyOf(rank));
  ForgetOldestEnded();
}

void Outbox::ForgetOldestEnded() {
  while (ended_.size() > kEndedRanksMax) {
    records_.erase(ended_.front());
    ended_.pop_front();
  }
}

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
  const absl::Time deadline = absl::Now() + timeout;
  base::MutexLock lock(mutex_);
  while (queue_.empty() && !closed_) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  if (queue_.empty() || closed_) return std::nullopt;
  pb::WorkerMessage message = std::move(queue_.front());
  queue_.pop_front();
  if (message.has_log()) log_bytes_ -= message.log().data().size();
  return message;
}

void Outbox::PutBack(pb::WorkerMessage message) {
  base::MutexLock lock(mutex_);
  if (message.has_log()) log_bytes_ += message.log().data().size();
  queue_.push_front(std::move(message));
}

std::vector<pb::RankRef> Outbox::Replay() {
  base::MutexLock lock(mutex_);
  std::vector<pb::RankRef> ranks;
  std::deque<pb::WorkerMessage> replay;
  for (const auto& [key, record] : records_) {
    ranks.push_back(record.rank);
    replay.insert(replay.end(), record.reports.begin(), record.reports.end());
  }
  // What is on record is in the replay; the rest of the queue follows.
  for (pb::WorkerMessage& message : queue_) {
    if (!OnRecord(message)) replay.push_back(std::move(message));
  }
  queue_ = std::move(replay);
  return ranks;
}

void Outbox::Close() {
  base::MutexLock lock(mutex_);
  closed_ = true;
  changed_.SignalAll();
}

}  // namespace rm::worker
