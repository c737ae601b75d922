#include "runtime/worker/rank_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/file_system.h"
#include "base/frame_socket.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/stack_dump.h"
#include "base/status.h"
#include "base/utf8.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;
namespace {

// What the environment of a rank says (docs: the variables that launchers of this field set).
std::vector<std::string> RankEnvironment(const pb::RankStart& start, int threads) {
  const std::string& host =
      start.advertise_host().empty() ? start.listen_host() : start.advertise_host();
  return {absl::StrCat("RANK=", start.rank().rank()),
          absl::StrCat("WORLD_SIZE=", start.world_size()),
          absl::StrCat("LOCAL_RANK=", start.local_rank()),
          absl::StrCat("LOCAL_WORLD_SIZE=", start.local_world_size()),
          absl::StrCat("MASTER_ADDR=", host.empty() ? "127.0.0.1" : host),
          "MASTER_PORT=0",
          absl::StrCat("RINGMASTER_JOB_ID=", start.rank().job_id()),
          absl::StrCat("RINGMASTER_GENERATION=", start.rank().generation()),
          absl::StrCat("OMP_NUM_THREADS=", threads),
          "CUDA_VISIBLE_DEVICES="};
}

// Appended to over the generations; each begins with a header line.
absl::StatusOr<int> OpenLog(const pb::RankStart& start, const std::string& folder) {
  const std::string job_folder = base::JoinPath(folder, start.rank().job_id());
  RM_RETURN_IF_ERROR(base::PosixFileSystem().MakeFolders(job_folder));
  const std::string path =
      base::JoinPath(job_folder, absl::StrCat("rank_", start.rank().rank(), ".log"));
  const int fd = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return base::ErrnoStatus(errno, absl::StrCat("open ", path));
  return fd;
}

// Separates the generations in one log.
void WriteHeaderLine(int log_fd, const pb::RankStart& start) {
  const std::string line = absl::StrFormat(
      "--- %s generation %d rank %d of %d, started %s\n", start.rank().job_id(),
      start.rank().generation(), start.rank().rank(), start.world_size(),
      absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone()));
  if (::write(log_fd, line.data(), line.size()) < 0) {
    base::LogWarning("cannot write to the log of rank ", start.rank().rank());
  }
}

// How often the log is looked at for the end of a dump.
constexpr absl::Duration kDumpLook = absl::Milliseconds(20);
// Of a log: what a dump may need, and what of the log goes into the reason of a failure.
constexpr int64_t kDumpBytesMax = 256 << 10;
constexpr int64_t kTailBytes = 8192;

// The letter the kernel gives the process's state ('S' sleeping, 'D' in a system call that cannot be
// interrupted, 'T' stopped, …); '?' when it cannot be read. It stands behind the name's last bracket.
char StateOf(pid_t pid) {
  const auto stat = base::PosixFileSystem().ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  if (!stat.ok()) return '?';
  const size_t name_end = stat->rfind(')');
  return name_end == std::string::npos || name_end + 2 >= stat->size() ? '?' : (*stat)[name_end + 2];
}

bool IsStopped(char state) { return state == 'T' || state == 't'; }

}  // namespace

RankProcess::RankProcess(const pb::RankStart& start, const RankProcessOptions& options, int socket,
                         int log_fd, int64_t log_offset)
    : start_(start),
      dump_timeout_(options.dump_timeout),
      socket_(socket),
      log_fd_(log_fd),
      log_offset_(log_offset) {}

absl::StatusOr<std::unique_ptr<RankProcess>> RankProcess::Start(
    const pb::StartRank& command, const RankProcessOptions& options,
    std::function<void(const pb::RankMessage&)> on_message) {
  pb::RankStart start = command.start();
  const int slots = std::max(1, command.slots_size());
  start.set_threads(static_cast<int32_t>(options.threads_per_slot) * slots);
  RM_ASSIGN_OR_RETURN(const int log_fd, OpenLog(start, options.log_folder));
  const int64_t log_offset = ::lseek(log_fd, 0, SEEK_END);
  WriteHeaderLine(log_fd, start);
  std::array<int, 2> sockets{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    const int error = errno;
    ::close(log_fd);
    return base::ErrnoStatus(error, "make a socket pair");
  }
  const timeval send_timeout = absl::ToTimeval(options.send_timeout);
  ::setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &send_timeout, sizeof(send_timeout));
  std::unique_ptr<RankProcess> rank(new RankProcess(start, options, sockets[0], log_fd, log_offset));
  SubprocessSpec spec;
  spec.program = options.program;
  // The last four are for people who look at a list of processes.
  spec.arguments = {"ringmaster", "rank", "--fd", "3", "--job", start.rank().job_id(),
                    "--rank", absl::StrCat(start.rank().rank())};
  spec.environment = RankEnvironment(start, start.threads());
  spec.inherited_fd = sockets[1];
  spec.output_fd = log_fd;
  auto process = Subprocess::Start(spec);
  ::close(sockets[1]);
  RM_RETURN_IF_ERROR(process.status());
  rank->process_ = *std::move(process);
  pb::RankCommand first;
  *first.mutable_start() = start;
  rank->Send(first);
  rank->reader_ = std::thread(
      [raw = rank.get(), on_message = std::move(on_message)] { raw->ReadMessages(on_message); });
  return rank;
}

// The process first: its end closes the other side of the socket, and the reader ends with it.
RankProcess::~RankProcess() {
  process_.reset();  // kills and reaps: the reader then sees the end of the stream
  ::shutdown(socket_, SHUT_RDWR);
  if (reader_.joinable()) reader_.join();
  ::close(socket_);
  ::close(log_fd_);
}

// Whatever is no message is dropped: a rank that talks nonsense is noticed by its silence.
void RankProcess::ReadMessages(
    const std::function<void(const pb::RankMessage&)>& on_message) const {
  for (;;) {
    const auto bytes = base::ReadFrame(socket_);
    if (!bytes.ok()) return;
    pb::RankMessage message;
    if (message.ParseFromString(*bytes)) on_message(message);
  }
}

void RankProcess::Send(const pb::RankCommand& command) {
  const absl::Status sent = base::WriteFrame(socket_, command.SerializeAsString());
  if (sent.ok()) return;
  // It is gone, and then its pidfd tells more; or it listens no longer, and half a frame has made
  // its stream unreadable.
  base::LogWarning("rank ", rank().rank(), " of ", rank().job_id(),
                   " takes no commands: ", sent.message());
  Kill();
}

// A rank ignores what is not its own generation.
void RankProcess::SendGeneration(const pb::StartGeneration& generation) {
  pb::RankCommand command;
  *command.mutable_start_generation() = generation;
  Send(command);
}

// Politely, with a deadline; or at once.
void RankProcess::Stop(absl::Duration grace, bool checkpoint, absl::Duration now) {
  // It hangs, and its gang is killed with it: it is killed, too, when its stacks are there.
  if (look_at_ < absl::InfiniteDuration()) return;
  kill_at_ = std::min(kill_at_, now + grace);
  if (grace <= absl::ZeroDuration()) return Kill();
  pb::RankCommand command;
  command.mutable_stop()->set_checkpoint(checkpoint);
  Send(command);
}

// The signal goes to the process alone; whatever it has started is killed with it afterwards.
void RankProcess::StopHung(const pb::Reason& reason, absl::Duration now) {
  if (dump_offset_ >= 0) return;
  hung_ = reason;
  if (hung_.code().empty()) hung_.set_code("RankHung");
  dump_offset_ = ::lseek(log_fd_, 0, SEEK_END);
  if (const char state = StateOf(pid()); IsStopped(state)) {
    EndDump(absl::StrCat("its process is stopped (state ", std::string(1, state),
                         "), so its stack could not be taken"));
    return Kill();
  }
  process_->Signal(SIGQUIT);
  kill_at_ = std::min(kill_at_, now + dump_timeout_);
  look_at_ = now + kDumpLook;
}

void RankProcess::EndDump(const std::string& outcome) {
  look_at_ = absl::InfiniteDuration();
  hung_.set_sentence(
      absl::StrCat(hung_.sentence(), hung_.sentence().empty() ? "" : "; ", outcome));
}

void RankProcess::KillIfOverdue(absl::Duration now) {
  const bool dumping = look_at_ < absl::InfiniteDuration();
  if (dumping && look_at_ <= now) {
    look_at_ = now + kDumpLook;
    if (absl::StrContains(ReadLog(dump_offset_, kDumpBytesMax), base::kStackDumpEnd)) {
      EndDump("its stacks are in its log");
      return Kill();
    }
  }
  if (kill_at_ > now) return;
  if (dumping) {
    EndDump(absl::StrCat("it wrote no stack within ", absl::FormatDuration(dump_timeout_),
                         " (state ", std::string(1, StateOf(pid())), ")"));
  }
  Kill();
}

void RankProcess::Kill() {
  process_->Kill();
  kill_asked_ = true;
  kill_at_ = absl::InfiniteDuration();  // nothing more to be done but to wait for its end
  look_at_ = absl::InfiniteDuration();
}

std::optional<Exit> RankProcess::TakeExit(absl::Duration timeout) {
  std::optional<Exit> ended = process_->Wait(timeout);
  if (ended.has_value() && reader_.joinable()) {
    // What the rank has sent is read to its end, even if something else holds the socket open.
    ::shutdown(socket_, SHUT_RD);
    reader_.join();
  }
  return ended;
}

std::string RankProcess::ReadLog(int64_t offset, int64_t most) const {
  std::string bytes(static_cast<size_t>(most), '\0');
  const ssize_t got = ::pread(log_fd_, bytes.data(), bytes.size(), offset);
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

// By offset, so that nothing is sent twice or left out.
std::string RankProcess::ReadNewLog(size_t most) {
  std::string bytes = ReadLog(log_offset_, static_cast<int64_t>(most));
  log_offset_ += static_cast<int64_t>(bytes.size());
  return bytes;
}

// The end of the file, cut at a line. A dump is read from its beginning: its first thread says most.
std::string RankProcess::LastLogLines(int lines) const {
  if (dump_offset_ >= 0) {
    std::string dump = ReadLog(dump_offset_, kDumpBytesMax);
    const size_t begin = dump.find(base::kStackDumpBegin);
    if (begin != std::string::npos) {
      dump = dump.substr(begin, kTailBytes);
      return base::ValidUtf8(dump.substr(0, dump.rfind('\n') + 1));
    }
  }
  const int64_t size = ::lseek(log_fd_, 0, SEEK_END);
  const std::string tail = ReadLog(std::max<int64_t>(0, size - kTailBytes), kTailBytes);
  return base::ValidUtf8(base::LastLines(tail, lines));
}

}  // namespace rm::worker
