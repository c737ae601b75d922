// trainctl events: the journal as people read it.

#include <iostream>

#include "absl/strings/str_cat.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/print.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

// Time, what, from where to where, why: one line an event.
std::string EventLine(const pb::JobEvent& event) {
  if (event.has_worker()) {
    const pb::WorkerTransition& worker = event.worker();
    return absl::StrCat(FormatTimeNs(worker.time_ns()), "  worker ", worker.worker_id(), "  ",
                        StateName(worker.to()), "  ", worker.reason().code(), ": ",
                        worker.reason().sentence());
  }
  const pb::JobTransition& job = event.transition();
  const std::string from =
      job.from() == pb::JOB_STATE_UNSPECIFIED ? "" : absl::StrCat(StateName(job.from()), " → ");
  return absl::StrCat(FormatTimeNs(job.time_ns()), "  ", job.job_id(), "  ", from,
                      StateName(job.to()), "  ", job.reason().code(), ": ",
                      job.reason().sentence());
}

// One event of an endless list: a line, or a document of its own where YAML is wanted.
std::string EventText(const pb::JobEvent& event, const std::string& format) {
  if (format == "json") return ToJsonText(event) + "\n";
  if (format == "yaml") return "---\n" + FormatMessage(event, format);
  return EventLine(event) + "\n";
}

}  // namespace

int RunEvents(const Command& command, const Words& words) {
  pb::EventsRequest request;
  bool follow = false;
  CommandLine line(command);
  line.flags().Switch("watch", "go on with new events as they come", &follow);
  line.flags().Letter('w', "watch");
  if (!line.Parse(words, 0, 1)) return line.exit_code();
  request.set_follow(follow);
  if (line.positional_count() == 1) request.set_job_id(line.positional(0));
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const std::string& format = line.common().output;
  const absl::Status status = (*client)->Events(request, [&format](const pb::JobEvent& event) {
    std::cout << EventText(event, format);
    return std::cout.flush().good();  // nobody reads any more: enough
  });
  if (session.interrupted()) return kInterrupted;
  return status.ok() ? kDone : Complain(status);
}

}  // namespace rm::trainctl
