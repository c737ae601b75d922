// The logs of all ranks on the coordinator's disk: <state>/logs/<job>/rank_<R>.log.
//
// They arrive in chunks from the workers' own log files and outlive those. A chunk says where in
// the worker's file it stood: what came before is known to be missing then, and what came already
// is dropped. Logs are not synced: they are for people, and a power cut may take the last lines.
//
// A value of one thread (the coordinator's log thread).
#ifndef RM_RUNTIME_COORDINATOR_LOG_STORE_H_
#define RM_RUNTIME_COORDINATOR_LOG_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_system.h"

namespace rm::coordinator {

class LogStore {
 public:
  // `folder` is <state>/logs. Borrows `files`.
  LogStore(std::string folder, base::FileSystem& files);

  // Adds a chunk that stood at `offset` of the log file that `worker_id` keeps for this rank. Bytes
  // that were added before are skipped; where bytes are missing, a line says so. The first chunk of
  // a worker since the start of this store is taken wherever it stands.
  [[nodiscard]] absl::Status Append(const std::string& job_id, int32_t rank,
                                    const std::string& worker_id, int64_t offset,
                                    absl::string_view data);

  // The ranks that have a log, ascending.
  [[nodiscard]] std::vector<int32_t> Ranks(const std::string& job_id) const;
  // Bytes of a rank's log; 0 when there is none.
  [[nodiscard]] int64_t Size(const std::string& job_id, int32_t rank) const;
  // Up to `bytes_max` bytes from `offset` on; empty at the end.
  [[nodiscard]] absl::StatusOr<std::string> Read(const std::string& job_id, int32_t rank,
                                                 int64_t offset, int64_t bytes_max) const;

  // Nothing more will come for this job.
  void MarkEnded(const std::string& job_id) { ended_.insert(job_id); }
  [[nodiscard]] bool IsEnded(const std::string& job_id) const { return ended_.count(job_id) > 0; }
  // The job is not known any more: drops what is held of it in memory. Its files stay.
  void Forget(const std::string& job_id);

 private:
  [[nodiscard]] std::string Path(const std::string& job_id, int32_t rank) const;
  // For append; makes the folder at the first time.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<base::WritableFile>> Open(const std::string& path);

  const std::string folder_;
  base::FileSystem& files_;
  // (job, rank, worker) → where its next byte stands in the worker's file
  std::map<std::tuple<std::string, int32_t, std::string>, int64_t> next_;
  std::set<std::string> ended_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_LOG_STORE_H_
