#include "tools/trainctl/session.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/file_system.h"
#include "base/host_port.h"
#include "base/status.h"
#include "tools/trainctl/exit_code.h"

namespace rm::trainctl {
namespace {

// "" for a variable that is not set.
std::string Environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

// `coordinator:` of the user's config file; "" when there is none.
// One key of one file: no YAML library is needed for it.
std::string FromConfigFile() {
  const std::string config_home = Environment("XDG_CONFIG_HOME");
  const std::string folder =
      config_home.empty() ? base::JoinPath(Environment("HOME"), ".config") : config_home;
  const auto text = base::PosixFileSystem().ReadFile(folder + "/ringmaster/config.yaml");
  if (!text.ok()) return "";
  return CoordinatorOfConfig(*text);
}

// What Ctrl-C and a polite kill send.
sigset_t StopSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

void AddCommonFlags(base::FlagSet& flags, CommonFlags* common, bool output_is_a_file) {
  const char* const form = output_is_a_file ? "form" : "output";
  flags.Text("coordinator", "HOST:PORT",
             "the coordinator to talk to (default: RINGMASTER_COORDINATOR, the config file, the "
             "local cluster)",
             &common->coordinator);
  flags.Letter('c', "coordinator");
  flags.Choice(form, {"table", "wide", "json", "yaml", "name"}, "form of the result",
               &common->output);
  flags.Letter('o', form);
  flags.Switch("yes", "do not ask", &common->yes);
  flags.Letter('y', "yes");
}

std::string DefaultClusterFolder() {
  const std::string state = Environment("XDG_STATE_HOME");
  const std::string base =
      state.empty() ? base::JoinPath(Environment("HOME"), ".local/state") : state;
  return base::JoinPath(base, "ringmaster/cluster");
}

std::string CoordinatorOfConfig(const std::string& text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "coordinator:")) continue;  // a nested key is another one
    line = absl::StripAsciiWhitespace(line);
    const bool quoted = !line.empty() && (line[0] == '"' || line[0] == '\'');
    if (quoted) return std::string(line.substr(1, line.find(line[0], 1) - 1));
    return std::string(absl::StripAsciiWhitespace(line.substr(0, line.find('#'))));
  }
  return "";
}

// From the most explicit to the most implicit.
absl::StatusOr<std::string> ResolveCoordinator(const std::string& flag) {
  const std::pair<const char*, std::string> sources[] = {
      {"--coordinator", flag},
      {"RINGMASTER_COORDINATOR", Environment("RINGMASTER_COORDINATOR")},
      {"config.yaml", FromConfigFile()},
  };
  for (const auto& [source, address] : sources) {
    if (address.empty()) continue;
    const auto parsed = base::ParseHostPort(address);
    if (!parsed.ok()) return base::Annotate(parsed.status(), source);
    return address;
  }
  const std::string path = base::JoinPath(DefaultClusterFolder(), "address");
  const auto text = base::PosixFileSystem().ReadFile(path);
  if (text.ok()) {
    const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
    if (!lines.front().empty()) return lines.front();
  }
  return absl::UnavailableError(
      "no coordinator is known: start a cluster on this machine with 'trainctl cluster up', or name "
      "one with -c HOST:PORT or RINGMASTER_COORDINATOR");
}

// Blocked before the thread starts, so that every thread inherits it and only the watcher sees the signals.
Session::Session() {
  const sigset_t signals = StopSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  watcher_ = std::thread([this] { WaitForSignal(); });
}

// The watcher is woken by the signal it waits for, told that it is over.
Session::~Session() {
  over_ = true;
  ::pthread_kill(watcher_.native_handle(), SIGTERM);
  watcher_.join();
}

// A second signal leaves at once: the first may be stuck in something slow.
void Session::WaitForSignal() {
  const sigset_t signals = StopSignals();
  for (;;) {
    int signal = 0;
    ::sigwait(&signals, &signal);
    if (over_) return;
    if (interrupted_) ::_exit(kInterrupted);  // a second one: now
    interrupted_ = true;
    client::Client* client = shared_;
    if (client != nullptr) client->Interrupt();
  }
}

absl::StatusOr<client::Client*> Session::Connect(const CommonFlags& common) {
  if (client_ == nullptr) {
    const auto address = ResolveCoordinator(common.coordinator);
    if (!address.ok()) return address.status();
    client_ = std::make_unique<client::Client>(*address);
    shared_ = client_.get();
    if (interrupted_) client_->Interrupt();
  }
  return client_.get();
}

// One line, then the fields of an invalid job, if that is what it was.
int Complain(const absl::Status& status) {
  if (absl::IsCancelled(status)) return kInterrupted;
  std::cerr << "trainctl: " << status.message() << "\n";
  for (const client::Violation& violation : client::ViolationsOf(status)) {
    std::cerr << "  " << violation.field << ": " << violation.description << "\n";
  }
  return ExitCodeOf(status);
}

int ComplainOfJob(const absl::Status& status) {
  const int code = Complain(status);
  return absl::IsInvalidArgument(status) ? kFailed : code;
}

// Off a terminal nobody can answer: refusing is safer than going ahead, and clearer than waiting.
absl::StatusOr<bool> Confirm(const CommonFlags& common, const std::string& question) {
  if (common.yes) return true;
  if (::isatty(STDIN_FILENO) != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(question, " Say -y: there is no terminal to ask on"));
  }
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return !answer.empty() && (answer[0] == 'y' || answer[0] == 'Y');
}

}  // namespace rm::trainctl
