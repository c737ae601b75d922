// trainctl logs: the lines of every rank, each with its rank before it.

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/units.h"
#include "tools/trainctl/command.h"
#include "tools/trainctl/exit_code.h"
#include "tools/trainctl/outage.h"

namespace rm::trainctl {
namespace pb = ::ringmaster::v1;
namespace {

// What is asked for, and how far it has been read: a stream that breaks goes on at the byte where it
// was, so that no line is lost or printed twice.
class LogReader {
 public:
  explicit LogReader(pb::LogsRequest request) : request_(std::move(request)) {}

  // One stream, to its end. `on_lines` is told when something comes.
  template <typename OnLines>
  absl::Status ReadOnce(client::Client& client, const OnLines& on_lines) {
    return client.Logs(request_, [&](const pb::LogLines& lines) {
      on_lines();
      for (const std::string& text : lines.lines()) {
        std::cout << "[rank " << lines.rank() << "] " << text << "\n";
      }
      // Only now: what was not printed has not been read.
      (*request_.mutable_resume())[lines.rank()] = lines.next_offset();
      reader_left_ = !std::cout.flush().good();
      return !reader_left_;  // nobody reads any more: enough
    });
  }

  // Where the job is known by another name from now on: its whole id.
  void SetJob(const std::string& job_id) { request_.set_job_id(job_id); }
  [[nodiscard]] bool reader_left() const { return reader_left_; }

 private:
  pb::LogsRequest request_;
  bool reader_left_ = false;
};

// Says what Ctrl-C did not do, and how to come back. The same in kind for every follow.
int Detach(const std::string& job_id) {
  std::cerr << "detached: " << job_id << " goes on (trainctl logs -f " << job_id
            << " comes back to it)\n";
  return kInterrupted;
}

// To the job's end, over any number of streams. Only the end of the job ends one with OK; a
// coordinator that shuts down says so.
int Follow(Session& session, client::Client& client, LogReader& reader, const std::string& job,
           absl::Duration patience) {
  const auto found = client.Get(job);  // the whole id: by tomorrow a prefix may be ambiguous
  if (session.interrupted()) return Detach(job);
  if (!found.ok()) return ComplainOfJob(found.status());
  const std::string& job_id = found->job_id();
  reader.SetJob(job_id);
  Outage outage(patience, [](const std::string& line) { std::cerr << line << "\n"; });
  for (;;) {
    const absl::Status ended = reader.ReadOnce(client, [&outage] { outage.NoteBack(); });
    if (session.interrupted()) return Detach(job_id);
    if (ended.ok() || reader.reader_left()) return kDone;
    const absl::Status hopeless = outage.Wait(ended);
    if (!hopeless.ok()) return Complain(hopeless);
  }
}

// What is there, in one stream.
int Print(Session& session, client::Client& client, LogReader& reader) {
  const absl::Status status = reader.ReadOnce(client, [] {});
  if (session.interrupted()) return kInterrupted;
  return status.ok() ? kDone : ComplainOfJob(status);
}

}  // namespace

// All flags are judged before anyone is dialled: a slip costs no time.
int RunLogs(const Command& command, const Words& words) {
  bool follow = false;
  int64_t rank = -1, tail = 0;
  std::string since, patience_text;
  CommandLine line(command);
  line.flags().Switch("follow", "go on with new lines until the job has ended", &follow);
  line.flags().Letter('f', "follow");
  line.flags().Integer("rank", "R", "only this rank; -1: all", -1, 1 << 20, &rank);
  line.flags().Integer("tail", "N", "only the last N lines of each rank; 0: all", 0, 1 << 30, &tail);
  line.flags().Text("since", "AGE", "only lines younger than this, as 10m (default: all)", &since);
  AddPatienceFlag(line.flags(), &patience_text);
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
  const auto patience = ParsePatience(patience_text);
  if (!patience.ok()) return Complain(patience.status());
  Session session;
  const auto client = session.Connect(line.common());
  if (!client.ok()) return Complain(client.status());
  LogReader reader(std::move(request));
  return follow ? Follow(session, **client, reader, line.positional(0), *patience)
                : Print(session, **client, reader);
}

}  // namespace rm::trainctl
