// Does this machine see the cluster's storage? The coordinator has written a file there; a worker
// reads it and sends what it read, or why it could not.
//
// A network file system that hangs can hold up a read for minutes, and such a read cannot be
// cancelled. So it runs on a thread of its own that nobody waits for longer than a bound; neither the
// worker's stream nor its end is delayed.
#ifndef RM_RUNTIME_WORKER_STORAGE_PROBE_H_
#define RM_RUNTIME_WORKER_STORAGE_PROBE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/worker.pb.h"

namespace rm::worker {

// The content of a file.
using ReadFunction = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// Thread-safe.
class StorageProber {
 public:
  static constexpr absl::Duration kTimeout = absl::Seconds(2);

  // `answer` is called once for each Ask, on a thread of this object's, never after its end. `read`
  // must be callable for ever: a read that hangs may outlive this object.
  StorageProber(ReadFunction read,
                std::function<void(ringmaster::v1::StorageProbe)> answer,
                absl::Duration timeout = kTimeout);
  ~StorageProber();
  StorageProber(const StorageProber&) = delete;
  StorageProber& operator=(const StorageProber&) = delete;

  // Returns at once. An empty path asks for nothing. While an earlier read is under way no other is
  // begun: one that comes in time answers both, and a storage that hangs costs one thread, not many.
  void Ask(const std::string& path);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the threads, which may outlive this
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_STORAGE_PROBE_H_
