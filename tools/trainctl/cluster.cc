// trainctl cluster: a coordinator and workers on this machine, in one folder.

#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/local_cluster.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

constexpr char kFolderHelp[] = "the cluster's folder (default: ~/.local/state/ringmaster/cluster)";

// --dir as an absolute path; the default folder when it is not given.
// Absolute, since the daemons run elsewhere.
std::string ClusterFolder(const std::string& flag) {
  if (flag.empty()) return DefaultClusterFolder();
  std::error_code error;
  return base::AbsolutePath(flag, std::filesystem::current_path(error).string());
}

// The cluster in four lines.
std::string StatusText(const pb::StatusReply& status) {
  std::string text = absl::StrCat("coordinator ", status.address(), "  version ", status.version(),
                                  "  process ", status.pid(), "\nstorage ", status.storage(),
                                  "\nworkers ", status.workers(), "  slots ", status.slots_used(),
                                  "/", status.slots(), " used\n");
  const std::map<std::string, int> jobs(status.jobs().begin(), status.jobs().end());
  for (const auto& [state, count] : jobs) {
    absl::StrAppend(&text, "jobs ", state, " ", count, "\n");
  }
  return text;
}

}  // namespace

int RunClusterUp(const Command& command, const Words& words) {
  LocalClusterOptions options;
  std::string folder;
  CommandLine line(command);
  line.flags().Integer("workers", "N", "workers to start", 1, 256, &options.workers);
  line.flags().Integer("slots", "M", "slots of each worker", 1, 4096, &options.slots);
  line.flags().Integer("threads-per-slot", "N", "threads of a rank a slot", 1, 1024,
                       &options.threads_per_slot);
  line.flags().Text("dir", "DIR", kFolderHelp, &folder);
  line.flags().Text("listen", "HOST:PORT", "the coordinator's address", &options.listen);
  if (!line.Parse(words, 0, 0)) return line.exit_code();
  options.folder = ClusterFolder(folder);
  Session session;
  LocalCluster cluster(options.folder);
  const bool running = !cluster.Alive().empty();
  const std::vector<Daemon> missing = cluster.Missing();
  const auto address = cluster.Up(options, [&session] { return session.interrupted(); });
  if (!address.ok()) return Complain(LocalError(address.status()));
  std::cout << *address << "\n";
  for (const Daemon& daemon : missing) {
    std::cerr << daemon.name << " had died and was started again\n";
  }
  std::cerr << (running && missing.empty() ? "already running" : "running") << ", folder "
            << options.folder << "\n";
  return kDone;
}

int RunClusterDown(const Command& command, const Words& words) {
  std::string folder;
  CommandLine line(command);
  line.flags().Text("dir", "DIR", kFolderHelp, &folder);
  if (!line.Parse(words, 0, 0)) return line.exit_code();
  Session session;
  LocalCluster cluster(ClusterFolder(folder));
  const size_t running = cluster.Alive().size();
  const absl::Status status = cluster.Down();
  if (!status.ok()) return Complain(LocalError(status));
  std::cerr << (running == 0 ? "nothing was running" : absl::StrCat("stopped ", running, " processes"))
            << "\n";
  return kDone;
}

int RunClusterStatus(const Command& command, const Words& words) {
  std::string folder;
  CommandLine line(command);
  line.flags().Text("dir", "DIR", kFolderHelp, &folder);
  if (!line.Parse(words, 0, 0)) return line.exit_code();
  CommonFlags common = line.common();
  if (!folder.empty() && common.coordinator.empty()) {
    const std::string path = base::JoinPath(ClusterFolder(folder), "address");
    const auto text = base::PosixFileSystem().ReadFile(path);
    if (!text.ok()) {
      return Complain(absl::UnavailableError(absl::StrCat(
          "no cluster runs in ", folder, ": 'trainctl cluster up --dir ", folder, "' starts one")));
    }
    common.coordinator = text->substr(0, text->find('\n'));
  }
  Session session;
  const auto client = session.Connect(common);
  if (!client.ok()) return Complain(client.status());
  const auto status = (*client)->Status();
  if (!status.ok()) return Complain(status.status());
  if (common.output == "name") {
    std::cout << status->address() << "\n";
  } else {
    std::cout << (IsStructured(common.output) ? FormatMessage(*status, common.output)
                                              : StatusText(*status));
  }
  return kDone;
}

}  // namespace rm::trainctl
