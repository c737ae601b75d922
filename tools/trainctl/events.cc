// trainctl events: the journal as people read it.

#include <iostream>
#include <string>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/outage.h"
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
  // A notice is said of a job that stays as it is; it is no step from a state to the same.
  const bool moved = job.from() != pb::JOB_STATE_UNSPECIFIED && !job.notice();
  const std::string from = moved ? absl::StrCat(StateName(job.from()), " → ") : "";
  return absl::StrCat(FormatTimeNs(job.time_ns()), "  ", job.job_id(), "  ", from,
                      StateName(job.to()), "  ", job.reason().code(), ": ",
                      job.reason().sentence());
}

// One event of an endless list: a line, or a document of its own where YAML is wanted. Its name is
// that of the job, or of the worker.
std::string EventText(const pb::JobEvent& event, const std::string& format) {
  if (format == "json") return ToJsonText(event) + "\n";
  if (format == "yaml") return "---\n" + FormatMessage(event, format);
  if (format == "name") {
    return (event.has_worker() ? event.worker().worker_id() : event.transition().job_id()) + "\n";
  }
  return EventLine(event) + "\n";
}

// What makes an event another one than all others. (Its place in a stream does not: a coordinator may
// have forgotten old events when it is asked again.)
uint64_t KeyOf(const pb::JobEvent& event) {
  const pb::JobTransition& job = event.transition();
  const pb::WorkerTransition& worker = event.worker();
  const pb::Reason& reason = event.has_worker() ? worker.reason() : job.reason();
  return base::StableHash(absl::StrCat(
      job.job_id(), "|", job.time_ns(), "|", job.from(), "|", job.to(), "|", job.generation(), "|",
      worker.worker_id(), "|", worker.time_ns(), "|", worker.from(), "|", worker.to(), "|",
      reason.code(), "|", reason.sentence()));
}

// Prints events, each once, over any number of streams: each stream begins with the oldest event.
class EventReader {
 public:
  EventReader(pb::EventsRequest request, const std::string& format)
      : request_(std::move(request)), format_(format) {}

  // One stream, to its end. `on_event` is told when something comes.
  template <typename OnEvent>
  absl::Status ReadOnce(client::Client& client, const OnEvent& on_event) {
    // In the first stream everything is new, whatever its key says.
    const bool is_first = seen_.empty();
    return client.Events(request_, [&](const pb::JobEvent& event) {
      on_event();
      const bool is_new = seen_.insert(KeyOf(event)).second;
      if (!is_new && !is_first) return true;
      std::cout << EventText(event, format_);
      reader_left_ = !std::cout.flush().good();
      return !reader_left_;  // nobody reads any more: enough
    });
  }

  [[nodiscard]] bool reader_left() const { return reader_left_; }

 private:
  const pb::EventsRequest request_;
  const std::string format_;
  // Eight bytes an event: days of watching fit in a megabyte.
  std::unordered_set<uint64_t> seen_;
  bool reader_left_ = false;
};

// With the command that shows everything again: events are kept, nothing is lost by leaving.
int Detach(const std::string& job_id) {
  std::cerr << "detached: " << (job_id.empty() ? "all jobs go on" : job_id + " goes on")
            << " (trainctl events -w" << (job_id.empty() ? "" : " " + job_id)
            << " shows the events again)\n";
  return kInterrupted;
}

// Until the job has ended; without a job until Ctrl-C.
int Watch(Session& session, client::Client& client, pb::EventsRequest request,
          const std::string& format, absl::Duration patience) {
  if (!request.job_id().empty()) {
    const auto job = client.Get(request.job_id());
    if (session.interrupted()) return Detach(request.job_id());
    if (!job.ok()) return ComplainOfJob(job.status());
    request.set_job_id(job->job_id());
  } else {
    // Nobody there in the first place is no outage that one would wait for.
    const auto status = client.Status();
    if (session.interrupted()) return Detach("");
    if (absl::IsUnavailable(status.status())) return Complain(status.status());
  }
  const std::string job_id = request.job_id();
  EventReader reader(std::move(request), format);
  Outage outage(patience, [](const std::string& line) { std::cerr << line << "\n"; });
  for (;;) {
    const absl::Status ended = reader.ReadOnce(client, [&outage] { outage.NoteBack(); });
    if (session.interrupted()) return Detach(job_id);
    if ((ended.ok() && !job_id.empty()) || reader.reader_left()) return kDone;
    const absl::Status hopeless = outage.Wait(ended);
    if (!hopeless.ok()) return Complain(hopeless);
  }
}

// What has happened so far, in one stream.
int Print(Session& session, client::Client& client, pb::EventsRequest request,
          const std::string& format) {
  EventReader reader(std::move(request), format);
  const absl::Status status = reader.ReadOnce(client, [] {});
  if (session.interrupted()) return kInterrupted;
  return status.ok() ? kDone : ComplainOfJob(status);
}

}  // namespace

// Without a job the events of workers come, too: what happened to the cluster, in one order.
int RunEvents(const Command& command, const Words& words) {
  pb::EventsRequest request;
  bool follow = false;
  std::string patience_text;
  CommandLine line(command);
  line.flags().Switch("watch", "go on with new events as they come", &follow);
  line.flags().Letter('w', "watch");
  AddPatienceFlag(line.flags(), &patience_text);
  if (!line.Parse(words, 0, 1)) return line.exit_code();
  request.set_follow(follow);
  if (line.positional_count() == 1) request.set_job_id(line.positional(0));
  const auto patience = ParsePatience(patience_text);
  if (!patience.ok()) return Complain(patience.status());
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  const std::string& format = line.common().output;
  return follow ? Watch(session, **client, std::move(request), format, *patience)
                : Print(session, **client, std::move(request), format);
}

}  // namespace rm::trainctl
