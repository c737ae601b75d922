// The command line of ringmaster-coordinator.
#ifndef RM_RUNTIME_COORDINATOR_OPTIONS_H_
#define RM_RUNTIME_COORDINATOR_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/flags.h"
#include "base/host_port.h"

namespace rm::coordinator {

// Each field is the flag of its name, as given; the texts of --help say what they mean.
struct Options {
  std::string listen = "127.0.0.1:7070";
  std::string advertise;  // host that others reach it by; empty: that of --listen
  std::string state;
  std::string storage;  // empty: <state>/storage
  std::string http = "127.0.0.1:0";
  std::string address_file;
  std::string policy = "priority";
  std::string adopt_window = "30s";
  int64_t keep_jobs = 1000;
  std::string log_format = "text";
  bool insecure = false;

  // Filled by Check: `listen` and `http` as addresses, `adopt_window` as a time.
  base::HostPort listen_at;
  base::HostPort http_at;
  absl::Duration adopt_within = absl::Seconds(30);
};

// Adds the flags of `options`, which outlives the set.
void AddFlags(base::FlagSet& flags, Options& options);

// Completes and checks what was given: addresses, loopback or --insecure, a state folder; folders
// become absolute against `working_folder`. InvalidArgument: one line that says what to do. Pure.
[[nodiscard]] absl::Status Check(absl::string_view working_folder, Options& options);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_OPTIONS_H_
