// Settings of a worker daemon, from its command line.
#ifndef RM_RUNTIME_WORKER_WORKER_OPTIONS_H_
#define RM_RUNTIME_WORKER_WORKER_OPTIONS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rm::worker {

struct WorkerOptions {
  std::string coordinator;                // HOST:PORT
  std::string id;                         // stable over restarts with the same folder
  std::string host;                       // this machine's name
  std::string folder;                     // logs and identity of this worker
  std::string advertise = "127.0.0.1";    // address that ranks here are dialled at
  int64_t slots = 0;                      // ranks at a time; 0: one a core
  int64_t threads_per_slot = 1;
  std::map<std::string, std::string> labels;
  std::string program = "/proc/self/exe";  // what a rank process runs
  std::string log_format = "text";
  bool insecure = false;
  bool help = false;
};

// Reads the flags of `ringmaster-worker`, fills what they leave out (host, slots, folder, id) and
// checks the rest; makes the folder. With help set the text is in `help_text` and nothing else
// counts. One line each: InvalidArgument for what was typed, FailedPrecondition for a folder that
// cannot be used.
[[nodiscard]] absl::StatusOr<WorkerOptions> ParseWorkerOptions(int argc, const char* const* argv,
                                                               std::string* help_text);

// "zone=a,gpu=no" → map. InvalidArgument names the part that is not key=value.
[[nodiscard]] absl::StatusOr<std::map<std::string, std::string>> ParseLabels(
    const std::string& text);

// The id in <folder>/worker_id, made and kept there on the first start (a damaged one is replaced).
// `wanted` (a --id, or "") replaces it. Errors as above.
[[nodiscard]] absl::StatusOr<std::string> StableWorkerId(const std::string& folder,
                                                         const std::string& host,
                                                         const std::string& wanted);

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_WORKER_OPTIONS_H_
