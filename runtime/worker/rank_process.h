// One rank process on this machine: its process, its socket, its log.
#ifndef RM_RUNTIME_WORKER_RANK_PROCESS_H_
#define RM_RUNTIME_WORKER_RANK_PROCESS_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/worker.pb.h"
#include "runtime/worker/subprocess.h"

namespace rm::worker {

struct RankProcessOptions {
  std::string program;     // the executable
  std::string log_folder;  // holds <job>/rank_<R>.log
  int64_t threads_per_slot = 1;
};

// Owned by the worker's loop, on whose thread everything but the message callback runs.
class RankProcess {
 public:
  // Starts the process and sends it its RankStart. `on_message` is called on a thread of this object for each message of the
  // rank, until the process ends. The calling thread must live as long as the rank may.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RankProcess>> Start(
      const ringmaster::v1::StartRank& command, const RankProcessOptions& options,
      std::function<void(const ringmaster::v1::RankMessage&)> on_message);
  // Kills what still runs.
  ~RankProcess();
  RankProcess(const RankProcess&) = delete;
  RankProcess& operator=(const RankProcess&) = delete;

  [[nodiscard]] const ringmaster::v1::RankRef& rank() const { return start_.rank(); }
  [[nodiscard]] const ringmaster::v1::RankStart& start() const { return start_; }
  [[nodiscard]] Subprocess& process() { return *process_; }

  // Tells the rank who its peers are. The rank ignores a generation that is not its own.
  void SendGeneration(const ringmaster::v1::StartGeneration& generation);

  // Asks the rank to leave, and sets when it is killed: `grace` from now, at once for 0. A later call can only bring the
  // end nearer.
  void Stop(absl::Duration grace, bool checkpoint, absl::Time now);
  [[nodiscard]] absl::Time kill_at() const { return kill_at_; }

  // The end of the process, once it has ended; by then every message of the rank has been delivered.
  std::optional<Exit> TakeExit();

  // Bytes that were appended to the log since the last call, at most `most`.
  std::string ReadNewLog(size_t most);
  [[nodiscard]] int64_t log_offset() const { return log_offset_; }
  // The last lines of the log, for the reason of a failure.
  [[nodiscard]] std::string LastLogLines(int lines) const;

 private:
  RankProcess(const ringmaster::v1::RankStart& start, int socket, int log_fd, int64_t log_offset);

  void Send(const ringmaster::v1::RankCommand& command) const;
  void ReadMessages(const std::function<void(const ringmaster::v1::RankMessage&)>& on_message) const;

  const ringmaster::v1::RankStart start_;
  const int socket_;
  const int log_fd_;
  int64_t log_offset_;
  absl::Time kill_at_ = absl::InfiniteFuture();
  std::unique_ptr<Subprocess> process_;
  std::thread reader_;
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_RANK_PROCESS_H_
