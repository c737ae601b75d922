// Rank processes of a benchmark, started and introduced as the coordinator and the workers do it for a job.

#include "tools/bench/rank_group.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/frame_socket.h"
#include "base/status.h"
#include "runtime/worker/subprocess.h"

namespace rm::bench {
namespace {

// One rank process and our end of its socket.
// Its destructor kills the process, so that no way out of RunRanks leaves one behind.
struct Rank {
  int socket = -1;
  std::unique_ptr<worker::Subprocess> process;

  Rank() = default;
  Rank(Rank&& other) noexcept
      : socket(std::exchange(other.socket, -1)), process(std::move(other.process)) {}
  Rank& operator=(Rank&&) = delete;
  ~Rank() {
    process.reset();
    if (socket >= 0) ::close(socket);
  }
};

// A child of this very program. It dies with us, and its socket's end tells us of its death.
absl::StatusOr<Rank> StartRank(int threads) {
  std::array<int, 2> sockets{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return base::ErrnoStatus(errno, "make a socket pair");
  }
  worker::SubprocessSpec spec;
  spec.program = "/proc/self/exe";
  spec.arguments = {"ringmaster", "bench-rank", "--fd", "3"};
  spec.environment = {absl::StrCat("OMP_NUM_THREADS=", threads)};
  spec.inherited_fd = sockets[1];
  Rank rank;
  rank.socket = sockets[0];
  auto process = worker::Subprocess::Start(spec);
  ::close(sockets[1]);
  RM_RETURN_IF_ERROR(process.status());
  rank.process = *std::move(process);
  return rank;
}

absl::Status Tell(const Rank& rank, const base::Json& message) {
  return base::WriteFrame(rank.socket, message.Dump());
}

// The member `key` of the rank's next message; an "error" in it, or the end of the process, is an error here.
absl::StatusOr<base::Json> Hear(Rank& rank, size_t number, absl::string_view key) {
  const auto bytes = base::ReadFrame(rank.socket);
  if (!bytes.ok()) {
    const auto ended = rank.process->Wait(absl::Seconds(5));
    return absl::InternalError(absl::StrCat(
        "rank ", number, " ended: ", ended ? ended->ToString() : "it closed its socket"));
  }
  RM_ASSIGN_OR_RETURN(const base::Json message, base::Json::Parse(*bytes));
  if (const base::Json* error = message.Find("error")) {
    const auto code = static_cast<absl::StatusCode>(
        message.Find("code") != nullptr ? message.Find("code")->int_or(13) : 13);
    return absl::Status(code, absl::StrCat("rank ", number, ": ", error->string_or("")));
  }
  const base::Json* value = message.Find(key);
  if (value == nullptr) return absl::InternalError(absl::StrCat("rank ", number, " said no ", key));
  return *value;
}

// Hears every rank; a consequence (Aborted) gives way to the cause another rank names.
absl::StatusOr<std::vector<base::Json>> HearAll(std::vector<Rank>& ranks, absl::string_view key) {
  std::vector<base::Json> values;
  absl::Status failure;
  for (size_t i = 0; i < ranks.size(); ++i) {
    auto value = Hear(ranks[i], i, key);
    if (value.ok()) {
      values.push_back(*std::move(value));
    } else if (failure.ok() || absl::IsAborted(failure)) {
      failure = value.status();
    }
    if (!failure.ok() && !absl::IsAborted(failure)) return failure;
  }
  if (!failure.ok()) return failure;
  return values;
}

}  // namespace

// Start all, introduce all, hear all: the three rounds of a job's start, without a coordinator.
absl::StatusOr<std::vector<base::Json>> RunRanks(const std::string& bench, int ranks, int threads,
                                                 const base::Json& settings) {
  std::vector<Rank> group;
  for (int r = 0; r < ranks; ++r) {
    RM_ASSIGN_OR_RETURN(Rank rank, StartRank(threads));
    base::Json message = settings;
    message.Set("bench", bench).Set("rank", r).Set("ranks", ranks).Set("threads", threads);
    RM_RETURN_IF_ERROR(Tell(rank, message));
    group.push_back(std::move(rank));
  }
  RM_ASSIGN_OR_RETURN(std::vector<base::Json> addresses, HearAll(group, "address"));
  base::Json introduction;
  introduction.Set("peers", base::Json(base::Json::Array(addresses)));
  for (const Rank& rank : group) RM_RETURN_IF_ERROR(Tell(rank, introduction));
  RM_ASSIGN_OR_RETURN(std::vector<base::Json> results, HearAll(group, "result"));
  for (Rank& rank : group) rank.process->Wait(absl::Seconds(10));
  return results;
}

}  // namespace rm::bench
