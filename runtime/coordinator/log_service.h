// The thread of the logs: writes what the workers send and streams it to who asks.
#ifndef RM_RUNTIME_COORDINATOR_LOG_SERVICE_H_
#define RM_RUNTIME_COORDINATOR_LOG_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "proto/worker.pb.h"
#include "runtime/coordinator/feed.h"
#include "runtime/coordinator/log_feed.h"
#include "runtime/coordinator/log_store.h"
#include "runtime/coordinator/task_thread.h"

namespace rm::coordinator {

// Thread-safe. Calls return at once; the work is done on its thread, in order.
class LogService {
 public:
  // Chunks that wait for the disk beyond this are dropped, and marked as missing in the log: a slow
  // disk must not fill the memory.
  static constexpr int64_t kBacklogBytesMax = 64 << 20;

  // `folder` is <state>/logs. Borrows `files` and `clock`.
  LogService(const std::string& folder, base::FileSystem& files, const base::Clock& clock);

  void Start() { thread_.Start(); }
  // Ends all streams, and each that is opened later.
  void Close(const absl::Status& status);
  // Writes what is queued, then ends. Streams must have been closed.
  void Stop() { thread_.Stop(); }

  // Adds a chunk of a rank's log (log_store.h says what becomes of it).
  void Append(const std::string& worker_id, ::ringmaster::v1::LogChunk chunk);
  // Everything of this job has been appended.
  void MarkEnded(const std::string& job_id);
  // Nobody can ask for this job any more.
  void Forget(const std::string& job_id);

  // Begins `call` with a new LogFeed, and asks it from now on.
  void Open(const LogFeedOptions& options,
            std::shared_ptr<FeedCall<::ringmaster::v1::LogLines>> call);

  // Where the sinks of its streams post to.
  [[nodiscard]] TaskThread& thread() { return thread_; }
  // Since the start.
  [[nodiscard]] int64_t dropped_bytes() const { return dropped_bytes_.load(); }

 private:
  // The thread's: writes one chunk; asks the feeds after each batch.
  void Write(const std::string& worker_id, const ::ringmaster::v1::LogChunk& chunk);
  absl::Duration PollFeeds();

  const base::Clock& clock_;
  LogStore store_;  // this and the next two: of the thread
  FeedList feeds_;
  bool failing_ = false;  // the last write failed: said once, not for each chunk
  std::atomic<int64_t> backlog_bytes_{0};
  std::atomic<int64_t> dropped_bytes_{0};
  TaskThread thread_;  // last: ends first
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_LOG_SERVICE_H_
