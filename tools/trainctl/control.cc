// trainctl cancel, kill, pause, resume and wait: one call, or one stream, about one job.

#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/units.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/follow.h"
#include "tools/trainctl/outage.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

// A call of the client about one job.
using Call = absl::StatusOr<pb::Job> (client::Client::*)(const std::string& job_id);

// One call about one job; `question` (may be empty) is asked before.
int Control(const Command& command, const Words& words, Call call, const std::string& question) {
  CommandLine line(command);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  const std::string& job_id = line.positional(0);
  if (!question.empty()) {
    const auto agreed = Confirm(line.common(), absl::StrCat(question, " ", job_id, "?"));
    if (!agreed.ok()) return Complain(agreed.status());
    if (!*agreed) return kFailed;
  }
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const auto job = ((*client)->*call)(job_id);
  if (!job.ok()) return ComplainOfJob(job.status());
  const std::string& format = line.common().output;
  if (IsStructured(format)) {
    std::cout << FormatMessage(*job, format);
  } else {
    std::cout << job->job_id() << "\n";
    std::cerr << StateName(job->state()) << ": " << job->reason().sentence() << "\n";
  }
  return kDone;
}

}  // namespace

int RunCancel(const Command& command, const Words& words) {
  return Control(command, words, &client::Client::Cancel, "Cancel");
}

int RunKill(const Command& command, const Words& words) {
  return Control(command, words, &client::Client::Kill, "Kill, without a last checkpoint,");
}

int RunPause(const Command& command, const Words& words) {
  return Control(command, words, &client::Client::Pause, "");
}

int RunResume(const Command& command, const Words& words) {
  return Control(command, words, &client::Client::Resume, "");
}

int RunWait(const Command& command, const Words& words) {
  std::string timeout, patience;
  CommandLine line(command);
  line.flags().Text("timeout", "TIME", "give up after this, as 10m, with exit code 101 (default: never)",
                    &timeout);
  AddPatienceFlag(line.flags(), &patience);
  if (!line.Parse(words, 1, 1)) return line.exit_code();
  FollowOptions options;
  options.progress = false;
  options.format = line.common().output;
  if (!timeout.empty()) {
    const auto limit = base::ParseDuration(timeout);
    if (!limit.ok()) {
      return Complain(
          absl::InvalidArgumentError(absl::StrCat("--timeout: ", limit.status().message())));
    }
    options.timeout = *limit;
  }
  const auto wait_for_coordinator = ParsePatience(patience);
  if (!wait_for_coordinator.ok()) return Complain(wait_for_coordinator.status());
  options.patience = *wait_for_coordinator;
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  return FollowJob(session, **client, line.positional(0), options);
}

}  // namespace rm::trainctl
