// What a worker has to tell its coordinator, kept while nobody listens.
//
// A coordinator that is away stops nothing: messages wait here, bounded, and are sent in order after the next attach. Two
// kinds of memory make that safe:
//   the queue    everything not sent yet; of the progress reports of a rank only the newest, of log chunks the newest
//                kLogBytesMax bytes (older ones are dropped; the file on this machine has them)
//   the record   for each rank the reports that the coordinator must know (listening, joined, last commit, end): a
//                stream that broke may have lost what was sent, so all of them are sent again after each attach.
// Receivers take a message twice without harm.
#ifndef RM_RUNTIME_WORKER_OUTBOX_H_
#define RM_RUNTIME_WORKER_OUTBOX_H_

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "proto/worker.pb.h"

namespace rm::worker {

// (job, generation, rank): what a rank process is known by.
using RankKey = std::tuple<std::string, int64_t, int32_t>;
[[nodiscard]] RankKey KeyOf(const ringmaster::v1::RankRef& rank);

// Thread-safe.
class Outbox {
 public:
  // Log bytes kept while they cannot be sent, and ended ranks remembered.
  static constexpr size_t kLogBytesMax = 8U << 20;
  static constexpr size_t kEndedRanksMax = 256;

  void Push(ringmaster::v1::WorkerMessage message);

  // The next message, waiting at most `timeout` for one; nothing when there is none or the outbox is closed.
  std::optional<ringmaster::v1::WorkerMessage> Pop(absl::Duration timeout);

  // A new stream stands: everything on record goes to the front of the queue. Returns the ranks on record whose end has
  // not been reported over this outbox's life, or was reported only now: what Hello.running must name.
  std::vector<ringmaster::v1::RankRef> Replay();

  // A message that was popped but could not be sent: back to the front.
  void PutBack(ringmaster::v1::WorkerMessage message);

  // Wakes Pop for good.
  void Close();

 private:
  // What the coordinator must know of one rank, in this order.
  struct Record {
    ringmaster::v1::RankRef rank;
    std::vector<ringmaster::v1::WorkerMessage> reports;
    bool ended = false;
  };

  bool CoalesceProgress(const ringmaster::v1::WorkerMessage& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remember(const ringmaster::v1::WorkerMessage& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOldestEnded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldLogs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  base::Mutex mutex_;
  std::deque<ringmaster::v1::WorkerMessage> queue_ ABSL_GUARDED_BY(mutex_);
  size_t log_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<RankKey, Record> records_ ABSL_GUARDED_BY(mutex_);
  std::deque<RankKey> ended_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  base::CondVar changed_;
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_OUTBOX_H_
