#include "runtime/worker/worker_options.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/cpu.h"
#include "base/file_system.h"
#include "base/flags.h"
#include "base/host_port.h"
#include "base/status.h"
#include "base/utf8.h"

namespace rm::worker {
namespace {

constexpr size_t kIdBytesMax = 128;

// What other people call this machine.
std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown-host";
  return name.data();
}

// By the XDG base directory specification.
std::string DefaultFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");  // NOLINT(concurrency-mt-unsafe)
  const char* home = std::getenv("HOME");             // NOLINT(concurrency-mt-unsafe)
  if (state != nullptr && *state != 0) return absl::StrCat(state, "/ringmaster/worker");
  return absl::StrCat(home != nullptr ? home : ".", "/.local/state/ringmaster/worker");
}

// What may stand in an id: it is printed in tables and becomes part of file names.
bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.size() <= kIdBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.';
         });
}

// A folder that cannot be used is no usage error, whatever errno says.
absl::Status LocalError(const absl::Status& status) {
  if (status.ok()) return status;
  return absl::FailedPreconditionError(absl::StrCat("--dir: ", status.message()));
}

// Beyond loopback there is no TLS yet: that must be said by name.
absl::Status CheckAddresses(const WorkerOptions& options) {
  if (options.coordinator.empty()) {
    return absl::InvalidArgumentError("--coordinator HOST:PORT is missing (try --help)");
  }
  const auto coordinator = base::ParseHostPort(options.coordinator);
  if (!coordinator.ok()) return base::Annotate(coordinator.status(), "--coordinator");
  if (coordinator->port == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--coordinator ", options.coordinator, ": nobody listens at port 0"));
  }
  if (base::IsAnyAddress(options.advertise)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--advertise ", options.advertise, ": others cannot dial it; name one of this machine"));
  }
  if (!base::IsLoopback(options.advertise) && !options.insecure) {
    return absl::InvalidArgumentError(
        absl::StrCat("--advertise ", options.advertise,
                     ": beyond loopback without TLS; say --insecure if the network is trusted"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ParseLabels(const std::string& text) {
  std::map<std::string, std::string> labels;
  if (base::ValidUtf8(text) != text) return absl::InvalidArgumentError("--labels: not UTF-8");
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
  if (!wanted.empty() && !IsPlainName(wanted)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--id '", wanted, "': letters, digits, '-', '_' and '.' only, at most ", kIdBytesMax));
  }
  base::FileSystem& files = base::PosixFileSystem();
  RM_RETURN_IF_ERROR(LocalError(files.MakeFolders(folder)));
  const std::string path = base::JoinPath(folder, "worker_id");
  std::string kept;
  if (const auto text = files.ReadFile(path); text.ok()) {
    kept = std::string(absl::StripAsciiWhitespace(*text));
  }
  if (IsPlainName(kept) && (wanted.empty() || wanted == kept)) return kept;
  const std::string id =
      wanted.empty() ? absl::StrFormat("%s-%06x", host, std::random_device()() & 0xFFFFFF) : wanted;
  RM_RETURN_IF_ERROR(LocalError(base::WriteFileAtomically(files, path, id)));
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
  RM_RETURN_IF_ERROR(CheckAddresses(options));
  RM_ASSIGN_OR_RETURN(options.labels, ParseLabels(labels));
  options.host = HostName();
  RM_ASSIGN_OR_RETURN(options.id, StableWorkerId(options.folder, options.host, options.id));
  return options;
}

}  // namespace rm::worker
