// Logs have a thread of their own because they wait for a disk that nobody else should wait for,
// and they are in nobody's way: a chunk that cannot be kept is a gap in a log, said as such, and
// never a reason to hold up a job.
#include "runtime/coordinator/log_service.h"

#include <utility>

#include "base/log.h"

namespace rm::coordinator {

namespace pb = ::ringmaster::v1;

LogService::LogService(const std::string& folder, base::FileSystem& files, const base::Clock& clock)
    : clock_(clock), store_(folder, files), thread_([this] { return PollFeeds(); }) {}

void LogService::Close(const absl::Status& status) {
  thread_.Post([this, status] { feeds_.CloseAll(status); });
}

void LogService::Append(const std::string& worker_id, pb::LogChunk chunk) {
  const int64_t bytes = static_cast<int64_t>(chunk.data().size());
  // Counted without a lock between the check and the addition: only the coordinator's thread adds.
  if (backlog_bytes_.load() + bytes > kBacklogBytesMax) {
    dropped_bytes_ += bytes;
    return;
  }
  backlog_bytes_ += bytes;
  thread_.Post([this, worker_id, bytes, chunk = std::move(chunk)] {
    Write(worker_id, chunk);
    backlog_bytes_ -= bytes;
  });
}

void LogService::Write(const std::string& worker_id, const pb::LogChunk& chunk) {
  const pb::RankRef& rank = chunk.rank();
  const absl::Status written =
      store_.Append(rank.job_id(), rank.rank(), worker_id, chunk.offset(), chunk.data());
  // A full disk fails every chunk: said when it begins, and again when it comes back and fails
  // anew.
  if (!written.ok() && !failing_) base::LogWarning("logs are not kept: ", written.message());
  failing_ = !written.ok();
}

void LogService::Forget(const std::string& job_id) {
  thread_.Post([this, job_id] { store_.Forget(job_id); });
}

void LogService::MarkEnded(const std::string& job_id) {
  thread_.Post([this, job_id] { store_.MarkEnded(job_id); });
}

void LogService::Open(const LogFeedOptions& options, std::shared_ptr<FeedCall<pb::LogLines>> call) {
  thread_.Post([this, options, call = std::move(call)] {
    call->Begin(std::make_unique<LogFeed>(store_, options));
    feeds_.Add(call);
  });
}

absl::Duration LogService::PollFeeds() {
  feeds_.PollAll(clock_.Monotonic());
  return absl::InfiniteDuration();  // only a task changes anything
}

}  // namespace rm::coordinator
