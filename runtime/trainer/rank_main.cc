#include "runtime/trainer/rank_main.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "base/file_system.h"
#include "base/flags.h"
#include "base/log.h"
#include "base/parent_death.h"
#include "base/stack_dump.h"
#include "runtime/trainer/rank_session.h"

namespace rm::trainer {
namespace {

// Where the handler of SIGTERM leaves its wish; set once before the handler is installed.
std::atomic<StopSignal*> g_stop{nullptr};

void OnTerminate(int) {
  StopSignal* stop = g_stop.load();
  if (stop == nullptr || stop->stop) ::_exit(kRankFailed);  // a second one: now
  stop->checkpoint = true;
  stop->stop = true;
}

// A worker stops a rank over the socket; SIGTERM is for people and for init systems.
void InstallSignalHandlers(StopSignal& stop) {
  g_stop = &stop;
  struct sigaction action = {};
  action.sa_handler = &OnTerminate;
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGINT, SIG_IGN);  // a terminal's Ctrl-C is for the daemon that owns this rank
  ::signal(SIGPIPE, SIG_IGN);
}

// The worker and the scheduler tell a cause from a consequence by this number.
int ExitCode(const absl::Status& status) {
  if (status.ok()) return kRankFinished;
  return absl::IsAborted(status) ? kRankPeerLost : kRankFailed;
}

}  // namespace

int RankMain(int argc, char** argv) {
  int64_t fd = -1;
  base::FlagSet flags("ringmaster rank", "One rank of a job; started by a worker, not by people.");
  flags.Integer("fd", "N", "descriptor of the socket to the worker", 0, 1 << 20, &fd);
  // Neither is read: what a rank is to do comes over the socket.
  std::string job;
  std::string rank;
  flags.Text("job", "ID", "its job, shown by ps", &job);
  flags.Text("rank", "R", "its rank, shown by ps", &rank);
  const absl::Status parsed = flags.Parse(argc, argv);
  if (!parsed.ok() || fd < 0) {
    base::LogError(parsed.ok() ? "a rank is started by a worker (ringmaster rank --fd N)"
                               : parsed.message());
    return kRankUsage;
  }
  base::ForkedChildrenDieWithUs();  // as this rank dies with its worker
  base::InstallStackDump(SIGQUIT, STDERR_FILENO);  // its log; how the worker asks a rank that hangs
  RankSession session(static_cast<int>(fd), base::PosixFileSystem(), [] {
    base::LogError("the worker is gone; leaving");
    ::_exit(kRankPeerLost);
  });
  InstallSignalHandlers(session.stop());
  const int code = ExitCode(session.Run());
  // Threads of libraries may still run; everything that must be durable is.
  ::_exit(code);
}

}  // namespace rm::trainer
