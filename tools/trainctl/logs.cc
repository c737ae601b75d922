// trainctl logs: the lines of every rank, each with its rank before it.

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/units.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;

int RunLogs(const Command& command, const Words& words) {
  bool follow = false;
  int64_t rank = -1;
  int64_t tail = 0;
  std::string since;
  CommandLine line(command);
  line.flags().Switch("follow", "go on with new lines until the job has ended", &follow);
  line.flags().Letter('f', "follow");
  line.flags().Integer("rank", "R", "only this rank (-1: all)", -1, 1 << 20, &rank);
  line.flags().Integer("tail", "N", "only the last N lines of each rank (0: all)", 0, 1 << 30,
                       &tail);
  line.flags().Text("since", "AGE", "only lines younger than this, as 10m", &since);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  pb::LogsRequest request;
  request.set_job_id(line.positional(0));
  request.set_follow(follow);
  request.set_tail(static_cast<int32_t>(tail));
  if (rank >= 0) request.set_rank(static_cast<int32_t>(rank));
  if (!since.empty()) {
    const auto age = base::ParseDuration(since);
    if (!age.ok()) {
      return Complain(absl::InvalidArgumentError(absl::StrCat("--since: ", age.status().message())));
    }
    request.set_since_seconds(absl::ToDoubleSeconds(*age));
  }
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const absl::Status status = (*client)->Logs(request, [](const pb::LogLines& lines) {
    for (const std::string& text : lines.lines()) {
      std::cout << "[rank " << lines.rank() << "] " << text << "\n";
    }
    return std::cout.flush().good();  // nobody reads any more: enough
  });
  if (session.interrupted()) {
    if (follow) std::cerr << "detached: the job goes on\n";
    return kInterrupted;
  }
  return status.ok() ? kDone : Complain(status);
}

}  // namespace rm::trainctl
