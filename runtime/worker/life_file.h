// What became of the ranks of this worker, in a file: a worker that is started again in the same
// folder reports how the ranks of its predecessor ended.
//
// The file is a list of records, appended as things happen:
//
//   record := bytes:u32le crc32c:u32le WorkerMessage of that many bytes
//
// A report without a message says that a rank was started; RankExited or StartRefused that it has
// ended. A record that is cut off or damaged ends the list: the one before it was whole. A rank that
// was started and has no end died with the worker, since the kernel kills ranks when their worker is
// gone. Nothing is synced: what matters is the death of the process, and after that of the machine
// there is nothing left to tell apart. A file that cannot be written costs this knowledge and nothing
// else: the worker says so once and goes on.
#ifndef RM_RUNTIME_WORKER_LIFE_FILE_H_
#define RM_RUNTIME_WORKER_LIFE_FILE_H_

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "proto/worker.pb.h"
#include "runtime/worker/outbox.h"

namespace rm::worker {

// Thread-compatible.
class LifeFile {
 public:
  static constexpr size_t kEndsMax = 256;            // ends kept when the file is written anew
  // The file is written anew when it has grown beyond this, and to twice of what it was when it was
  // written anew last: so the rewriting costs no more than the appending.
  static constexpr size_t kBytesMin = size_t{1} << 20;

  // Reads what a predecessor left at `path` and goes on with it. `files` outlives this.
  LifeFile(base::FileSystem& files, const std::string& path);

  // The ends of the predecessor's ranks, oldest first; of those that died with it, made up here:
  // signal 9, cause WorkerDied.
  [[nodiscard]] const std::vector<ringmaster::v1::WorkerMessage>& inherited() const {
    return inherited_;
  }

  void NoteStarted(const ringmaster::v1::RankRef& rank);
  // REQUIRES: `end` is RankExited or StartRefused.
  void NoteEnded(const ringmaster::v1::WorkerMessage& end);

 private:
  void Read();
  void Take(const ringmaster::v1::WorkerMessage& record);
  void Append(const ringmaster::v1::WorkerMessage& record);
  void WriteAnew();
  void GiveUp(const absl::Status& status);

  base::FileSystem& files_;
  const std::string path_;
  std::vector<ringmaster::v1::WorkerMessage> inherited_;
  std::map<RankKey, ringmaster::v1::RankRef> running_;
  std::deque<ringmaster::v1::WorkerMessage> ends_;
  std::unique_ptr<base::WritableFile> file_;  // null: given up
  size_t bytes_ = 0;                          // of the file
  size_t bytes_max_ = kBytesMin;              // beyond it the file is written anew
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_LIFE_FILE_H_
