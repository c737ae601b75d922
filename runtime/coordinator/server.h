// A coordinator that serves: journal, threads, gRPC and HTTP, from Start to Stop.
//
//   gRPC threads ──Post──► engine  (Coordinator: scheduler, journal, workers, streams)
//                            ├────► logs    (LogService: rank logs)
//                            └────► reader  (checkpoints are read here)
//                ──Post──► uploads (artifacts are written here)
//   HTTP thread  ──PostAndWait──► engine
//
// Starting: folders, journal (the lock), replay, gRPC port, HTTP port, address file. Stopping, in
// reverse: streams and links are closed, gRPC ends, threads end, the journal is closed. Ranks are
// not touched by either.
#ifndef RM_RUNTIME_COORDINATOR_SERVER_H_
#define RM_RUNTIME_COORDINATOR_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "runtime/coordinator/options.h"

namespace rm::coordinator {

// Ports, files and threads are its own; file system and clock are borrowed and outlive it.
// Thread-safe after Start.
class Server {
 public:
  // REQUIRES: Check has passed the options. `on_failure` is called at most once, on a thread of the
  // server, when the journal has failed: the process must then stop it and end. Errors are one
  // line: a port in use, a folder that cannot be written, another coordinator on the same state.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Server>> Start(
      const Options& options, std::function<void(const absl::Status& status)> on_failure,
      base::FileSystem& files = base::PosixFileSystem(),
      const base::Clock& clock = base::RealClock());
  // Stops.
  ~Server();

  // Answers everyone who waits with Unavailable and ends; jobs go on. Idempotent, not thread-safe.
  void Stop();

  // "127.0.0.1:7070": where clients and workers, and browsers, reach it.
  [[nodiscard]] const std::string& address() const;
  [[nodiscard]] const std::string& http_address() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_SERVER_H_
