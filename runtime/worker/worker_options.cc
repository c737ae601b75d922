#include "runtime/worker/worker_options.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/cpu.h"
#include "base/file_system.h"
#include "base/flags.h"
#include "base/host_port.h"
#include "base/status.h"

namespace rm::worker {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown-host";
  return name.data();
}

std::string DefaultFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");  // NOLINT(concurrency-mt-unsafe)
  const char* home = std::getenv("HOME");             // NOLINT(concurrency-mt-unsafe)
  if (state != nullptr && *state != 0) return absl::StrCat(state, "/ringmaster/worker");
  return absl::StrCat(home != nullptr ? home : ".", "/.local/state/ringmaster/worker");
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ParseLabels(const std::string& text) {
  std::map<std::string, std::string> labels;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const size_t equals = part.find('=');
    if (equals == absl::string_view::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--labels: '", part, "' is not key=value (as in zone=a,rack=3)"));
    }
    labels[std::string(part.substr(0, equals))] = std::string(part.substr(equals + 1));
  }
  return labels;
}

absl::StatusOr<std::string> StableWorkerId(const std::string& folder, const std::string& host,
                                           const std::string& wanted) {
  base::FileSystem& files = base::PosixFileSystem();
  RM_RETURN_IF_ERROR(files.MakeFolders(folder));
  const std::string path = base::JoinPath(folder, "worker_id");
  std::string id = wanted;
  if (id.empty()) {
    if (const auto kept = files.ReadFile(path); kept.ok() && !kept->empty()) return *kept;
    id = absl::StrFormat("%s-%06x", host, std::random_device()() & 0xFFFFFF);
  }
  RM_RETURN_IF_ERROR(base::WriteFileAtomically(files, path, id));
  return id;
}

absl::StatusOr<WorkerOptions> ParseWorkerOptions(int argc, const char* const* argv,
                                                 std::string* help_text) {
  WorkerOptions options;
  std::string labels;
  options.slots = base::CpuCores();
  options.folder = DefaultFolder();
  base::FlagSet flags("ringmaster-worker", "Runs ranks of jobs on this machine.");
  flags.Text("coordinator", "HOST:PORT", "the coordinator to attach to", &options.coordinator);
  flags.Text("id", "NAME", "name of this worker; default: made once, kept in --dir", &options.id);
  flags.Integer("slots", "N", "ranks at a time; default: one a core", 1, 4096, &options.slots);
  flags.Text("dir", "DIR", "logs and identity of this worker", &options.folder);
  flags.Text("advertise", "HOST", "address at which ranks here are dialled", &options.advertise);
  flags.Integer("threads-per-slot", "N", "threads of a rank a slot", 1, 1024,
                &options.threads_per_slot);
  flags.Text("labels", "K=V,…", "what jobs select by (node_selector)", &labels);
  flags.Switch("insecure", "allow addresses beyond loopback without TLS", &options.insecure);
  flags.Choice("log-format", {"text", "json"}, "form of the log lines", &options.log_format);
  RM_RETURN_IF_ERROR(flags.Parse(argc, argv));
  options.help = flags.help_asked();
  *help_text = flags.Help();
  if (options.help) return options;
  RM_RETURN_IF_ERROR(flags.NoPositionals());
  if (options.coordinator.empty()) {
    return absl::InvalidArgumentError("--coordinator HOST:PORT is missing (try --help)");
  }
  if (!base::IsLoopback(options.advertise) && !options.insecure) {
    return absl::InvalidArgumentError(
        absl::StrCat("--advertise ", options.advertise,
                     ": beyond loopback without TLS; say --insecure if the network is trusted"));
  }
  RM_ASSIGN_OR_RETURN(options.labels, ParseLabels(labels));
  options.host = HostName();
  RM_ASSIGN_OR_RETURN(options.id, StableWorkerId(options.folder, options.host, options.id));
  return options;
}

}  // namespace rm::worker
