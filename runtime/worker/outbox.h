// What a worker has to tell its coordinator, kept while nobody listens.
//
// A coordinator that is away stops nothing: messages wait here, bounded, and are sent in order after
// the next attach. Two kinds of memory make that safe:
//
//   the queue    everything not sent yet; of the progress, the evaluations and the activity of a
//                rank only the newest, of its notices the newest of each code, of log chunks the
//                newest kLogBytesMax bytes (older ones are dropped; the file on this machine has
//                them)
//   the record   for each rank that was started: what the coordinator must know of it (listening,
//                joined, the last commit, finished or failed, its end). A stream that broke may have
//                lost what was sent, so all of the record is sent again after each attach. Of the
//                ranks that have ended the last kEndedRanksMax are remembered.
//
// Receivers take a message twice without harm. The record is also what makes commands idempotent:
// whoever is asked to start or stop a rank whose end is on record repeats that end.
#ifndef RM_RUNTIME_WORKER_OUTBOX_H_
#define RM_RUNTIME_WORKER_OUTBOX_H_

#include <cstddef>
#include <cstdint>
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
  static constexpr size_t kLogBytesMax = 8U << 20;
  static constexpr size_t kEndedRanksMax = 256;

  // Puts a rank on record before it says anything itself: a process that is still starting must be
  // in Hello.running, else the coordinator takes it for gone.
  void NoteStarted(const ringmaster::v1::RankRef& rank);

  // Queues a message, and keeps it on record if it is of that kind. The first end of a rank counts;
  // a later one is dropped.
  void Push(ringmaster::v1::WorkerMessage message);

  // Queues the end of a rank once more. False, and nothing happens, when none is on record.
  bool RepeatEnd(const ringmaster::v1::RankRef& rank);

  // The next message, waiting at most `timeout` for one; nothing when there is none, or when the
  // outbox is closed.
  std::optional<ringmaster::v1::WorkerMessage> Pop(absl::Duration timeout);

  // A message that was popped but could not be sent: back to the front, unless a newer one of the
  // same rank has taken its place.
  void PutBack(ringmaster::v1::WorkerMessage message);

  // A new stream stands: everything on record goes to the front of the queue, behind what waits of
  // the logs of ranks that have ended. Returns the ranks on
  // record, in the order of their keys: what Hello.running must name.
  std::vector<ringmaster::v1::RankRef> Replay();

  // This worker is leaving: nothing is popped any more. Wakes Pop.
  void Close();
  [[nodiscard]] bool closed();

 private:
  // What the coordinator must know of one rank, in this order.
  struct Record {
    ringmaster::v1::RankRef rank;
    std::vector<ringmaster::v1::WorkerMessage> reports;
    bool ended = false;  // then the end is the last report
  };

  // The message in the queue that `message` makes superfluous, or nullptr.
  ringmaster::v1::WorkerMessage* FindOlder(const ringmaster::v1::WorkerMessage& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False: the message is to be dropped.
  bool Remember(const ringmaster::v1::WorkerMessage& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOldestEnded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether it is a piece of the log of a rank whose end is on record.
  [[nodiscard]] bool IsLastLog(const ringmaster::v1::WorkerMessage& message) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldLogs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  base::Mutex mutex_;
  std::deque<ringmaster::v1::WorkerMessage> queue_ ABSL_GUARDED_BY(mutex_);
  size_t log_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // in queue_
  std::map<RankKey, Record> records_ ABSL_GUARDED_BY(mutex_);
  std::deque<RankKey> ended_ ABSL_GUARDED_BY(mutex_);  // oldest first
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  base::CondVar changed_;
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_OUTBOX_H_
