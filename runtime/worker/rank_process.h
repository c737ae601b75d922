// One rank process on this machine: its process, its socket, its log.
#ifndef RM_RUNTIME_WORKER_RANK_PROCESS_H_
#define RM_RUNTIME_WORKER_RANK_PROCESS_H_

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
  // A rank that takes no command for this long (its socket is full, it is stopped or stuck) is
  // killed: nothing may hold up the loop that also stops the other ranks.
  absl::Duration send_timeout = absl::Seconds(5);
  // How long a rank that hangs may take to write its stacks before it is killed.
  absl::Duration dump_timeout = absl::Seconds(2);
};

// Belongs to the worker's loop: everything but `on_message` happens on that thread.
class RankProcess {
 public:
  // Starts the process and sends it its RankStart. `on_message` is called on a thread of this object
  // for each message of the rank, until the process ends. The calling thread must live as long as
  // the rank may. Errors are those of the machine: no process, no folder for the log.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RankProcess>> Start(
      const ringmaster::v1::StartRank& command, const RankProcessOptions& options,
      std::function<void(const ringmaster::v1::RankMessage&)> on_message);
  // Kills what still runs.
  ~RankProcess();
  RankProcess(const RankProcess&) = delete;
  RankProcess& operator=(const RankProcess&) = delete;

  [[nodiscard]] const ringmaster::v1::RankRef& rank() const { return start_.rank(); }
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  // Readable (poll) once the process has ended.
  [[nodiscard]] int pidfd() const { return process_->pidfd(); }

  // Tells the rank who its peers are. The rank ignores a generation that is not its own.
  void SendGeneration(const ringmaster::v1::StartGeneration& generation);

  // Asks the rank to leave, and sets when it is to be killed: `grace` after `now` (of a monotonic
  // clock); for a grace of 0 it is killed here. A later call can only bring the end nearer.
  // While it writes its stacks (StopHung) it is left alone: it is killed when they are there.
  void Stop(absl::Duration grace, bool checkpoint, absl::Duration now);
  // It hangs: has it write its stacks into its log (SIGQUIT), and kills it when they are there, or
  // after options.dump_timeout; a process that is stopped is killed at once, since it can write
  // nothing. Asked again, it changes nothing. `reason` becomes the cause of its end.
  void StopHung(const ringmaster::v1::Reason& reason, absl::Duration now);
  // When KillIfOverdue must be called; infinite when it need not.
  [[nodiscard]] absl::Duration kill_at() const { return std::min(kill_at_, look_at_); }
  void KillIfOverdue(absl::Duration now);
  void Kill();
  // Whether the end of this rank was asked for here, by Kill or by any of the above.
  [[nodiscard]] bool kill_asked() const { return kill_asked_; }

  // Why it was stopped, with what came of the dump; no code when it was not stopped as hung.
  [[nodiscard]] const ringmaster::v1::Reason& hung() const { return hung_; }

  // The end of the process, waiting at most `timeout` for it; nothing when it still runs. By then
  // every message of the rank has been delivered.
  std::optional<Exit> TakeExit(absl::Duration timeout);

  // Bytes that were appended to the log since the last call, at most `most`.
  std::string ReadNewLog(size_t most);
  // Where in the log file the next call reads.
  [[nodiscard]] int64_t log_offset() const { return log_offset_; }
  // The last lines of the log, as valid UTF-8 (what is not is shown as '?'), for the reason of a
  // failure: it becomes part of a message, which must be readable whatever the rank printed.
  // Of a rank that was stopped as hung: its stacks, from the first line on.
  [[nodiscard]] std::string LastLogLines(int lines) const;

 private:
  RankProcess(const ringmaster::v1::RankStart& start, const RankProcessOptions& options, int socket,
              int log_fd, int64_t log_offset);

  void Send(const ringmaster::v1::RankCommand& command);
  void ReadMessages(const std::function<void(const ringmaster::v1::RankMessage&)>& on_message) const;

  void EndDump(const std::string& outcome);
  [[nodiscard]] std::string ReadLog(int64_t offset, int64_t most) const;

  const ringmaster::v1::RankStart start_;
  const absl::Duration dump_timeout_;
  const int socket_;
  const int log_fd_;
  int64_t log_offset_;
  absl::Duration kill_at_ = absl::InfiniteDuration();
  absl::Duration look_at_ = absl::InfiniteDuration();  // for the end of the dump
  bool kill_asked_ = false;
  ringmaster::v1::Reason hung_;
  int64_t dump_offset_ = -1;  // where in the log the dump begins, at the earliest
  std::unique_ptr<Subprocess> process_;
  std::thread reader_;
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_RANK_PROCESS_H_
