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

constexpr char kCoordinator[] = "coordinator";
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

std::vector<Daemon> LocalCluster::Missing() const {
  std::vector<Daemon> missing = Recorded();
  const size_t recorded = missing.size();
  missing.erase(std::remove_if(missing.begin(), missing.end(),
                               [](const Daemon& daemon) { return daemon.IsAlive(); }),
                missing.end());
  if (missing.size() == recorded) missing.clear();
  return missing;
}

absl::StatusOr<std::string> LocalCluster::RecordedAddress() const {
  RM_ASSIGN_OR_RETURN(const std::string text, base::PosixFileSystem().ReadFile(PathOf("address")));
  return text.substr(0, text.find('\n'));
}

// Whatever fails in between, what was started is stopped again.
absl::StatusOr<std::string> LocalCluster::Up(const LocalClusterOptions& options,
                                             const std::function<bool()>& interrupted) {
  RM_RETURN_IF_ERROR(base::PosixFileSystem().MakeFolders(folder_));
  RM_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(PathOf("lock")));
  const std::vector<Daemon> before = Alive().empty() ? std::vector<Daemon>() : Recorded();
  if (!before.empty() && Missing().empty()) return RecordedAddress();
  auto address = before.empty() ? Start(options, interrupted) : Mend(options, interrupted);
  if (!address.ok()) Undo(before);
  return address;
}

absl::StatusOr<std::string> LocalCluster::Start(const LocalClusterOptions& options,
                                                const std::function<bool()>& interrupted) {
  base::PosixFileSystem().RemoveFile(PathOf("address")).IgnoreError();  // of an earlier cluster
  started_.clear();
  RM_ASSIGN_OR_RETURN(started_.emplace_back(), Launch(kCoordinator, options, options.listen));
  RM_RETURN_IF_ERROR(Remember());
  RM_ASSIGN_OR_RETURN(const std::string address, WaitForAddress(interrupted));
  for (int64_t i = 1; i <= options.workers; ++i) {
    RM_ASSIGN_OR_RETURN(started_.emplace_back(),
                        Launch(absl::StrCat("worker-", i), options, address));
    RM_RETURN_IF_ERROR(Remember());
  }
  RM_RETURN_IF_ERROR(WaitForWorkers(address, options.workers, interrupted));
  return address;
}

// In the order of the list, so that a coordinator is there before the workers that dial it. The
// address file stays as it is until the new coordinator writes it again: the address is the same.
absl::StatusOr<std::string> LocalCluster::Mend(const LocalClusterOptions& options,
                                               const std::function<bool()>& interrupted) {
  RM_ASSIGN_OR_RETURN(const std::string address, RecordedAddress());
  started_ = Recorded();
  for (Daemon& daemon : started_) {
    if (daemon.IsAlive()) continue;
    RM_ASSIGN_OR_RETURN(daemon, Launch(daemon.name, options, address));
    RM_RETURN_IF_ERROR(Remember());
  }
  const auto workers = static_cast<int64_t>(started_.size()) - 1;
  RM_RETURN_IF_ERROR(WaitForWorkers(address, workers, interrupted));
  return address;
}

// What ran before goes on, and the list says again what it said before: also which of it has died.
void LocalCluster::Undo(const std::vector<Daemon>& before) {
  std::vector<Daemon> ours;
  for (const Daemon& daemon : started_) {
    const bool was_there = std::any_of(before.begin(), before.end(), [&](const Daemon& other) {
      return other.pid == daemon.pid && other.start_ticks == daemon.start_ticks;
    });
    if (!was_there) ours.push_back(daemon);
  }
  StopDaemons(ours, kStopGrace).IgnoreError();
  started_ = before;
  if (!before.empty()) {
    Remember().IgnoreError();
    return;
  }
  base::PosixFileSystem().RemoveFile(PathOf("pids")).IgnoreError();
  base::PosixFileSystem().RemoveFile(PathOf("address")).IgnoreError();
}

absl::StatusOr<Daemon> LocalCluster::Launch(const std::string& name,
                                            const LocalClusterOptions& options,
                                            const std::string& address) const {
  std::vector<std::string> arguments;
  if (name == kCoordinator) {
    arguments = {"ringmaster-coordinator", "--listen",       address,           "--state",
                 PathOf("state"),          "--storage",      PathOf("storage"), "--address-file",
                 PathOf("address")};
  } else {
    arguments = {"ringmaster-worker",  "--coordinator", address,
                 "--id",               name,            "--dir",
                 PathOf(name),         "--slots",       absl::StrCat(options.slots),
                 "--threads-per-slot", absl::StrCat(options.threads_per_slot)};
  }
  return StartDaemon(name, ProgramOf(options), arguments, PathOf(name + ".log"));
}

// Written after each start: a trainctl that is killed in the middle leaves a list that `cluster down` can use.
absl::Status LocalCluster::Remember() const {
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
