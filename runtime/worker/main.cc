#include "runtime/worker/main.h"

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/log.h"
#include "runtime/preflight/preflight.h"
#include "runtime/worker/attachment.h"
#include "runtime/worker/oom_watch.h"
#include "runtime/worker/outbox.h"
#include "runtime/worker/worker_loop.h"
#include "runtime/worker/worker_options.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;
namespace {

// The check of runtime/preflight, on this machine's files.
std::vector<std::string> CheckJob(const pb::PreflightRequest& request, const std::string& host) {
  const std::vector<pb::SourcePosition> positions(request.source_positions().begin(),
                                                  request.source_positions().end());
  return preflight::Check(request.spec(), positions, request.checkpoint_folder(),
                          base::PosixFileSystem(), host);
}

// SIGTERM and SIGINT are taken by a thread that waits for them; every other thread has them blocked.
sigset_t BlockStopSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// One line on standard error.
int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "ringmaster-worker: %s\n", std::string(status.message()).c_str());
  return code;
}

void SetLogging(const WorkerOptions& options) {
  base::LogContext context;
  context.component = absl::StrCat("worker ", options.id);
  context.host = options.host;
  if (options.log_format == "json") context.format = base::LogFormat::kJson;
  base::SetLogContext(context);
}

WorkerLoopOptions LoopOptionsOf(const WorkerOptions& options) {
  WorkerLoopOptions loop;
  loop.ranks.program = options.program;
  loop.ranks.log_folder = base::JoinPath(options.folder, "logs");
  loop.ranks.threads_per_slot = options.threads_per_slot;
  loop.life_file = base::JoinPath(options.folder, "rank_lives");
  loop.oom_counter = SystemOomCounter(base::PosixFileSystem());
  return loop;
}

}  // namespace

// The calling thread becomes the loop, since ranks die with the thread that started them.
int WorkerMain(int argc, char** argv) {
  std::string help;
  const auto options = ParseWorkerOptions(argc, argv, &help);
  if (!options.ok()) return Fail(options.status(), absl::IsInvalidArgument(options.status()) ? 2 : 1);
  if (options->help) {
    std::fputs(help.c_str(), stdout);
    return 0;
  }
  const sigset_t stop_signals = BlockStopSignals();
  SetLogging(*options);
  Outbox outbox;
  WorkerLoop loop(LoopOptionsOf(*options), outbox, [&options](const pb::PreflightRequest& request) {
    return CheckJob(request, options->host);
  });
  Attachment attachment(*options, outbox,
                        [&loop](pb::WorkerCommand command) { loop.Post(std::move(command)); });
  attachment.SetOnRefused([&loop] { loop.Quit(); });
  std::thread stopper([&] {
    int signal = 0;
    ::sigwait(&stop_signals, &signal);
    base::LogInfo("stopping; ranks here are killed");
    loop.Quit();
  });
  attachment.Start();
  base::LogInfo("worker ", options->id, " with ", options->slots, " slots");
  loop.Run();  // ranks are started by this thread and die with it
  const absl::Status refusal = attachment.refusal();
  attachment.Stop();
  ::pthread_kill(stopper.native_handle(), SIGTERM);
  stopper.join();
  return refusal.ok() ? 0 : Fail(refusal, kWorkerRefused);
}

}  // namespace rm::worker
