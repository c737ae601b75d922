#include "tools/trainctl/local_cluster.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "base/lines.h"
#include "base/status.h"
#include "runtime/client/client.h"

namespace rm::trainctl {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(60);
constexpr absl::Duration kStopGrace = absl::Seconds(10);
constexpr absl::Duration kPollInterval = absl::Milliseconds(20);

// One command at a time in a cluster's folder.
// flock: released by the kernel, however we end.
class FolderLock {
 public:
  static absl::StatusOr<FolderLock> Take(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return base::ErrnoStatus(errno, absl::StrCat("open ", path));
    while (::flock(fd, LOCK_EX) != 0) {
      if (errno != EINTR) return base::ErrnoStatus(errno, absl::StrCat("lock ", path));
    }
    return FolderLock(fd);
  }
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

// By default the running program's file: daemons must be of this build, they refuse others.
std::string ProgramOf(const LocalClusterOptions& options) {
  if (!options.program.empty()) return options.program;
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "/proc/self/exe" : path.string();
}

int64_t ReadyWorkers(const client::pb::NodesReply& reply) {
  return std::count_if(reply.nodes().begin(), reply.nodes().end(), [](const auto& node) {
    return node.state() == client::pb::READY;
  });
}

absl::Status InterruptedError() { return absl::CancelledError("interrupted"); }

}  // namespace

std::string LocalCluster::PathOf(const std::string& name) const {
  return base::JoinPath(folder_, name);
}

std::vector<Daemon> LocalCluster::Recorded() const {
  const auto text = base::PosixFileSystem().ReadFile(PathOf("pids"));
  return text.ok() ? ParseDaemons(*text) : std::vector<Daemon>();
}

// What the folder remembers, as far as it still runs.
std::vector<Daemon> LocalCluster::Alive() const {
  std::vector<Daemon> daemons = Recorded();
  daemons.erase(std::remove_if(daemons.begin(), daemons.end(),
                               [](const Daemon& daemon) { return !daemon.IsAlive(); }),
                daemons.end());
  return daemons;
}

absl::StatusOr<std::string> LocalCluster::RunningAddress() const {
  if (Alive().empty()) return "";
  for (const Daemon& daemon : Recorded()) {
    if (daemon.IsAlive()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the cluster in ", folder_, " is not whole: ", daemon.name,
                     " has died; end what is left of it with 'trainctl cluster down --dir ",
                     folder_, "'"));
  }
  RM_ASSIGN_OR_RETURN(const std::string text, base::PosixFileSystem().ReadFile(PathOf("address")));
  return text.substr(0, text.find('\n'));
}

// Whatever fails in between, what was started is stopped again.
absl::StatusOr<std::string> LocalCluster::Up(const LocalClusterOptions& options,
                                             const std::function<bool()>& interrupted) {
  RM_RETURN_IF_ERROR(base::PosixFileSystem().MakeFolders(folder_));
  RM_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(PathOf("lock")));
  RM_ASSIGN_OR_RETURN(const std::string running, RunningAddress());
  if (!running.empty()) return running;
  auto address = Start(options, interrupted);
  if (!address.ok()) {
    StopDaemons(started_, kStopGrace).IgnoreError();
    base::PosixFileSystem().RemoveFile(PathOf("pids")).IgnoreError();
    base::PosixFileSystem().RemoveFile(PathOf("address")).IgnoreError();
  }
  return address;
}

absl::StatusOr<std::string> LocalCluster::Start(const LocalClusterOptions& options,
                                                const std::function<bool()>& interrupted) {
  base::PosixFileSystem().RemoveFile(PathOf("address")).IgnoreError();  // of an earlier cluster
  RM_RETURN_IF_ERROR(StartCoordinator(options));
  RM_ASSIGN_OR_RETURN(const std::string address, WaitForAddress(interrupted));
  RM_RETURN_IF_ERROR(StartWorkers(options, address));
  RM_RETURN_IF_ERROR(WaitForWorkers(address, options.workers, interrupted));
  return address;
}

absl::Status LocalCluster::StartCoordinator(const LocalClusterOptions& options) {
  const std::vector<std::string> arguments = {
      "ringmaster-coordinator", "--listen",       options.listen,    "--state", PathOf("state"),
      "--storage",              PathOf("storage"), "--address-file", PathOf("address")};
  RM_ASSIGN_OR_RETURN(const Daemon daemon, StartDaemon("coordinator", ProgramOf(options), arguments,
                                                       PathOf("coordinator.log")));
  started_.push_back(daemon);
  return Remember();
}

absl::Status LocalCluster::StartWorkers(const LocalClusterOptions& options,
                                        const std::string& address) {
  for (int64_t i = 1; i <= options.workers; ++i) {
    const std::string name = absl::StrCat("worker-", i);
    const std::vector<std::string> arguments = {
        "ringmaster-worker", "--coordinator", address, "--id", name, "--dir", PathOf(name),
        "--slots", absl::StrCat(options.slots), "--threads-per-slot",
        absl::StrCat(options.threads_per_slot)};
    RM_ASSIGN_OR_RETURN(const Daemon daemon,
                        StartDaemon(name, ProgramOf(options), arguments, PathOf(name + ".log")));
    started_.push_back(daemon);
    RM_RETURN_IF_ERROR(Remember());
  }
  return absl::OkStatus();
}

// Written after each start: a trainctl that is killed in the middle leaves a list that `cluster down` can use.
absl::Status LocalCluster::Remember() {
  return base::WriteFileAtomically(base::PosixFileSystem(), PathOf("pids"),
                                   FormatDaemons(started_));
}

absl::Status LocalCluster::FailureOf(const Daemon& daemon) const {
  const std::string path = PathOf(daemon.name + ".log");
  const auto log = base::PosixFileSystem().ReadFile(path);
  return absl::InternalError(absl::StrCat(daemon.name, " ended at its start; the end of ", path,
                                          ":\n", log.ok() ? base::LastLines(*log, 5) : ""));
}

// The coordinator writes the file when it serves, not before.
absl::StatusOr<std::string> LocalCluster::WaitForAddress(
    const std::function<bool()>& interrupted) const {
  const absl::Time deadline = absl::Now() + kStartTimeout;
  for (; absl::Now() < deadline; absl::SleepFor(kPollInterval)) {
    if (interrupted()) return InterruptedError();
    const auto text = base::PosixFileSystem().ReadFile(PathOf("address"));
    if (text.ok() && !text->empty()) return text->substr(0, text->find('\n'));
    if (!started_.front().IsAlive()) return FailureOf(started_.front());
  }
  return absl::DeadlineExceededError("the coordinator does not come up");
}

// Ready means that a job submitted now can start.
absl::Status LocalCluster::WaitForWorkers(const std::string& address, int64_t workers,
                                          const std::function<bool()>& interrupted) const {
  client::Client client(address);
  const absl::Time deadline = absl::Now() + kStartTimeout;
  for (; absl::Now() < deadline; absl::SleepFor(kPollInterval)) {
    if (interrupted()) return InterruptedError();
    for (const Daemon& daemon : started_) {
      if (!daemon.IsAlive()) return FailureOf(daemon);
    }
    const auto nodes = client.Nodes();
    if (nodes.ok() && ReadyWorkers(*nodes) >= workers) return absl::OkStatus();
  }
  return absl::DeadlineExceededError(
      absl::StrCat("not all of ", workers, " workers came up; their logs are in ", folder_));
}

// The folder keeps its logs and checkpoints.
absl::Status LocalCluster::Down() {
  if (!base::PosixFileSystem().Exists(folder_)) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(PathOf("lock")));
  RM_RETURN_IF_ERROR(StopDaemons(Alive(), kStopGrace));
  base::PosixFileSystem().RemoveFile(PathOf("pids")).IgnoreError();
  base::PosixFileSystem().RemoveFile(PathOf("address")).IgnoreError();
  return absl::OkStatus();
}

}  // namespace rm::trainctl
