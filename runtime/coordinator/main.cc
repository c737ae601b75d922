// The main thread does nothing but wait for a signal. Both ways to end (a signal from outside, a
// journal that failed inside) arrive there as one, so there is one way down.
#include "runtime/coordinator/main.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/flags.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/version.h"
#include "runtime/coordinator/options.h"
#include "runtime/coordinator/server.h"

namespace rm::coordinator {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

int SayError(const std::string& program, const absl::Status& status, int code) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), std::string(status.message()).c_str());
  return code;
}

std::string WorkingFolder() {
  const std::unique_ptr<char, void (*)(void*)> folder(getcwd(nullptr, 0), &std::free);
  return folder != nullptr ? folder.get() : "/";
}

// SIGTERM and SIGINT, blocked from here on in this thread and all that it starts: so no handler
// runs anywhere, and sigwait takes them in the one place that waits for them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// How the server tells the main thread that it cannot go on: the first failure, and a signal to
// wake it up.
class Failure {
 public:
  void Set(const absl::Status& status) {
    {
      base::MutexLock lock(mutex_);
      status_ = status;
    }
    kill(getpid(), SIGTERM);
  }
  [[nodiscard]] absl::Status Get() {
    base::MutexLock lock(mutex_);
    return status_;
  }

 private:
  base::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

int Serve(const std::string& program, const Options& options, const sigset_t& signals) {
  Failure failure;
  auto server = Server::Start(options, [&](const absl::Status& status) { failure.Set(status); });
  if (!server.ok()) return SayError(program, server.status(), kFailed);
  base::LogInfo("serving on ", (*server)->address(), ", HTTP on ", (*server)->http_address(),
                ", state in ", options.state, ", storage in ", options.storage);
  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second one ends the process at once
  // Ranks belong to the workers: nothing here touches them.
  base::LogInfo("stopping; jobs go on");
  (*server)->Stop();
  const absl::Status failed = failure.Get();
  return failed.ok() ? 0 : SayError(program, failed, kFailed);
}

}  // namespace

int CoordinatorMain(int argc, char** argv) {
  const std::string program = base::BaseName(argv[0]);
  Options options;
  base::FlagSet flags(program, "Schedules jobs on workers and keeps what it decided.");
  AddFlags(flags, options);
  bool version = false;
  flags.Switch("version", "print the version", &version);
  absl::Status status = flags.Parse(argc, argv);
  if (status.ok()) status = flags.NoPositionals();
  if (!status.ok()) return SayError(program, status, kUsage);
  // Before the check of what is needed: help must not ask for --state.
  if (flags.help_asked() || version) {
    const std::string text = version ? std::string(base::kVersion) + "\n" : flags.Help();
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  status = Check(WorkingFolder(), options);
  if (!status.ok()) return SayError(program, status, kUsage);
  base::LogContext log;
  log.component = "coordinator";
  log.format = options.log_format == "json" ? base::LogFormat::kJson : base::LogFormat::kText;
  base::SetLogContext(log);
  return Serve(program, options, BlockStopSignals());
}

}  // namespace rm::coordinator
