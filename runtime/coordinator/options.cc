// Safe unless told otherwise: there is neither encryption nor login yet, so an address that other
// machines can reach must be asked for by name.
#include "runtime/coordinator/options.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "base/status.h"
#include "base/units.h"

namespace rm::coordinator {
namespace {

absl::StatusOr<base::HostPort> Address(absl::string_view flag, const std::string& text) {
  absl::StatusOr<base::HostPort> address = base::ParseHostPort(text);
  if (!address.ok()) return base::Annotate(address.status(), absl::StrCat("--", flag));
  return address;
}

absl::Status CheckReach(absl::string_view flag, const base::HostPort& address, bool insecure) {
  if (insecure || base::IsLoopback(address.host)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, " ", address.ToString(),
                   " can be reached from other machines, and there is no encryption and no "
                   "login yet; in a network that you trust, add --insecure"));
}

}  // namespace

void AddFlags(base::FlagSet& flags, Options& options) {
  flags.Text("listen", "HOST:PORT", "address of the gRPC services; port 0 takes a free one",
             &options.listen);
  flags.Text("advertise", "HOST", "host that others reach it by; that of --listen if not given",
             &options.advertise);
  flags.Text("state", "DIR", "journal and logs; made if missing", &options.state);
  flags.Text("storage", "DIR",
             "checkpoints, on storage that the workers share; DIR/storage of --state if not given",
             &options.storage);
  flags.Text("http", "HOST:PORT", "address of /metrics, /healthz and /readyz", &options.http);
  flags.Text("address-file", "FILE",
             "written when it serves: a line with the gRPC address, a line with the HTTP address",
             &options.address_file);
  flags.Choice("policy", {"easy", "fifo", "first_fit", "priority"}, "which job is next",
               &options.policy);
  flags.Text("adopt-window", "TIME",
             "how long a worker that is known may be away after a start before it is lost, as 30s",
             &options.adopt_window);
  flags.Integer("keep-jobs", "N",
                "jobs that have ended and can still be asked about; older ones are forgotten", 0,
                1'000'000, &options.keep_jobs);
  flags.Switch("insecure", "allow addresses beyond loopback, without encryption or login",
               &options.insecure);
  flags.Choice("log-format", {"text", "json"}, "how log lines look", &options.log_format);
}

absl::Status Check(absl::string_view working_folder, Options& options) {
  RM_ASSIGN_OR_RETURN(options.listen_at, Address("listen", options.listen));
  RM_ASSIGN_OR_RETURN(options.http_at, Address("http", options.http));
  const absl::StatusOr<absl::Duration> adopt_within = base::ParseDuration(options.adopt_window);
  if (!adopt_within.ok()) return base::Annotate(adopt_within.status(), "--adopt-window");
  options.adopt_within = *adopt_within;
  RM_RETURN_IF_ERROR(CheckReach("listen", options.listen_at, options.insecure));
  RM_RETURN_IF_ERROR(CheckReach("http", options.http_at, options.insecure));
  // Everyone else is told `advertise`: workers by the address file, users by Status. 0.0.0.0 would
  // lead them to their own machine.
  if (options.advertise.empty()) {
    if (base::IsAnyAddress(options.listen_at.host)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--listen ", options.listen,
                       " stands for every address of this machine: say with --advertise HOST by "
                       "which one others reach it"));
    }
    options.advertise = options.listen_at.host;
  }
  if (options.state.empty()) {
    return absl::InvalidArgumentError(
        "--state DIR is needed: where the journal and the logs are kept");
  }
  // Absolute, because paths are handed to other processes (the storage folder to every worker).
  options.state = base::AbsolutePath(options.state, working_folder);
  options.storage = options.storage.empty() ? base::JoinPath(options.state, "storage")
                                            : base::AbsolutePath(options.storage, working_folder);
  if (!options.address_file.empty()) {
    options.address_file = base::AbsolutePath(options.address_file, working_folder);
  }
  return absl::OkStatus();
}

}  // namespace rm::coordinator
